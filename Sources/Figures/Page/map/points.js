// ---- one point: pointed at, or chosen with its neighbours --------------------------------------------------------------------------------
let hoverView = null;
function hover(i, px, py, view = hoverView ?? views[0]) {
  if (i === hovered && i < 0) return;
  const isNew = i !== hovered || view !== hoverView;
  hovered = i;
  if (hoverView && hoverView !== view) hoverView.tooltip.hidden = true;
  hoverView = view;
  const { tooltip } = view;
  if (i < 0) tooltip.hidden = true;
  else {
    if (isNew) fillTooltip();
    tooltip.hidden = false;
    const w = tooltip.offsetWidth, h = tooltip.offsetHeight;
    tooltip.style.left = `${Math.max(4, Math.min(px + 14, view.width - w - 4))}px`;
    tooltip.style.top = `${Math.max(4, py + 18 + h > view.height ? py - h - 12 : py + 18)}px`;
  }
  if (isNew) schedule();
}
function fillTooltip() { hoverView.tooltip.replaceChildren(make("div", {}, describe(hovered)), make("div", { class: "meta" }, meta(hovered))); }
function neighborsOf(i) {
  if (!neighbors) return nearestOnMap(i, 10);
  const list = [];
  for (let k = 0; k < neighborCount; k++) { const j = neighbors[i * neighborCount + k]; if (j >= 0) list.push(j); }
  return list;
}
function nearestOnMap(i, k) {
  const { grid, X, Y, aspect } = views[0];
  // Distances count as they look, so the shares of a wide map are not equal.
  const near = grid.nearest(X[i], Y[i], k * 4, 1.5, i);
  const d = j => ((X[j] - X[i]) * aspect) ** 2 + (Y[j] - Y[i]) ** 2;
  return near.sort((a, b) => d(a) - d(b)).slice(0, k);
}
let scores = new Map(); // cosines of the neighbours that the server found
function pick(i, announce = true) {
  current = i;
  scores = new Map();
  currentNeighbors = i < 0 || served ? [] : neighborsOf(i);
  drawCurrent(announce);
  if (i >= 0 && served) {
    ask(`neighbours?point=${i}`).then(a => a.json()).then(list => {
      if (current !== i) return;
      currentNeighbors = list.map(p => p[0]);
      scores = new Map(list);
      drawCurrent(false);
    }).catch(trouble);
  }
}
function drawCurrent(announce) {
  const i = current, panel = $("current");
  panel.hidden = i < 0;
  if (i >= 0) {
    panel.replaceChildren(
      make("div", {}, describe(i)), make("div", { class: "meta" }, meta(i)),
      make("h2", { style: "margin-top:8px" }, neighbors || served ? W.neighborsSpace : W.neighborsMap),
      make("ol", {}, ...currentNeighbors.map(j => make("li", {}, rowButton(j, null, scores.get(j))))));
    if (announce) $("announce").textContent = `${describe(i)} ${meta(i)}`;
  }
  schedule(); // rings and lines lie over the points, which stay as they are
}
// The cells of a block have come: whatever waits for one of its rows is drawn again.
function arrived(b) {
  const isOf = i => Math.floor(i / blockSize) === b;
  if (hovered >= 0 && isOf(hovered) && !hoverView?.tooltip.hidden) fillTooltip();
  if (current >= 0 && (isOf(current) || currentNeighbors.some(isOf))) drawCurrent(isOf(current));
  for (const e of $("list").querySelectorAll("button.row")) if (isOf(+e.dataset.point)) e.replaceWith(rowButton(+e.dataset.point, listed.query, listed.scores?.get(+e.dataset.point)));
}
function rowButton(i, query, score) {
  const b = make("button", { class: "row", "data-point": String(i), on: { click: () => { show(i); pick(i); }, mouseenter: () => { hovered = i; schedule(); }, mouseleave: () => { hovered = -1; schedule(); } } });
  b.append(...marked(describe(i), query));
  const group = groupColumn ? groupColumn.at(i) : "";
  const small = [group, score === undefined ? "" : `${W.cosine} ${score.toFixed(3)}`].filter(Boolean).join(" · ");
  if (small) b.append(make("div", { class: "meta" }, small));
  return b;
}
