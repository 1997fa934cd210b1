// ---- legend --------------------------------------------------------------------------------------------------------------------------
function drawLegend() {
  const panel = $("legend");
  panel.hidden = !coloring;
  panel.replaceChildren();
  if (!coloring) return;
  const title = make("h2", {}, coloring.isGroup ? (coloring.name || W.group) : coloring.name);
  if (coloring.kind === "number") {
    const stops = Array.from({ length: 11 }, (_, k) => css(rampAt(k / 10))).join(",");
    panel.append(title, make("div", { id: "ramp", style: `background:linear-gradient(90deg,${stops})` }), make("div", { class: "ends" }, make("span", {}, String(+coloring.low.toPrecision(5))), make("span", {}, String(+coloring.high.toPrecision(5)))), ...rangeFilter(coloring), ...filterNote());
    return;
  }
  // Linked: what the filters of other columns hide is not counted.
  const counts = new Uint32Array(coloring.names.length), marks = new Uint8Array(n);
  hide(marks, coloring);
  for (let i = 0; i < n; i++) if (!marks[i]) counts[coloring.values[i]]++;
  const column = coloring, few = column.names.length - 1 <= legendLimit;
  const list = make("ul");
  const setAll = on => { off = on ? new Set() : new Set(column.names.keys()); updateHidden(); updateLooks(); for (const b of list.querySelectorAll("button")) b.setAttribute("aria-pressed", String(on)); hover(-1); };
  // A list of a hundred thousand names helps nobody.
  [...column.names.keys()].slice(1, 2001).concat(counts[0] ? [0] : []).forEach(g => {
    const c = make("canvas", { width: 32, height: 32 });
    const color = g ? palette[column.colors[g]] : grey;
    drawShape(c.getContext("2d"), 16, 16, 19, few && g ? g - 1 : 0, css(color));
    const b = make("button", { class: "entry", "aria-pressed": String(!off.has(g)), on: { click: () => {
      if (off.has(g)) off.delete(g); else off.add(g);
      b.setAttribute("aria-pressed", String(!off.has(g)));
      updateHidden(); updateLooks(); hover(-1);
    } } }, c, make("span", {}, g ? column.names[g] : W.noGroup), make("span", { class: "count" }, number(counts[g])));
    list.append(make("li", {}, b));
  });
  const buttons = make("div", { class: "buttons" }, make("button", { on: { click: () => setAll(true) } }, W.all), make("button", { on: { click: () => setAll(false) } }, W.none));
  if (few) panel.append(title, buttons, list, ...filterNote());
  else panel.append(make("details", {}, make("summary", {}, `${coloring.isGroup ? (coloring.name || W.groups) : coloring.name} (${number(column.names.length - 1)})`), buttons, list));
}

// A histogram of the points that other filters leave, and the range of numbers that stay.
function rangeFilter(column) {
  const bins = 48, span = column.high - column.low || 1, counts = new Uint32Array(bins), marks = new Uint8Array(n);
  hide(marks, column);
  for (let i = 0; i < n; i++) { const v = column.values[i]; if (!marks[i] && v === v) counts[Math.max(0, Math.min(bins - 1, Math.floor((v - column.low) / span * bins)))]++; }
  const most = Math.max(1, ...counts), c = make("canvas", { class: "histogram", width: 528, height: 120, role: "img", "aria-label": W.histogram }), pen = c.getContext("2d");
  const range = filters.get(column) || { low: -Infinity, high: Infinity };
  for (let k = 0; k < bins; k++) {
    const middle = column.low + (k + .5) / bins * span;
    pen.fillStyle = css(rampAt((k + .5) / bins)); pen.globalAlpha = middle >= range.low && middle <= range.high ? 1 : .2;
    const h = counts[k] / most * 116;
    pen.fillRect(k * 11, 120 - h, 10, h);
  }
  const field = (words, end) => {
    const input = make("input", { type: "number", step: "any", "aria-label": `${column.name} ${words}`, placeholder: words, class: "bound" });
    if (Number.isFinite(range[end])) input.value = String(range[end]);
    input.addEventListener("change", () => {
      const next = { ...(filters.get(column) || { low: -Infinity, high: Infinity }) };
      next[end] = input.value === "" ? (end === "low" ? -Infinity : Infinity) : +input.value;
      if (next.low === -Infinity && next.high === Infinity) filters.delete(column); else filters.set(column, next);
      updateHidden(); updateLooks(); hover(-1); drawLegend();
    });
    return input;
  };
  return [c, make("div", { class: "bounds" }, field(W.from, "low"), make("span", {}, "–"), field(W.to, "high"))];
}
function filterNote() {
  if (!filters.size) return [];
  let left = 0;
  for (let i = 0; i < n; i++) left += 1 - hidden[i];
  return [make("div", { class: "meta" }, `${W.filters}: ${[...filters.keys()].map(c => c.name || W.group).join(", ")} · ${W.shownOf(number(left), number(n))}`),
    make("div", { class: "buttons" }, make("button", { on: { click: () => { filters.clear(); off = new Set(); updateHidden(); updateLooks(); drawLegend(); } } }, W.noFilters))];
}
