// ---- buttons, and the first picture ----------------------------------------------------------------------------------------------------
// A second map stands beside the first, in a stage made alike.
function secondStage() {
  const stage = make("div", { class: "stage" }, make("canvas", { class: "points" }), make("canvas", { class: "overlay", tabindex: "0", role: "application", "aria-label": W.secondMap(data.second.title) }),
    make("div", { class: "tooltip", "aria-hidden": "true", hidden: true }), make("div", { class: "caption" }, `${data.second.title} · ${data.second.caption}`));
  $("maps").append(stage);
  return stage;
}
views.push(new MapView($("stage"), served ? served.x : floats(data.x), served ? served.y : floats(data.y), data.aspect));
if (secondPlaces) views.push(new MapView(secondStage(), secondPlaces.x, secondPlaces.y, data.second.aspect));
reached("uploaded");
for (const v of views) { follow(v); listen(v); }
$("caption").textContent = secondPlaces ? `${data.title || W.untitled} · ${data.caption || ""}` : data.caption || "";
$("zoom-in").onclick = () => { for (const v of views) v.zoomMiddle(1.5); };
$("zoom-out").onclick = () => { for (const v of views) v.zoomMiddle(1 / 1.5); };
$("reset").onclick = () => { for (const v of views) v.reset(); };
$("lasso").onclick = () => setLasso(!lassoMode);
function setHills(on) { showsHills = on; $("outlines").setAttribute("aria-pressed", String(on)); schedule(); }
$("outlines").onclick = () => setHills(!showsHills);
setHills(showsHills);
function setTheme(isDark) { dark = isDark; document.documentElement.classList.toggle("dark", dark); for (const v of views) v.painter.colors(); drawLegend(); changed(); }
$("theme").onclick = () => setTheme(!dark);
$("help-button").onclick = () => { const h = $("help"); h.hidden = !h.hidden; $("help-button").setAttribute("aria-expanded", String(!h.hidden)); };
$("help").append(make("dl", {}, ...W.keys.flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, v)])));
const chooser = $("color-by");
[null, ...columns].forEach((c, k) => { if (!c?.isID && (!c || served || c.kind === "number" || c.names.length <= 5001)) chooser.append(make("option", { value: String(k) }, c ? (c.isGroup ? (c.name || W.group) : c.name) : W.noColor)); });
chooser.onchange = () => setColoring(columns[+chooser.value - 1] || null);
if (chooser.options.length < 2) chooser.parentElement.hidden = true;
const first = served ? columns.find(c => c.place === startColumn()) ?? null : groupColumn && groupColumn.names.length <= 5001 ? groupColumn : columns.find(c => !c.isID && (c.kind === "number" || c.names.length <= 5001)) || null;
chooser.value = String(columns.indexOf(first) + 1);
document.documentElement.classList.toggle("dark", dark);
let isColored = false; // whether the points have their first colours
const resizeAll = () => { for (const v of views) v.resize(); };
resizeAll();
if (served) {
  // A column that is there before the points are drawn saves drawing them twice; one that is not is not waited for.
  const soon = first && firstColumn ? await Promise.race([firstColumn.then(() => true, () => false), new Promise(done => setTimeout(done, 60, false))]) : false;
  if (!soon) setColoring(null);
}
setColoring(first).finally(() => { isColored = true; changed(); });
new ResizeObserver(resizeAll).observe($("maps"));
for (const v of views) {
  v.canvas.addEventListener("webglcontextlost", e => e.preventDefault());
  v.canvas.addEventListener("webglcontextrestored", () => location.reload());
}
if (served) {
  // After the first picture: what the next gesture wants.
  const later = () => { if (!coloredAt) { setTimeout(later, 50); return; } for (const v of views) if (!v.grid.points) v.grid.make(); rankPoints(); loadHills(); };
  setTimeout(later, 50);
}
