// ---- search ----------------------------------------------------------------------------------------------------------------------------
// Full width and half width, capital and small are the same to a reader.
const fold = s => s.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC").replaceAll("ς", "σ");
function marked(text, query) {
  if (!query || !query.length) return [text];
  const folded = fold(text);
  if (folded.length !== text.length) return [text]; // places would not agree
  const hits = [];
  for (const q of query) for (let at = folded.indexOf(q); at >= 0; at = folded.indexOf(q, at + q.length)) hits.push([at, at + q.length]);
  hits.sort((a, b) => a[0] - b[0]);
  const parts = []; let last = 0;
  for (const [a, b] of hits) { if (a < last) continue; parts.push(text.slice(last, a), make("mark", {}, text.slice(a, b))); last = b; }
  parts.push(text.slice(last));
  return parts;
}
const foldedBlocks = [];
function haystack(i) {
  // A block at a time: one long string folds many times faster than thousands of short ones.
  const b = Math.floor(i / 4096);
  return (foldedBlocks[b] ??= foldBlock(b * 4096, Math.min(n, (b + 1) * 4096)))[i % 4096];
}
const searched = columns.filter(c => c.isGroup || c.isID);
function foldBlock(from, to) {
  const parts = [];
  for (let i = from; i < to; i++) parts.push([textOf(i) ?? "", ...searched.map(c => c.at(i))].join("\n").replaceAll("\u0001", " "));
  return fold(parts.join("\u0001")).split("\u0001");
}
let searchRun = 0, searchPlace = -1, found = [];
async function search(text) {
  const run = ++searchRun, query = fold(text).split(/\s+/u).filter(Boolean);
  searchPlace = -1; found = [];
  if (!query.length) { $("search-count").textContent = ""; list(null, []); return; }
  if (served) return searchServer(text, query, run);
  let started = performance.now();
  for (let i = 0; i < n; i++) {
    const h = haystack(i);
    if (query.every(q => h.includes(q))) found.push(i);
    if ((i & 1023) === 0 && performance.now() - started > 24) {
      $("search-count").textContent = W.searching;
      await new Promise(r => setTimeout(r));
      if (run !== searchRun) return;
      started = performance.now();
    }
  }
  $("search-count").textContent = W.found(number(found.length));
  list(`${W.results}: ${number(found.length)}`, found, { query });
}
async function searchServer(text, query, run) {
  $("search-count").textContent = W.searching;
  try {
    let scores;
    if ($("search-by").value === "meaning") {
      const hits = await (await ask("meaning", { query: text, top: 200 })).json();
      [found, scores, query] = [hits.map(h => h[0]), new Map(hits), null];
    } else {
      const marks = new Uint8Array(await (await ask("find", { words: text })).arrayBuffer()), hits = new Uint32Array(n);
      let count = 0;
      for (let i = 0; i < n; i++) if (marks[i >> 3] >> (i & 7) & 1) hits[count++] = i;
      // In the order of the rows, as in the file.
      const rows = served.rows;
      found = count <= 20000 ? hits.slice(0, count).sort((a, b) => rows[a] - rows[b]) : hits.slice(0, count);
    }
    if (run !== searchRun) return;
    $("search-count").textContent = W.found(number(found.length));
    list(`${W.results}: ${number(found.length)}`, found, { query, scores });
  } catch (error) { if (run === searchRun) { $("search-count").textContent = ""; trouble(error); } }
}
const box = $("search");
if (served && data.meaning) {
  $("search-by").hidden = false;
  $("search-by").append(make("option", { value: "words" }, W.byWords), make("option", { value: "meaning" }, W.byMeaning));
  $("search-by").onchange = () => { box.placeholder = $("search-by").value === "meaning" ? W.byMeaningHint : W.search; if (box.value) search(box.value); };
}
let typing = 0, composing = false;
box.addEventListener("compositionstart", () => { composing = true; });
box.addEventListener("compositionend", () => { composing = false; later(); });
function later() { clearTimeout(typing); typing = setTimeout(() => search(box.value), n > 50000 ? 250 : 80); }
box.addEventListener("input", () => { if (!composing) later(); });
box.addEventListener("keydown", e => {
  if (e.isComposing || e.keyCode === 229) return; // Enter belongs to the input method now
  if (e.key === "Enter" && found.length) { searchPlace = (searchPlace + (e.shiftKey ? found.length - 1 : 1)) % found.length; show(found[searchPlace], 2); pick(found[searchPlace]); }
  if (e.key === "Escape") { clear(); views[0].overlay.focus(); }
});
