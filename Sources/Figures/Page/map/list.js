// ---- what was selected or found: list and tables ------------------------------------------------------------------------------------------------------------
let listed = null; // { title, indices, query }
function list(title, indices, options = {}) {
  listed = { title, indices, query: options.query, scores: options.scores };
  const panel = $("list");
  panel.hidden = !title;
  highlighted = Uint32Array.from(indices);
  isDimmed = Boolean(title);
  refreshState(); for (const v of views) v.painter.looks();
  changed();
  if (!title) { panel.replaceChildren(); return; }
  const limit = 200, rest = indices.length - limit;
  const status = make("span", { role: "status", class: "meta" });
  panel.replaceChildren(
    make("h2", {}, title),
    make("div", { class: "buttons" },
      make("button", { id: "copy", on: { click: async () => { await copy(served ? await (await exported("tsv", indices)).text() : csv(indices, "\t")); status.textContent = W.copied; } } }, W.copy),
      make("button", { id: "csv", on: { click: () => served ? saveExported("csv", indices) : save("selection.csv", "\ufeff" + csv(indices, ",")) } }, W.csv),
      ...(served ? ["tsv", "xlsx"].map(f => make("button", { id: f, on: { click: () => saveExported(f, indices) } }, W[f])) : []),
      make("button", { on: { click: clear } }, W.clear), status),
    ...(served ? [make("input", { id: "label", type: "text", placeholder: W.label, "aria-label": W.label, title: W.labelHint })] : []),
    make("ol", {}, ...Array.from(indices.slice(0, limit)).map(i => make("li", {}, rowButton(i, options.query, options.scores?.get(i))))));
  if (rest > 0) panel.append(make("p", { class: "meta" }, W.more(number(rest))));
}
function clear() { $("search").value = ""; $("search-count").textContent = ""; searchRun++; list(null, []); pick(-1); hover(-1); }
function csv(indices, separator) {
  const quote = s => { s = String(s); return /[",\r\n\t]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s; };
  const xs = data.extent;
  const head = ["row", "x", "y", ...columns.map(c => c.isGroup ? "group" : c.name), ...(blocks.length ? ["text"] : [])];
  const lines = [head.map(quote).join(separator)];
  for (const i of indices) {
    const row = [rowNumber(i), +(xs[0] + views[0].X[i] * xs[2]).toPrecision(7), +(xs[1] + (1 - views[0].Y[i]) * xs[3]).toPrecision(7), ...columns.map(c => c.at(i))];
    if (blocks.length) row.push(textOf(i) ?? "");
    lines.push(row.map(quote).join(separator));
  }
  return lines.join("\r\n") + "\r\n";
}
// The server writes tables: it has all cells, and knows spreadsheets.
function bits(indices) {
  const b = new Uint8Array((n + 7) >> 3);
  for (const i of indices) b[i >> 3] |= 1 << (i & 7);
  let s = "";
  for (let k = 0; k < b.length; k += 32768) s += String.fromCharCode.apply(null, b.subarray(k, k + 32768));
  return btoa(s);
}
function exported(format, indices) {
  const label = $("label")?.value.trim();
  return ask("export", { format, points: bits(indices), ...(label ? { column: "selection", value: label } : {}) });
}
async function saveExported(format, indices) {
  try { save(`selection.${format}`, await (await exported(format, indices)).blob()); } catch (error) { trouble(error); }
}
function save(name, content, type = "text/csv;charset=utf-8") {
  const a = make("a", { href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })), download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}
async function copy(text) {
  try { await navigator.clipboard.writeText(text); } catch {
    // Files opened from the disk may not use the clipboard interface.
    const area = make("textarea", { style: "position:fixed;opacity:0" });
    area.value = text; document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
  }
}
