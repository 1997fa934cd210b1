// ---- a map in its window -----------------------------------------------------------------------------------------------------------
// One map, or two of the same points side by side: each has its own places and view; colours, filters and selections belong to all.
class MapView {
  // X and Y are shares of the map's extent, y downward; aspect is the extent's width / height.
  constructor(stage, X, Y, aspect) {
    Object.assign(this, { stage, X, Y, aspect });
    this.canvas = stage.querySelector(".points"); this.overlay = stage.querySelector(".overlay"); this.tooltip = stage.querySelector(".tooltip");
    this.pen = this.overlay.getContext("2d");
    this.grid = new Grid(X, Y);
    this.width = this.height = this.ratio = 1;
    this.zoom = 1; this.centerX = this.centerY = .5; // the map's shares at the middle of the window
    this.unit = 1; // pixels for the whole map's width at zoom 1
    this.moving = 0; this.settle = 0; this.drawn = 0;
    this.lassoPath = null;
    this.density = null; // outlines, found when wanted
    this.painter = makeGL(this) || makeCanvas(this);
  }
  toX(x) { return (x - this.centerX) * this.unit * this.zoom + this.width / 2; }
  toY(y) { return (y - this.centerY) * this.unit / this.aspect * this.zoom + this.height / 2; }
  fromX(px) { return (px - this.width / 2) / (this.unit * this.zoom) + this.centerX; }
  fromY(py) { return (py - this.height / 2) / (this.unit / this.aspect * this.zoom) + this.centerY; }
  pointSize() { return Math.min(14, Math.max(1.6, Math.sqrt(.12 * this.width * this.height / n))) ** .85 * Math.min(3, Math.max(1, this.zoom ** .32)); }
  resize() {
    const box = this.stage.getBoundingClientRect();
    this.width = Math.max(1, box.width); this.height = Math.max(1, box.height); this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    const w = Math.round(this.width * this.ratio), h = Math.round(this.height * this.ratio);
    this.unit = Math.max(10, Math.min(this.width - 40, (this.height - 56) * this.aspect));
    if (this.canvas.width === w && this.canvas.height === h && this.isSized) return;
    this.isSized = true;
    // Setting a size clears.
    for (const c of [this.canvas, this.overlay]) { c.width = w; c.height = h; }
    this.density = null;
    hover(-1);
    this.changed();
  }
  changed(isMoving = false) {
    if (isMoving) { this.moving = performance.now(); clearTimeout(this.settle); this.settle = setTimeout(() => { this.moving = 0; this.changed(); }, 160); }
    this.drawn = 0;
    schedule();
  }
  reset() { this.zoom = 1; this.centerX = this.centerY = .5; this.changed(true); }
  zoomAt(px, py, factor) {
    const x = this.fromX(px), y = this.fromY(py);
    this.zoom = Math.min(Math.max(this.zoom * factor, .5), 20000);
    this.centerX = x - (px - this.width / 2) / (this.unit * this.zoom);
    this.centerY = y - (py - this.height / 2) / (this.unit / this.aspect * this.zoom);
    this.keepInside(); this.changed(true);
  }
  zoomMiddle(factor) { this.zoomAt(this.width / 2, this.height / 2, factor); }
  pan(dx, dy) { this.centerX -= dx / (this.unit * this.zoom); this.centerY -= dy / (this.unit / this.aspect * this.zoom); this.keepInside(); this.changed(true); }
  keepInside() { this.centerX = Math.min(1.1, Math.max(-.1, this.centerX)); this.centerY = Math.min(1.1, Math.max(-.1, this.centerY)); }
  setView(x, y, zoom) { this.centerX = x; this.centerY = y; this.zoom = Math.min(Math.max(zoom, .5), 20000); this.keepInside(); this.changed(true); }
  has(i) { return this.X[i] > -1; } // a second map may lack points of the first
  show(i, least = 0) {
    if (!this.has(i)) return;
    const px = this.toX(this.X[i]), py = this.toY(this.Y[i]);
    if (this.zoom < least || px < 30 || py < 30 || px > this.width - 30 || py > this.height - 30) this.setView(this.X[i], this.Y[i], Math.max(this.zoom, least));
  }
  // The visible point nearest to a place of the window, within a reach in pixels.
  pointAt(px, py, reach = 9) {
    const { X, Y, unit, zoom, aspect } = this, x = this.fromX(px), y = this.fromY(py), rx = (reach + this.pointSize() / 2) / (unit * zoom);
    let best = -1, bestDistance = Infinity;
    this.grid.forBox(x - rx, y - rx * aspect, x + rx, y + rx * aspect, i => {
      if (hidden[i] || (isDimmed && state[i] !== 2)) return;
      const d = ((X[i] - x) * unit) ** 2 + ((Y[i] - y) * unit / aspect) ** 2;
      if (d < bestDistance) { bestDistance = d; best = i; }
    });
    return best >= 0 && Math.sqrt(bestDistance) * zoom <= reach + this.pointSize() / 2 ? best : -1;
  }
  // The points within a polygon of the window, in order.
  inside(path) {
    const { X, Y } = this, polygon = path.map(([px, py]) => [this.fromX(px), this.fromY(py)]);
    const xs = polygon.map(p => p[0]), ys = polygon.map(p => p[1]);
    // The edges that can matter for a point are those of its band.
    const low = Math.min(...ys), high = Math.max(...ys), bandCount = 256, bandOf = y => Math.max(0, Math.min(bandCount - 1, Math.floor((y - low) / (high - low || 1) * bandCount)));
    const bands = Array.from({ length: bandCount }, () => []);
    for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
      const [ax, ay] = polygon[a], [bx, by] = polygon[b];
      for (let k = bandOf(Math.min(ay, by)); k <= bandOf(Math.max(ay, by)); k++) bands[k].push(ax, ay, bx, by);
    }
    const edges = bands.map(list => Float64Array.from(list)), hits = new Uint32Array(n);
    let count = 0;
    this.grid.forBox(Math.min(...xs), low, Math.max(...xs), high, i => {
      const x = X[i], y = Y[i];
      if (hidden[i] || y < low || y > high) return;
      const e = edges[bandOf(y)];
      let odd = false;
      for (let k = 0; k < e.length; k += 4) if ((e[k + 1] > y) !== (e[k + 3] > y) && x < (e[k + 2] - e[k]) * (y - e[k + 1]) / (e[k + 3] - e[k + 1]) + e[k]) odd = !odd;
      if (odd) hits[count++] = i;
    });
    return hits.slice(0, count).sort();
  }
}
const views = [];
const changed = isMoving => { for (const v of views) v.changed(isMoving); };
const show = (i, least) => { for (const v of views) v.show(i, least); };

