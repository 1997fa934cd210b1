// ---- points without WebGL ------------------------------------------------------------------------------------------------------------
function makeCanvas(view) {
  const { canvas, X, Y } = view, c = canvas.getContext("2d");
  let sprites = new Map();
  return {
    kind: "canvas", looks() {}, colors() { sprites = new Map(); }, finish() {},
    draw(from, to, isWhole) {
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (from === 0) c.clearRect(0, 0, width, height);
      const { width, height } = view, size = view.pointSize() + 1, half = Math.ceil(size) + 1;
      sprites = new Map();
      const paint = i => {
        if (hidden[i]) return;
        const px = view.toX(X[i]), py = view.toY(Y[i]);
        if (px < -half || py < -half || px > width + half || py > height + half) return;
        const key = slot[i] * 16 + shape[i];
        let s = sprites.get(key);
        if (!s) {
          s = document.createElement("canvas"); s.width = s.height = Math.ceil(2 * half * ratio);
          const k = s.getContext("2d"); k.scale(ratio, ratio); drawShape(k, half, half, size, shape[i], css(slotColors[slot[i]] || grey)); sprites.set(key, s);
        }
        c.drawImage(s, px - half, py - half, 2 * half, 2 * half);
      };
      c.globalAlpha = isDimmed ? .13 : .9;
      for (let k = from; k < to; k++) paint(order[k]);
      c.globalAlpha = 1;
      if ((to === n || !isWhole) && isDimmed) for (let k = 0; k < Math.min(highlighted.length, 60000); k++) paint(highlighted[k]);
    },
  };
}
// The same twelve forms on a 2-D canvas, for the legend and as a fallback.
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
