// ---- what lies over the points -------------------------------------------------------------------------------------------------------
let hovered = -1, current = -1, currentNeighbors = [];
// The medians of the points of each name, on one map.
function groupMiddles(column, view) {
  const known = column.middles ??= new Map();
  if (known.has(view)) return known.get(view);
  const { X, Y } = view, lists = column.names.map(() => []);
  for (let i = 0; i < n; i++) { const g = column.values[i]; if (g && view.has(i)) lists[g].push(i); }
  const median = (list, axis) => { const v = Float32Array.from(list, i => axis[i]).sort(); return v[v.length >> 1]; };
  const reach = (list, y) => Float32Array.from(list, i => Math.abs(Y[i] - y)).sort()[Math.floor(list.length * .9)];
  const middles = lists.map((list, g) => { const y = list.length ? median(list, Y) : 0; return { g, size: list.length, x: list.length ? median(list, X) : 0, y, reach: list.length ? reach(list, y) : 0 }; }).slice(1).filter(m => m.size).sort((a, b) => b.size - a.size);
  known.set(view, middles);
  return middles;
}
const labelFont = "600 12px system-ui, 'Noto Sans JP', 'Noto Sans CJK JP', sans-serif";
// Words at places, the first ones first, as many as there is room for.
class Placed {
  constructor(view, ink, paper) { Object.assign(this, { view, ink, paper }); this.taken = []; const { pen } = view; pen.font = labelFont; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round"; }
  put(text, px, py, item) {
    const { pen, width, height } = this.view, w = (item.width ??= pen.measureText(text).width) / 2 + 3;
    if (py < 0 || py > height || px - w < 0 || px + w > width || this.taken.some(t => Math.abs(t[0] - px) < t[2] + w && Math.abs(t[1] - py) < 16)) return;
    this.taken.push([px, py, w]);
    pen.lineWidth = 3.5; pen.strokeStyle = this.paper; pen.strokeText(text, px, py);
    pen.fillStyle = this.ink; pen.fillText(text, px, py);
  }
}
function drawOverlay(view) {
  const { pen, ratio, width, height, X, Y } = view;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink"), paper = style.getPropertyValue("--paper"), accent = style.getPropertyValue("--accent");
  const r = Math.max(5, view.pointSize() / 2 + 3), placed = new Placed(view, ink, paper);
  drawOutlines(view, ink, paper);
  if (coloring && coloring.kind !== "number" && coloring.names.length - 1 > legendLimit) {
    // Names at the middle of their groups.
    for (const m of groupMiddles(coloring, view)) {
      if (off.has(m.g)) continue;
      // Above a small group, inside a large one.
      const px = view.toX(m.x), half = m.reach * view.unit / view.aspect * view.zoom, py = view.toY(m.y) - (half < 22 ? half + view.pointSize() / 2 + 10 : 0);
      placed.put(coloring.names[m.g], px, py, m);
      if (placed.taken.length > 250) break;
    }
  } else drawHillNames(view, placed);
  if (current >= 0 && view.has(current)) {
    pen.strokeStyle = accent; pen.lineWidth = 1;
    pen.beginPath();
    for (const j of currentNeighbors) if (view.has(j)) { pen.moveTo(view.toX(X[current]), view.toY(Y[current])); pen.lineTo(view.toX(X[j]), view.toY(Y[j])); }
    pen.globalAlpha = .55; pen.stroke(); pen.globalAlpha = 1;
    for (const j of currentNeighbors) ring(view, j, r, accent, 1.2);
    ring(view, current, r + 1.5, accent, 2.5);
  }
  if (hovered >= 0 && hovered !== current) ring(view, hovered, r, ink, 1.8);
  const path = view.lassoPath;
  if (path && path.length > 1) {
    pen.beginPath(); path.forEach(([x, y], k) => k ? pen.lineTo(x, y) : pen.moveTo(x, y)); pen.closePath();
    pen.strokeStyle = accent; pen.lineWidth = 1.5; pen.setLineDash([5, 4]); pen.stroke(); pen.setLineDash([]);
    pen.globalAlpha = .1; pen.fillStyle = accent; pen.fill(); pen.globalAlpha = 1;
  }
}
function ring(view, i, r, color, line) {
  const { pen } = view;
  pen.beginPath(); pen.arc(view.toX(view.X[i]), view.toY(view.Y[i]), r, 0, 7); pen.strokeStyle = color; pen.lineWidth = line; pen.stroke();
}
