// ---- pictures of the view --------------------------------------------------------------------------------------------------------------
const paperColor = () => getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
// The maps side by side as they stand in the window.
function composed() {
  const wide = views.map(v => v.canvas.width), c = make("canvas", { width: wide.reduce((a, b) => a + b, 0), height: Math.max(...views.map(v => v.canvas.height)) }), k = c.getContext("2d");
  k.fillStyle = paperColor(); k.fillRect(0, 0, c.width, c.height);
  views.forEach((v, place) => {
    const left = wide.slice(0, place).reduce((a, b) => a + b, 0);
    v.painter.draw(0, n, true); v.painter.finish();
    k.drawImage(v.canvas, left, 0); k.drawImage(v.overlay, left, 0);
  });
  return c;
}
$("png").onclick = () => composed().toBlob(b => save("map.png", b), "image/png");
// Up to 50,000 points in view as shapes that a drawing program edits, more of them as a picture within the drawing.
$("svg").onclick = () => {
  const parts = [];
  let left = 0, count = 0;
  for (const v of views) {
    const r = ((v.pointSize() + 1) / 2).toFixed(2);
    for (let k = 0; k < n && count <= 50000; k++) {
      const i = order[k], px = v.toX(v.X[i]), py = v.toY(v.Y[i]);
      if (hidden[i] || px < 0 || py < 0 || px > v.width || py > v.height) continue;
      count++;
      parts.push(`<circle cx="${(left + px).toFixed(2)}" cy="${py.toFixed(2)}" r="${r}" fill="${css(slotColors[slot[i]] || grey)}" fill-opacity="${isDimmed && state[i] !== 2 ? .13 : .85}"/>`);
    }
    left += v.width;
  }
  const height = Math.max(...views.map(v => v.height));
  const inner = count <= 50000 ? parts.join("\n") : `<image width="${left}" height="${height}" href="${composed().toDataURL("image/png")}"/>`;
  const t = document.createElement("template");
  t.innerHTML = "<svg></svg>";
  save("map.svg", `<svg xmlns="${t.content.firstChild.namespaceURI}" width="${left}" height="${height}" viewBox="0 0 ${left} ${height}"><rect width="100%" height="100%" fill="${paperColor()}"/>\n${inner}\n</svg>\n`, "image/svg+xml");
};

// For tests: where a point is in the window, and what the page knows.
window.kotonohaMap = {
  count: n, renderer: views[0].painter.kind, views, row: rowNumber, search, pick, exported, csv, fold, frames, times,
  place: (i, k = 0) => { const v = views[k], b = v.overlay.getBoundingClientRect(); return [v.toX(v.X[i]) + b.left, v.toY(v.Y[i]) + b.top]; },
  pointAt: (...p) => views[0].pointAt(...p), lasso: (path, k = 0) => select(views[k], path),
  setView(x, y, z, k = 0) { Object.assign(views[k], { centerX: x, centerY: y, zoom: z }); views[k].changed(true); },
  get hovered() { return hovered; }, get current() { return current; }, get neighbors() { return currentNeighbors; }, get zoom() { return views[0].zoom; },
  get listed() { return listed ? Array.from(listed.indices) : []; }, get scores() { return scores; }, get hills() { return hills; }, get coloring() { return coloring; },
  get wholeAt() { return wholeAt; }, get coloredAt() { return coloredAt; }, get isWhole() { return views.every(v => v.drawn >= n); }, get budget() { return budget; },
  timeFull(k) { const v = views[0], t = performance.now(); for (let i = 0; i < k; i++) { v.zoom *= 1.01; v.painter.draw(0, n, true); v.painter.finish(); } return (performance.now() - t) / k; },
};
