// ---- points without a graphics card ----------------------------------------------------------------------------------------------------
// A browser that would compute WebGL on the processor takes some microseconds a point for it; blended here, a point takes some nanoseconds.
function makeCanvas(view) {
  const { canvas, X, Y } = view, c = canvas.getContext("2d", { alpha: false });
  // In the order of drawing; a look is the colour's place, the form, and whether it is hidden (1) or highlighted (2).
  const xs = new Float32Array(n), ys = new Float32Array(n), look = new Uint32Array(n);
  for (let k = 0; k < n; k++) { xs[k] = X[order[k]]; ys[k] = Y[order[k]]; }
  const red = new Uint32Array(256), green = new Uint32Array(256); // red and blue together, so that one product weighs both
  let paper = 0xffffffff, image = null, pixels = null, w = 0, h = 0, edge = 0;
  const masks = new Map();
  // How much of each pixel a form covers, 0 to 256.
  function mask(form, size) {
    const key = form + 16 * Math.round(size * 4);
    let found = masks.get(key);
    if (!found) {
      const side = Math.ceil(size * 1.4) + 2, k = make("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: true });
      drawShape(k, side / 2, side / 2, size, form, "#000");
      const covered = k.getImageData(0, 0, side, side).data;
      if (masks.size > 500) masks.clear();
      masks.set(key, found = { side, cover: Uint16Array.from({ length: side * side }, (_, p) => covered[4 * p + 3] * 257 >> 8) });
    }
    return found;
  }
  // Draws the places from … to of the order, or of a list of points; those with a bit of `skip` are left out. Marks of two or three pixels have no form.
  function squares(from, to, list, { ax, ay, bx, by, left, top, right, bottom }, skip, a, side) {
    const out = pixels, wide = w, rest = 256 - a, back = (side - 1) / 2, reds = red.map(v => Math.imul(v, a)), greens = green.map(v => v * a);
    for (let t = from; t < to; t++) {
      const k = list === null ? t : rank[list[t]], l = look[k];
      if (l & skip) continue;
      const x = xs[k] * ax + bx, y = ys[k] * ay + by;
      if (!(x > left && y > top && x < right && y < bottom)) continue;
      const s = l & 255, r = reds[s], g = greens[s];
      let p = (y - back | 0) * wide + (x - back | 0);
      for (let row = 0; row < side; row++, p += wide) for (let q = p; q < p + side; q++) {
        const d = out[q];
        out[q] = 0xff000000 | (Math.imul(d & 0xff00ff, rest) + r) >>> 8 & 0xff00ff | Math.imul(d >>> 8 & 255, rest) + g & 0xff00;
      }
    }
  }
  function marks(from, to, list, { ax, ay, bx, by, left, top, right, bottom }, skip, full, size) {
    const out = pixels, wide = w;
    for (let t = from; t < to; t++) {
      const k = list === null ? t : rank[list[t]], l = look[k];
      if (l & skip) continue;
      const x = xs[k] * ax + bx, y = ys[k] * ay + by;
      if (!(x > left && y > top && x < right && y < bottom)) continue;
      const { side, cover } = mask(l >> 8 & 255, size), s = l & 255, rb = red[s], green0 = green[s];
      let p = (y - side / 2 + .5 | 0) * wide + (x - side / 2 + .5 | 0), c = 0;
      for (let row = 0; row < side; row++, p += wide - side) for (let q = 0; q < side; q++, p++, c++) {
        if (cover[c] === 0) continue;
        const d = out[p], a = cover[c] * full >> 8, rest = 256 - a;
        out[p] = 0xff000000 | (Math.imul(d & 0xff00ff, rest) + Math.imul(rb, a)) >>> 8 & 0xff00ff | Math.imul(d >>> 8 & 255, rest) + Math.imul(green0, a) & 0xff00;
      }
    }
  }
  function prepare() {
    const wide = Math.ceil(view.pointSize() * 8 * view.ratio) + 4;
    if (image && edge === wide && w === canvas.width + 2 * wide && h === canvas.height + 2 * wide) return;
    edge = wide; w = canvas.width + 2 * edge; h = canvas.height + 2 * edge; // marks may lie across the edge
    image = new ImageData(w, h); pixels = new Uint32Array(image.data.buffer);
  }
  return {
    kind: "canvas",
    looks() { for (let k = 0; k < n; k++) { const i = order[k]; look[k] = slot[i] | shape[i] << 8 | state[i] << 16; } },
    colors() {
      for (let k = 0; k < 256; k++) { const s = shown(slotColors[k] || grey); red[k] = s[0] | s[2] << 16; green[k] = s[1]; }
      const p = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim(), long = p.length === 4 ? p.replace(/[0-9a-f]/gi, "$&$&") : p;
      paper = (0xff000000 | parseInt(long.slice(5, 7), 16) << 16 | parseInt(long.slice(3, 5), 16) << 8 | parseInt(long.slice(1, 3), 16)) >>> 0;
    },
    draw(from, to, isWhole) {
      if (from === 0) { prepare(); pixels.fill(paper); }
      const { ratio } = view, ax = view.unit * view.zoom * ratio, ay = view.unit / view.aspect * view.zoom * ratio;
      const bx = (view.width / 2) * ratio - view.centerX * ax + edge, by = (view.height / 2) * ratio - view.centerY * ay + edge;
      const size = (view.pointSize() + 1) * ratio * (isWhole ? 1 : Math.min(1.6, Math.sqrt(n / to))), isPlain = size < 3.5;
      const opacity = n > 20000 ? .7 : .92, full = Math.round(256 * opacity * (isPlain ? .8 : 1)), dim = isDimmed ? Math.round(full * .13) : full;
      const plain = Math.max(2, Math.round(size * .94));
      const paint = isPlain ? squares : marks;
      // Points between these are seen, at least in part.
      const bounds = { ax, ay, bx, by, left: edge / 2, top: edge / 2, right: w - edge / 2, bottom: h - edge / 2 };
      paint(from, to, null, bounds, isDimmed ? 0x30000 : 0x10000, isDimmed ? dim : full, isPlain ? plain : size);
      // Highlighted points lie on top.
      if ((to === n || !isWhole) && isDimmed) { rankPoints(); paint(0, highlighted.length, highlighted, bounds, 0x10000, full, isPlain ? plain + 1 : size * 1.35); }
      c.putImageData(image, -edge, -edge);
    },
    finish() {},
  };
}
// The same twelve forms on a 2-D canvas, for the legend and for marks.
function drawShape(c, x, y, size, form, color) {
  const r = size / 2;
  const poly = points => { c.beginPath(); points.forEach(([a, b], k) => k ? c.lineTo(x + a * r, y + b * r) : c.moveTo(x + a * r, y + b * r)); c.closePath(); };
  const around = (k, radius, turn) => Array.from({ length: k }, (_, i) => [Math.cos(turn + i * 2 * Math.PI / k) * radius, Math.sin(turn + i * 2 * Math.PI / k) * radius]);
  const bars = [[-.3, -1.1], [.3, -1.1], [.3, -.3], [1.1, -.3], [1.1, .3], [.3, .3], [.3, 1.1], [-.3, 1.1], [-.3, .3], [-1.1, .3], [-1.1, -.3], [-.3, -.3]];
  const base = form >= 8 ? [0, 1, 2, 3][form - 8] : form;
  if (base === 0) { c.beginPath(); c.arc(x, y, r, 0, 7); }
  else if (base === 1) poly([[-.88, -.88], [.88, -.88], [.88, .88], [-.88, .88]]);
  else if (base === 2) poly(around(3, 1.25, -Math.PI / 2));
  else if (base === 3) poly([[0, -1.3], [1, 0], [0, 1.3], [-1, 0]]);
  else if (base === 4) poly(around(3, 1.25, Math.PI / 2));
  else if (base === 5) poly(bars);
  else if (base === 6) poly(bars.map(([a, b]) => [(a - b) * .7071, (a + b) * .7071]));
  else poly(Array.from({ length: 10 }, (_, i) => [Math.cos(-Math.PI / 2 + i * Math.PI / 5) * (i % 2 ? .55 : 1.35), Math.sin(-Math.PI / 2 + i * Math.PI / 5) * (i % 2 ? .55 : 1.35)]));
  if (form >= 8) { c.lineWidth = Math.max(1, size * .2); c.strokeStyle = color; c.stroke(); } else { c.fillStyle = color; c.fill(); }
}
