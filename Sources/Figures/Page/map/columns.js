// ---- texts and columns -----------------------------------------------------------------------------------------------------------
// Texts wait as JSON in blocks and are read when first wanted, so that a large map opens at once.
const blockSize = data.blockSize || 1;
const blocks = [...document.querySelectorAll("script.texts")];
const parsed = [];
// A server sends the cells of a block of rows when one of them is wanted.
const cells = new Map();
function cellsOf(i) {
  const b = Math.floor(i / blockSize), known = cells.get(b);
  if (known) return Array.isArray(known) ? known[i % blockSize] : null;
  cells.set(b, true);
  ask(`block?number=${b}`).then(a => a.json()).then(rows => {
    cells.set(b, rows);
    // Old blocks make room; what is wanted again is asked for again.
    if (cells.size > 4000) for (const old of cells.keys()) { cells.delete(old); if (cells.size <= 3000) break; }
    arrived(b);
  }).catch(error => { cells.delete(b); trouble(error); });
  return null;
}
const textColumn = served ? data.columns.findIndex(c => c.role === "text") : -1;
function textOf(i) {
  if (served) { const c = cellsOf(i); return c ? c[textColumn] : W.loading; }
  const b = Math.floor(i / blockSize);
  if (!blocks[b]) return null;
  return (parsed[b] ??= JSON.parse(blocks[b].textContent))[i % blockSize];
}
function withValues(c) {
  if (c.kind === "number") {
    const values = floats(c.values);
    return { ...c, values, at: i => Number.isNaN(values[i]) ? "" : String(+values[i].toPrecision(7)) };
  }
  const raw = bytes(c.values), values = c.width === 1 ? raw : c.width === 2 ? new Uint16Array(raw.buffer) : new Uint32Array(raw.buffer);
  return { ...c, values, at: i => c.names[values[i]] };
}
// The values of a served column come when they are wanted for colours; single cells come with their row.
const columns = served ? data.columns.map((c, place) => ({ name: c.name, isGroup: c.role === "group", isID: c.role === "id", isText: c.role === "text", place, at: i => cellsOf(i)?.[place] ?? "" })).filter(c => !c.isText)
  : (data.columns || []).map(withValues);
async function loadValues(c) {
  if (!served || c.values) return c;
  const early = firstColumn && c.place === startColumn() ? firstColumn : null;
  firstColumn = null;
  const { name, at, ...rest } = withValues(early ? await early : await (await ask(`column?number=${c.place}`)).json());
  return Object.assign(c, rest);
}
const groupColumn = columns.find(c => c.isGroup);
const ids = columns.find(c => c.isID);
const rowNumber = served ? i => served.rows[i] : data.rows ? (rows => i => rows[i])(new Uint32Array(bytes(data.rows).buffer)) : i => i;
const describe = i => textOf(i) ?? (ids ? ids.at(i) : `${W.row} ${rowNumber(i)}`);
function meta(i) {
  const parts = [`${W.row} ${rowNumber(i)}`];
  for (const c of columns) { const v = c.at(i); if (v !== "") parts.push(`${c.isGroup ? W.group : c.name}: ${v}`); }
  return parts.join(" · ");
}
$("title").textContent = data.title || W.untitled;
document.title = data.title || W.untitled;
