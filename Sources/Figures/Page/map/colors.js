// ---- colours ---------------------------------------------------------------------------------------------------------------------
const css = c => { const s = shown(c); return `rgb(${s[0]} ${s[1]} ${s[2]})`; };
const palette = data.palette.map(h => [1, 3, 5].map(k => parseInt(h.slice(k, k + 2), 16)));
const ramp = data.ramp.map(h => [1, 3, 5].map(k => parseInt(h.slice(k, k + 2), 16)));
const grey = [165, 165, 165];
const legendLimit = 12;
function rampAt(t) {
  const p = Math.min(Math.max(t, 0), 1) * (ramp.length - 1), k = Math.min(Math.floor(p), ramp.length - 2), f = p - k;
  return ramp[k].map((v, c) => Math.round(v + (ramp[k + 1][c] - v) * f));
}
let dark = matchMedia("(prefers-color-scheme: dark)").matches;
// Black on a dark ground becomes white, and other dark colours lighter.
const shown = c => { if (!dark) return c; const l = .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; const f = l < 90 ? (90 - l) / 90 * .62 + .1 : 0; return c.map(v => Math.round(v + (255 - v) * f)); };
let coloring = null;
const slot = new Uint8Array(n), shape = new Uint8Array(n), hidden = new Uint8Array(n), state = new Uint8Array(n);
let slotColors = [];
let highlighted = new Uint32Array(0), isDimmed = false;
let off = new Set(); // names of the legend switched off, as places
// What hides points: of each column the names that are switched off, or the numbers that stay.
const filters = new Map();
let coloringRun = 0;
async function setColoring(column) {
  const run = ++coloringRun;
  if (column && served && !column.values) {
    try { await loadValues(column); } catch (error) { trouble(error); return; }
    if (run !== coloringRun) return;
  }
  if (column && column.kind !== "number" && column.names.length > 5001) { $("caption").textContent = W.tooMany; chooser.value = String(columns.indexOf(coloring) + 1); return; }
  coloring = column;
  off = filters.get(column)?.off ?? new Set();
  slotColors = [];
  shape.fill(0);
  if (!column) { slot.fill(0); slotColors = [palette[0]]; }
  else if (column.kind === "number") {
    const { low, high } = column, span = high - low || 1;
    for (let i = 0; i < n; i++) { const v = column.values[i]; slot[i] = Number.isNaN(v) ? 255 : Math.max(0, Math.min(254, Math.floor((v - low) / span * 255))); }
    for (let k = 0; k < 255; k++) slotColors[k] = rampAt(k / 254);
    slotColors[255] = grey;
  } else {
    // Place 0 is "no value".
    const few = column.names.length - 1 <= legendLimit;
    for (let i = 0; i < n; i++) {
      const g = column.values[i];
      slot[i] = g === 0 ? 0 : 1 + column.colors[g];
      if (few && g > 0) shape[i] = g - 1;
    }
    slotColors = [grey, ...palette];
  }
  updateHidden();
  drawLegend();
  updateLooks();
  for (const v of views) v.painter.colors();
}
// Points look otherwise: in other colours, hidden, or highlighted.
function updateLooks() { for (const v of views) { v.painter.looks(); v.density = null; } changed(); }
function refreshState() {
  state.set(hidden);
  for (const i of highlighted) if (!hidden[i]) state[i] = 2;
}
function updateHidden() {
  if (coloring && coloring.kind !== "number") { if (off.size) filters.set(coloring, { off }); else filters.delete(coloring); }
  hide(hidden, null);
  refreshState();
}
// Marks what the filters reject; those of one column aside, where its histogram is wanted.
function hide(marks, except) {
  marks.fill(0);
  for (const [column, f] of filters) {
    if (column === except) continue;
    const v = column.values;
    if (f.off) { const isOff = Uint8Array.from(column.names, (_, g) => f.off.has(g) ? 1 : 0); for (let i = 0; i < n; i++) if (isOff[v[i]]) marks[i] = 1; }
    else for (let i = 0; i < n; i++) if (!(v[i] >= f.low && v[i] <= f.high)) marks[i] = 1;
  }
}
