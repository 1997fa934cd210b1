// ---- hills: outlines of the density, and their words, while the view is far away -----------------------------------------------------
const farZoom = 3; // nearer, points speak for themselves
let showsHills = served !== null || n >= 2000, hills = [];
const outlineShares = [.9, .7, .5, .3, .1]; // of the points, within each outline
const longSide = view => view.aspect >= 1 ? view.unit : view.unit / view.aspect; // of the whole map, in pixels
// Points a cell, smoothed; cells are squares of the map.
function densityOf(view) {
  // No smaller than some pixels, or a small window would be all lines.
  const { X, Y, aspect } = view, long = Math.round(Math.min(160, Math.max(24, Math.min(Math.sqrt(n) / 3, longSide(view) / 6))));
  const columns = Math.max(3, Math.round(aspect >= 1 ? long : long * aspect)), rows = Math.max(3, Math.round(aspect >= 1 ? long / aspect : long));
  // Two empty cells around, so that every outline closes.
  const w = columns + 4, h = rows + 4;
  let grid = new Float32Array(w * h);
  for (let i = 0; i < n; i++) if (!hidden[i] && X[i] > -1) grid[(Math.min(rows - 1, Math.floor(Y[i] * rows)) + 2) * w + Math.min(columns - 1, Math.floor(X[i] * columns)) + 2]++;
  for (let turn = 0; turn < 2; turn++) for (const step of [1, w]) {
    const next = new Float32Array(w * h);
    for (let k = 0; k < w * h; k++) {
      const place = step === 1 ? k % w : Math.floor(k / w), count = step === 1 ? w : h;
      let sum = 6 * grid[k];
      if (place > 0) sum += 4 * grid[k - step];
      if (place > 1) sum += grid[k - 2 * step];
      if (place < count - 1) sum += 4 * grid[k + step];
      if (place < count - 2) sum += grid[k + 2 * step];
      next[k] = sum / 16;
    }
    grid = next;
  }
  return { grid, w, h, columns, rows };
}
// Densities above which the shares of all points lie.
function levelsOf(grid, shares) {
  const sorted = grid.slice().sort().reverse(), all = sorted.reduce((a, b) => a + b, 0), levels = [];
  let sum = 0, k = 0;
  for (const share of shares.slice().sort((a, b) => a - b)) {
    while (k < sorted.length && sum < share * all) sum += sorted[k++];
    levels.push(sorted[Math.max(0, k - 1)]);
  }
  return [...new Set(levels)].filter(level => level > 0);
}
// Pieces of the outlines as x, y, x, y in shares of the map (marching squares: Lorensen & Cline 1987).
function outlinesOf(view) {
  const { grid, w, h, columns, rows } = densityOf(view), pieces = [];
  const sx = k => (k - 1.5) / columns, sy = k => (k - 1.5) / rows;
  for (const level of levelsOf(grid, longSide(view) < 400 ? outlineShares.filter((_, k) => k % 2 === 0) : outlineShares)) {
    const at = [];
    for (let r = 0; r < h - 1; r++) for (let c = 0; c < w - 1; c++) {
      const k = r * w + c, a = grid[k], b = grid[k + 1], d = grid[k + w], e = grid[k + w + 1];
      const code = (a >= level) | (b >= level) << 1 | (e >= level) << 2 | (d >= level) << 3;
      if (code === 0 || code === 15) continue;
      const part = (p, q) => (level - p) / (q - p);
      const top = () => [sx(c + part(a, b)), sy(r)], right = () => [sx(c + 1), sy(r + part(b, e))], bottom = () => [sx(c + part(d, e)), sy(r + 1)], left = () => [sx(c), sy(r + part(a, d))];
      const line = (p, q) => at.push(...p, ...q);
      switch (code) {
        case 1: case 14: line(left(), top()); break;
        case 2: case 13: line(top(), right()); break;
        case 3: case 12: line(left(), right()); break;
        case 4: case 11: line(right(), bottom()); break;
        case 6: case 9: line(top(), bottom()); break;
        case 7: case 8: line(left(), bottom()); break;
        // Two corners across: the middle says which of them are joined.
        default: {
          const isJoined = (a + b + d + e) / 4 >= level;
          if ((code === 5) === isJoined) { line(left(), bottom()); line(top(), right()); } else { line(left(), top()); line(right(), bottom()); }
        }
      }
    }
    pieces.push(Float32Array.from(at));
  }
  return pieces;
}
const farness = view => showsHills ? Math.max(0, Math.min(1, (farZoom - view.zoom) * 2)) : 0;
function drawOutlines(view, ink, paper) {
  const far = farness(view), { pen } = view;
  if (!far || !wholeAt) return;
  view.density ??= outlinesOf(view);
  const isMoving = view.moving > 0;
  view.density.forEach((pieces, k) => {
    if (isMoving && k % 2 === 1) return;
    pen.beginPath();
    for (let p = 0; p < pieces.length; p += 4) { pen.moveTo(view.toX(pieces[p]), view.toY(pieces[p + 1])); pen.lineTo(view.toX(pieces[p + 2]), view.toY(pieces[p + 3])); }
    // A light line below the dark one, so that it is seen on points of any colour; lines cost most of a frame, so a moving view has fewer.
    if (!isMoving) { pen.globalAlpha = far * .6; pen.strokeStyle = paper; pen.lineWidth = 2.6; pen.stroke(); }
    pen.globalAlpha = far * (.45 + .4 * (view.density.length - k) / view.density.length); pen.strokeStyle = ink; pen.lineWidth = .9; pen.stroke();
  });
  pen.globalAlpha = 1;
}
function drawHillNames(view, placed) {
  if (view !== views[0] || !farness(view)) return; // the second map has other hills
  for (const hill of hills) placed.put(hill.words.join(" · "), view.toX(hill.x), view.toY(hill.y), hill);
}
// The words of the hills, which the server knows, also as a list: a click goes there.
async function loadHills() {
  try { hills = await (await ask("labels")).json(); } catch { return; } // a map without names is a map still
  const panel = $("hills");
  panel.hidden = !hills.length;
  panel.replaceChildren(make("details", {}, make("summary", {}, W.hills(number(hills.length))), make("ul", {}, ...hills.map(hill => make("li", {},
    make("button", { class: "entry", on: { click: () => views[0].setView(hill.x, hill.y, Math.max(views[0].zoom, 6)) } }, make("span", {}, hill.words.join(" · ")), make("span", { class: "count" }, W.hillPoints(number(hill.size)))))))));
  schedule();
}
