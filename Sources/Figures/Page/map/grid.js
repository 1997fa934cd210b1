// ---- cells for finding points ----------------------------------------------------------------------------------------------------
// What the points of one map lie in; made when first asked, since the first picture does not need it.
class Grid {
  constructor(X, Y) { this.X = X; this.Y = Y; this.side = Math.max(1, Math.min(1024, Math.ceil(Math.sqrt(n / 3)))); this.points = null; }
  cellOf(v) { return Math.min(this.side - 1, Math.max(0, Math.floor(v * this.side))); }
  make() {
    const { X, Y, side } = this, start = this.start = new Uint32Array(side * side + 1), points = this.points = new Uint32Array(n), cell = new Uint32Array(n);
    for (let i = 0; i < n; i++) { cell[i] = this.cellOf(Y[i]) * side + this.cellOf(X[i]); start[cell[i] + 1]++; }
    for (let c = 0; c < side * side; c++) start[c + 1] += start[c];
    const next = start.slice(0, -1);
    for (let i = 0; i < n; i++) points[next[cell[i]]++] = i;
  }
  forBox(x0, y0, x1, y1, f) {
    if (!this.points) this.make();
    const { side, start, points } = this;
    for (let r = this.cellOf(y0); r <= this.cellOf(y1); r++) {
      const from = start[r * side + this.cellOf(x0)], to = start[r * side + this.cellOf(x1) + 1];
      for (let k = from; k < to; k++) f(points[k]);
    }
  }
  // The k nearest visible points of a place, within a radius.
  nearest(x, y, k, radius, except = -1, accept = null) {
    const { X, Y } = this, found = [];
    let reach = Math.min(radius, Math.max(1 / this.side, Math.sqrt(k / Math.max(n, 1))));
    for (;;) {
      found.length = 0;
      this.forBox(x - reach, y - reach, x + reach, y + reach, i => {
        if (i === except || hidden[i] || (accept && !accept(i))) return;
        const d = (X[i] - x) ** 2 + (Y[i] - y) ** 2;
        if (d <= reach * reach && (found.length < k || d < found[found.length - 1][0])) {
          let at = found.length;
          while (at > 0 && found[at - 1][0] > d) at--;
          found.splice(at, 0, [d, i]);
          if (found.length > k) found.pop();
        }
      });
      if (found.length >= k || reach >= radius) return found.map(p => p[1]);
      reach = Math.min(radius, reach * 2);
    }
  }
}