// ---- frames ------------------------------------------------------------------------------------------------------------------------
let scheduled = false, requested = 0, wholeAt = 0, coloredAt = 0;
const frames = [];
function schedule() { if (!scheduled) { scheduled = true; requested = performance.now(); requestAnimationFrame(frame); } }
function frame() {
  scheduled = false;
  const started = performance.now();
  let isMoving = false;
  for (const v of views) {
    if (v.moving > 0) { isMoving = true; const to = sampled(Math.min(n, budget / views.length)); v.painter.draw(0, to, to >= n); }
    else if (v.drawn < n) {
      // At rest all points appear, on a slow machine part by part, so that it still answers.
      const to = Math.min(n, v.drawn + Math.max(4 * budget, 50000));
      v.painter.draw(v.drawn, to, true);
      v.drawn = to;
      if (v.drawn < n) schedule();
    }
  }
  if (!coloredAt && views.every(v => v.drawn >= n && v.isSized)) {
    for (const v of views) v.painter.finish();
    // Shown when the next frame begins.
    const colored = isColored;
    requestAnimationFrame(() => {
      if (!wholeAt) { wholeAt = performance.now(); schedule(); }
      if (colored) coloredAt ||= performance.now();
    });
  }
  for (const v of views) drawOverlay(v);
  if (isMoving) {
    // A busy graphics card calls for frames late: the wait tells what the machine can draw, and the sample shrinks and grows with it.
    const spent = Math.max(performance.now() - started, started - requested);
    frames.push(spent); if (frames.length > 240) frames.shift();
    if (spent > 34) budget = Math.max(20000, Math.floor(budget * (spent > 100 ? .4 : .7))); else if (spent < 20) budget = Math.min(n, Math.ceil(budget * 1.1));
  }
}
