"use strict";
(async () => {
// ---- words ---------------------------------------------------------------------------------------------------------------------
const words = {
  en: {
    search: "Search the sentences", colorBy: "Colour", lasso: "Lasso", lassoHelp: "Draw around points to select them (or Shift + drag)", reset: "Whole map",
    resetHelp: "Show the whole map (0)", zoomIn: "Zoom in (+)", zoomOut: "Zoom out (−)", theme: "Light or dark", help: "Keys and gestures",
    mapLabel: "Map. Arrow keys move the view, Shift and arrow keys go from point to point, plus and minus zoom.",
    noColor: "one colour", found: n => `${n} found`, searching: "searching …", selected: n => `${n} selected`, copy: "Copy", csv: "Save CSV", clear: "Clear", copied: "Copied",
    more: n => `… and ${n} more (all are in the CSV)`, moreFound: n => `… and ${n} more`, row: "row", group: "Group", groups: "Groups", neighborsSpace: "Nearest by vector", neighborsMap: "Nearest on the map",
    hint: "Point at a mark to read its sentence, click it to see its neighbours.",
    all: "All", none: "None", noGroup: "(none)", byWords: "words", byMeaning: "meaning", searchBy: "Search by", byMeaningHint: "what should be meant", tsv: "TSV", xlsx: "Excel", label: "Label of the selection", labelHint: "Saves rows and this label only, for kotonoha vectors label", cosine: "cosine", picture: "PNG", pictureHelp: "Save the view as a picture", drawing: "SVG", from: "from", to: "to", filters: "Filters", noFilters: "Show all points", tooMany: "Too many different values for colours", failed: "The server does not answer", shownOf: (a, b) => `${a} of ${b} points`, loading: "…", histogram: "Histogram", link: "Link", linkHelp: "Copy the address of this view", untitled: "Map of sentences", results: "Found",
    keys: [["drag, arrow keys", "move"], ["wheel, pinch, + −", "zoom"], ["click, Enter", "show a point and its neighbours"], ["Shift + drag", "select with a lasso"], ["Shift + arrow keys", "go from point to point"], ["/", "search; Enter goes through what was found"], ["0", "whole map"], ["Esc", "clear"]],
  },
  ja: {
    search: "文を検索", colorBy: "色分け", lasso: "囲む", lassoHelp: "点を囲んで選択（Shift＋ドラッグでも）", reset: "全体",
    resetHelp: "地図全体を表示 (0)", zoomIn: "拡大 (+)", zoomOut: "縮小 (−)", theme: "明暗の切り替え", help: "操作方法",
    mapLabel: "地図。矢印キーで移動、Shift＋矢印キーで点から点へ、＋と－で拡大縮小。",
    noColor: "単色", found: n => `${n} 件`, searching: "検索中…", selected: n => `選択 ${n} 件`, copy: "コピー", csv: "CSVで保存", clear: "解除", copied: "コピーしました",
    more: n => `…ほか ${n} 件（CSVには全件）`, moreFound: n => `…ほか ${n} 件`, row: "行", group: "グループ", groups: "グループ", neighborsSpace: "ベクトルの近い文", neighborsMap: "地図上で近い文",
    hint: "点に重ねると文が、クリックすると近い文が表示されます。",
    all: "すべて", none: "なし", noGroup: "（なし）", byWords: "語句", byMeaning: "意味", searchBy: "検索方法", byMeaningHint: "近い意味の文を探す", tsv: "TSV", xlsx: "Excel", label: "選択のラベル", labelHint: "行番号とこのラベルだけを保存します。kotonoha vectors label で使えます", cosine: "コサイン", picture: "PNG", pictureHelp: "表示を画像として保存", drawing: "SVG", from: "下限", to: "上限", filters: "絞り込み", noFilters: "すべての点を表示", tooMany: "値の種類が多すぎて色分けできません", failed: "サーバーが応答しません", shownOf: (a, b) => `${b} 点中 ${a} 点`, loading: "…", histogram: "ヒストグラム", link: "リンク", linkHelp: "この表示のアドレスをコピー", untitled: "文の地図", results: "検索結果",
    keys: [["ドラッグ・矢印キー", "移動"], ["ホイール・ピンチ・＋－", "拡大・縮小"], ["クリック・Enter", "点とその近傍を表示"], ["Shift＋ドラッグ", "囲んで選択"], ["Shift＋矢印キー", "点から点へ"], ["/", "検索（Enterで次の結果へ）"], ["0", "全体を表示"], ["Esc", "解除"]],
  },
};
const language = (document.querySelector('meta[name="language"]')?.content || navigator.language || "en").toLowerCase().startsWith("ja") ? "ja" : "en";
const W = words[language];
document.documentElement.lang = language;
const $ = id => document.getElementById(id);
for (const e of document.querySelectorAll("[data-text]")) e.textContent = W[e.dataset.text];
for (const e of document.querySelectorAll("[data-title]")) e.title = W[e.dataset.title];
for (const e of document.querySelectorAll("[data-label]")) e.setAttribute("aria-label", W[e.dataset.label]);
for (const e of document.querySelectorAll("[data-placeholder]")) e.placeholder = W[e.dataset.placeholder];
const number = n => n.toLocaleString(language);
function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (k === "on") for (const [type, f] of Object.entries(v)) e.addEventListener(type, f);
    else if (k === "style") e.style.cssText = v; // an attribute would need a weaker policy of the page
    else if (k in e && typeof v !== "string") e[k] = v;
    else e.setAttribute(k, v);
  }
  e.append(...children);
  return e;
}

// ---- data ----------------------------------------------------------------------------------------------------------------------
const found0 = JSON.parse($("data").textContent), folder = found0.server;
$("data").remove();
// The view that a link restores, and the key of a server that asks for one.
const link = new URLSearchParams(location.hash.slice(1)), key = link.get("key");
async function ask(path, body) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try { answer = await fetch(`${folder}/${path}`, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers }); }
  catch { throw new Error(W.failed); }
  if (answer.ok) return answer;
  let words = answer.statusText;
  try { words = (await answer.json()).error.message; } catch { /* no words of its own */ }
  throw new Error(words);
}
function trouble(error) { $("caption").textContent = error.message; $("announce").textContent = error.message; }
let data = found0, served = null;
if (folder) {
  try {
    // Both at once; the positions are the larger part.
    const points = ask("points").then(a => new Response(a.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
    data = await (await ask("start")).json();
    served = unpack(await points, data.count);
  } catch (error) { trouble(error); return; }
}
// Codes of a Morton curve as differences, and row numbers, in planes of bytes.
function unpack(buffer, n) {
  const b = new Uint8Array(buffer), x = new Float32Array(n), y = new Float32Array(n), rows = new Uint32Array(n);
  const even = new Uint8Array(256);
  for (let v = 0; v < 256; v++) even[v] = (v & 1) | (v >> 1 & 2) | (v >> 2 & 4) | (v >> 3 & 8);
  let code = 0;
  for (let i = 0; i < n; i++) {
    code = code + (b[i] << 24 | b[n + i] << 16 | b[2 * n + i] << 8 | b[3 * n + i]) | 0;
    const c = code >>> 1;
    x[i] = (even[code & 255] | even[code >>> 8 & 255] << 4 | even[code >>> 16 & 255] << 8 | even[code >>> 24] << 12) / 65535;
    y[i] = (even[c & 255] | even[c >>> 8 & 255] << 4 | even[c >>> 16 & 255] << 8 | even[c >>> 24] << 12) / 65535;
    rows[i] = b[4 * n + i] << 24 | b[5 * n + i] << 16 | b[6 * n + i] << 8 | b[7 * n + i];
  }
  return { x, y, rows };
}
const n = data.count;
function bytes(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const s = atob(base64), a = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) a[i] = s.charCodeAt(i);
  return a;
}
const floats = s => new Float32Array(bytes(s).buffer);
const X = served ? served.x : floats(data.x), Y = served ? served.y : floats(data.y); // shares of the map's extent, y downward
const neighbors = data.neighbors && new Int32Array(bytes(data.neighbors).buffer);
const neighborCount = data.neighborCount || 0;
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
  const { name, at, ...rest } = withValues(await (await ask(`column?number=${c.place}`)).json());
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
$("caption").textContent = data.caption || "";

// ---- cells for finding points ----------------------------------------------------------------------------------------------------
const side = Math.max(1, Math.min(1024, Math.ceil(Math.sqrt(n / 3))));
const cellOf = v => Math.min(side - 1, Math.max(0, Math.floor(v * side)));
const cellStart = new Uint32Array(side * side + 1), cellPoints = new Uint32Array(n);
{
  const cell = new Uint32Array(n);
  for (let i = 0; i < n; i++) { cell[i] = cellOf(Y[i]) * side + cellOf(X[i]); cellStart[cell[i] + 1]++; }
  for (let c = 0; c < side * side; c++) cellStart[c + 1] += cellStart[c];
  const next = cellStart.slice(0, -1);
  for (let i = 0; i < n; i++) cellPoints[next[cell[i]]++] = i;
}
function forBox(x0, y0, x1, y1, f) {
  for (let r = cellOf(y0); r <= cellOf(y1); r++) {
    const from = cellStart[r * side + cellOf(x0)], to = cellStart[r * side + cellOf(x1) + 1];
    for (let k = from; k < to; k++) f(cellPoints[k]);
  }
}
// The k nearest visible points of a place, within a radius.
function nearest(x, y, k, radius, except = -1, accept = null) {
  const found = [];
  let reach = Math.min(radius, Math.max(1 / side, Math.sqrt(k / Math.max(n, 1))));
  for (;;) {
    found.length = 0;
    forBox(x - reach, y - reach, x + reach, y + reach, i => {
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

// ---- colours ---------------------------------------------------------------------------------------------------------------------
const palette = data.palette.map(h => [1, 3, 5].map(k => parseInt(h.slice(k, k + 2), 16)));
const ramp = data.ramp.map(h => [1, 3, 5].map(k => parseInt(h.slice(k, k + 2), 16)));
const grey = [165, 165, 165];
const legendLimit = 12;
function rampAt(t) {
  const p = Math.min(Math.max(t, 0), 1) * (ramp.length - 1), k = Math.min(Math.floor(p), ramp.length - 2), f = p - k;
  return ramp[k].map((v, c) => Math.round(v + (ramp[k + 1][c] - v) * f));
}
let dark = matchMedia("(prefers-color-scheme: dark)").matches;
// Black on a dark ground becomes white, and other dark colours lighter.
const shown = c => { if (!dark) return c; const l = .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; const f = l < 90 ? (90 - l) / 90 * .62 + .1 : 0; return c.map(v => Math.round(v + (255 - v) * f)); };
let coloring = null;
const slot = new Uint8Array(n), shape = new Uint8Array(n), hidden = new Uint8Array(n), state = new Uint8Array(n);
let slotColors = [];
let off = new Set(); // names of the legend switched off, as places
// What hides points: of each column the names that are switched off, or the numbers that stay.
const filters = new Map();
let coloringRun = 0;
async function setColoring(column) {
  const run = ++coloringRun;
  if (column && served && !column.values) {
    try { await loadValues(column); } catch (error) { trouble(error); return; }
    if (run !== coloringRun) return;
  }
  if (column && column.kind !== "number" && column.names.length > 5001) { $("caption").textContent = W.tooMany; select.value = String(columns.indexOf(coloring) + 1); return; }
  coloring = column;
  off = filters.get(column)?.off ?? new Set();
  slotColors = [];
  shape.fill(0);
  if (!column) { slot.fill(0); slotColors = [palette[0]]; }
  else if (column.kind === "number") {
    const { low, high } = column, span = high - low || 1;
    for (let i = 0; i < n; i++) { const v = column.values[i]; slot[i] = Number.isNaN(v) ? 255 : Math.max(0, Math.min(254, Math.floor((v - low) / span * 255))); }
    for (let k = 0; k < 255; k++) slotColors[k] = rampAt(k / 254);
    slotColors[255] = grey;
  } else {
    // Place 0 is "no value".
    const few = column.names.length - 1 <= legendLimit;
    for (let i = 0; i < n; i++) {
      const g = column.values[i];
      slot[i] = g === 0 ? 0 : 1 + column.colors[g];
      if (few && g > 0) shape[i] = g - 1;
    }
    slotColors = [grey, ...palette];
  }
  updateHidden();
  drawLegend();
  uploadColors();
}
function updateHidden() {
  if (coloring && coloring.kind !== "number") { if (off.size) filters.set(coloring, { off }); else filters.delete(coloring); }
  hide(hidden, null);
  refreshState();
}
// Marks what the filters reject; those of one column aside, where its histogram is wanted.
function hide(marks, except) {
  marks.fill(0);
  for (const [column, f] of filters) {
    if (column === except) continue;
    const v = column.values;
    if (f.off) { const isOff = Uint8Array.from(column.names, (_, g) => f.off.has(g) ? 1 : 0); for (let i = 0; i < n; i++) if (isOff[v[i]]) marks[i] = 1; }
    else for (let i = 0; i < n; i++) if (!(v[i] >= f.low && v[i] <= f.high)) marks[i] = 1;
  }
}

// ---- view --------------------------------------------------------------------------------------------------------------------------
const stage = $("stage"), overlay = $("overlay"), pen = overlay.getContext("2d");
let width = 1, height = 1, ratio = 1;
let zoom = 1, centerX = .5, centerY = .5; // the map's shares at the middle of the window
const aspect = data.aspect; // width / height of the map's extent
let unit = 1; // pixels for the whole map's width at zoom 1
const toX = x => (x - centerX) * unit * zoom + width / 2;
const toY = y => (y - centerY) * unit / aspect * zoom + height / 2;
const fromX = px => (px - width / 2) / (unit * zoom) + centerX;
const fromY = py => (py - height / 2) / (unit / aspect * zoom) + centerY;
function pointSize() { return Math.min(14, Math.max(1.6, Math.sqrt(.12 * width * height / n))) ** .85 * Math.min(3, Math.max(1, zoom ** .32)); }
function resize() {
  const box = stage.getBoundingClientRect();
  width = Math.max(1, box.width); height = Math.max(1, box.height); ratio = Math.min(window.devicePixelRatio || 1, 2);
  for (const c of [canvas, overlay]) { c.width = Math.round(width * ratio); c.height = Math.round(height * ratio); }
  unit = Math.max(10, Math.min(width - 40, (height - 56) * aspect));
  hover(-1);
  changed();
}
function reset() { zoom = 1; centerX = centerY = .5; changed(true); }
function zoomAt(px, py, factor) {
  const x = fromX(px), y = fromY(py);
  zoom = Math.min(Math.max(zoom * factor, .5), 20000);
  centerX = x - (px - width / 2) / (unit * zoom);
  centerY = y - (py - height / 2) / (unit / aspect * zoom);
  keepInside(); changed(true);
}
function pan(dx, dy) { centerX -= dx / (unit * zoom); centerY -= dy / (unit / aspect * zoom); keepInside(); changed(true); }
function keepInside() { centerX = Math.min(1.1, Math.max(-.1, centerX)); centerY = Math.min(1.1, Math.max(-.1, centerY)); }
function show(i, least = 0) {
  const px = toX(X[i]), py = toY(Y[i]);
  if (zoom < least || px < 30 || py < 30 || px > width - 30 || py > height - 30) { zoom = Math.max(zoom, least); centerX = X[i]; centerY = Y[i]; changed(true); }
}

// ---- points: WebGL, or a plain canvas where there is none --------------------------------------------------------------------------
const canvas = $("points");
const order = new Uint32Array(n); // a fixed shuffle: any beginning of it is a fair sample of the map
{
  for (let i = 0; i < n; i++) order[i] = i;
  let seed = 1;
  for (let i = n - 1; i > 0; i--) {
    seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    const j = (seed >>> 0) % (i + 1), t = order[i]; order[i] = order[j]; order[j] = t;
  }
}
let budget = Math.min(n, 300000); // points a moving picture may have; follows the machine's speed
let highlighted = new Uint32Array(0), isDimmed = false;
const painter = makeGL() || makeCanvas();
function makeGL() {
  const wanted = { antialias: false, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true }, second = canvas.getContext("webgl2", wanted);
  const gl = second || canvas.getContext("webgl", wanted);
  if (!gl) return null;
  const vertex = `
    attribute vec2 place; attribute vec3 look;
    uniform vec2 scale, shift; uniform float size, dim; uniform sampler2D colors;
    varying vec4 color; varying float form; varying float soft;
    void main() {
      float isHidden = mod(look.z, 2.0), isLit = step(2.0, look.z);
      gl_Position = isHidden > 0.5 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(place * scale + shift, 0.0, 1.0);
      gl_PointSize = size * (1.0 + 0.35 * isLit * dim);
      soft = 1.2 / gl_PointSize;
      color = vec4(texture2D(colors, vec2((look.x + 0.5) / 256.0, 0.5)).rgb, mix(1.0, 0.13, dim * (1.0 - isLit)));
      form = look.y;
    }`;
  const fragment = `
    precision mediump float;
    varying vec4 color; varying float form; varying float soft; uniform float opacity, plain;
    float box(vec2 p, vec2 b) { vec2 d = abs(p) - b; return max(d.x, d.y); }
    float tri(vec2 p) { return max(abs(p.x) * 0.866 + p.y * 0.5, -p.y) - 0.52; }
    float dia(vec2 p) { return (abs(p.x) * 1.25 + abs(p.y) - 0.98) * 0.8; }
    float plus(vec2 p) { return min(box(p, vec2(0.26, 0.85)), box(p, vec2(0.85, 0.26))); }
    void main() {
      // Marks of two or three pixels have no form to draw.
      if (plain > 0.5) { float o = color.a * opacity * 0.8; gl_FragColor = vec4(color.rgb * o, o); return; }
      vec2 p = (gl_PointCoord - 0.5) * 2.0 * 1.05;
      vec2 u = vec2(p.x, -p.y);
      float d;
      if (form < 0.5) d = length(p) - 0.8;
      else if (form < 1.5) d = box(p, vec2(0.7));
      else if (form < 2.5) d = tri(vec2(u.x, u.y + 0.15));
      else if (form < 3.5) d = dia(p);
      else if (form < 4.5) d = tri(vec2(u.x, 0.15 - u.y));
      else if (form < 5.5) d = plus(p);
      else if (form < 6.5) d = plus(vec2(p.x - p.y, p.x + p.y) * 0.7071);
      else if (form < 7.5) { float a = atan(p.x, u.y); float s = abs(mod(a * 0.7957747 + 0.5, 1.0) - 0.5) * 2.0; d = length(p) - mix(0.98, 0.45, s); }
      else if (form < 8.5) d = abs(length(p) - 0.68) - 0.17;
      else if (form < 9.5) d = abs(box(p, vec2(0.62))) - 0.15;
      else if (form < 10.5) d = abs(tri(vec2(u.x, u.y + 0.15)) + 0.04) - 0.13;
      else d = abs(dia(p) + 0.05) - 0.17;
      float a = (1.0 - smoothstep(-soft, soft, d)) * color.a * opacity;
      if (a < 0.01) discard;
      gl_FragColor = vec4(color.rgb * a, a);
    }`;
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const s = gl.createShader(type);
    gl.shaderSource(s, source); gl.compileShader(s);
    if (!gl.getShaderParameter(s, gl.COMPILE_STATUS)) { console.error(gl.getShaderInfoLog(s)); return null; }
    gl.attachShader(program, s);
  }
  gl.bindAttribLocation(program, 0, "place"); gl.bindAttribLocation(program, 1, "look");
  gl.linkProgram(program);
  gl.useProgram(program);
  const at = Object.fromEntries(["scale", "shift", "size", "dim", "colors", "opacity", "plain"].map(u => [u, gl.getUniformLocation(program, u)]));
  const places = gl.createBuffer(), looks = gl.createBuffer(), lit = gl.createBuffer();
  const rank = new Uint32Array(n);
  const packed = new Float32Array(2 * n), look = new Uint8Array(4 * n);
  for (let k = 0; k < n; k++) { rank[order[k]] = k; packed[2 * k] = X[order[k]] - .5; packed[2 * k + 1] = Y[order[k]] - .5; }
  gl.bindBuffer(gl.ARRAY_BUFFER, places); gl.bufferData(gl.ARRAY_BUFFER, packed, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0); gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, looks); gl.bufferData(gl.ARRAY_BUFFER, look, gl.DYNAMIC_DRAW);
  gl.enableVertexAttribArray(1); gl.vertexAttribPointer(1, 3, gl.UNSIGNED_BYTE, false, 4, 0);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  for (const [k, v] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, k, v);
  gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const canIndex = second || gl.getExtension("OES_element_index_uint");
  return {
    kind: "webgl",
    looks() {
      for (let k = 0; k < n; k++) { const i = order[k]; look[4 * k] = slot[i]; look[4 * k + 1] = shape[i]; look[4 * k + 2] = state[i]; }
      gl.bindBuffer(gl.ARRAY_BUFFER, looks); gl.bufferSubData(gl.ARRAY_BUFFER, 0, look);
      if (canIndex) { gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, lit); gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, highlighted.map(i => rank[i]), gl.DYNAMIC_DRAW); }
    },
    colors() {
      const t = new Uint8Array(256 * 4);
      for (let k = 0; k < 256; k++) { const c = shown(slotColors[k] || grey); t.set([c[0], c[1], c[2], 255], 4 * k); }
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, t);
    },
    // Draws the points of the sample from one place to another; the first part clears, the last one puts highlighted points on top.
    draw(from, to, isWhole) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      if (from === 0) { gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT); }
      gl.uniform2f(at.scale, 2 * unit * zoom / width, -2 * unit / aspect * zoom / height);
      gl.uniform2f(at.shift, 2 * unit * zoom * (.5 - centerX) / width, -2 * unit / aspect * zoom * (.5 - centerY) / height);
      const size = (pointSize() + 1) * 1.3 * ratio * (isWhole ? 1 : Math.min(1.6, Math.sqrt(n / to)));
      const isPlain = size < 4.5;
      gl.uniform1f(at.size, isPlain ? size * .72 : size);
      gl.uniform1f(at.plain, isPlain ? 1 : 0);
      gl.uniform1f(at.dim, isDimmed ? 1 : 0);
      gl.uniform1f(at.opacity, n > 20000 ? .7 : .92);
      gl.drawArrays(gl.POINTS, from, to - from);
      if ((to === n || !isWhole) && isDimmed && canIndex && highlighted.length) gl.drawElements(gl.POINTS, highlighted.length, gl.UNSIGNED_INT, 0);
    },
    finish() { const p = new Uint8Array(4); gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, p); },
  };
}
function makeCanvas() {
  const c = canvas.getContext("2d");
  let sprites = new Map();
  return {
    kind: "canvas", looks() {}, colors() { sprites = new Map(); }, finish() {},
    draw(from, to, isWhole) {
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (from === 0) c.clearRect(0, 0, width, height);
      const size = pointSize() + 1, half = Math.ceil(size) + 1;
      sprites = new Map();
      const paint = i => {
        if (hidden[i]) return;
        const px = toX(X[i]), py = toY(Y[i]);
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
const css = c => { const s = shown(c); return `rgb(${s[0]} ${s[1]} ${s[2]})`; };
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
function uploadColors() { painter.looks(); painter.colors(); changed(); }
function refreshState() {
  state.set(hidden);
  for (const i of highlighted) if (!hidden[i]) state[i] = 2;
}

// ---- frames ------------------------------------------------------------------------------------------------------------------------
let scheduled = false, requested = 0, moving = 0, settle = 0, drawn = 0, wholeAt = 0;
const frames = [];
function changed(isMoving = false) {
  if (isMoving) { moving = performance.now(); clearTimeout(settle); settle = setTimeout(() => { moving = 0; changed(); }, 160); }
  drawn = 0;
  schedule();
}
function schedule() { if (!scheduled) { scheduled = true; requested = performance.now(); requestAnimationFrame(frame); } }
function frame() {
  scheduled = false;
  const started = performance.now(), isMoving = moving > 0;
  if (isMoving) painter.draw(0, Math.min(n, budget), budget >= n);
  else if (drawn < n) {
    // At rest all points appear, on a slow machine part by part, so that it still answers.
    const to = Math.min(n, drawn + Math.max(budget, 50000));
    painter.draw(drawn, to, true);
    drawn = to;
    if (drawn < n) schedule();
    else if (!wholeAt) { painter.finish(); wholeAt = performance.now(); }
  }
  drawOverlay();
  if (isMoving) {
    // A busy graphics card calls for frames late: the wait tells what the machine can draw, and the sample shrinks and grows with it.
    const spent = Math.max(performance.now() - started, started - requested);
    frames.push(spent); if (frames.length > 240) frames.shift();
    if (spent > 34) budget = Math.max(20000, Math.floor(budget * (spent > 100 ? .4 : .7))); else if (spent < 20) budget = Math.min(n, Math.ceil(budget * 1.1));
  }
}

// ---- what lies over the points -------------------------------------------------------------------------------------------------------
let hovered = -1, current = -1, currentNeighbors = [], lassoPath = null;
let middles = null;
function groupMiddles(column) {
  if (column.middles) return column.middles;
  const lists = column.names.map(() => []);
  for (let i = 0; i < n; i++) { const g = column.values[i]; if (g) lists[g].push(i); }
  const median = (list, axis) => { const v = Float32Array.from(list, i => axis[i]).sort(); return v[v.length >> 1]; };
  const reach = (list, y) => Float32Array.from(list, i => Math.abs(Y[i] - y)).sort()[Math.floor(list.length * .9)];
  return column.middles = lists.map((list, g) => { const y = list.length ? median(list, Y) : 0; return { g, size: list.length, x: list.length ? median(list, X) : 0, y, reach: list.length ? reach(list, y) : 0 }; }).slice(1).filter(m => m.size).sort((a, b) => b.size - a.size);
}
function drawOverlay() {
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink"), paper = style.getPropertyValue("--paper"), accent = style.getPropertyValue("--accent");
  const r = Math.max(5, pointSize() / 2 + 3);
  if (coloring && coloring.kind !== "number" && coloring.names.length - 1 > legendLimit) {
    // Names at the middle of their groups, the biggest first, as many as there is room for.
    pen.font = "600 12px system-ui, 'Noto Sans JP', 'Noto Sans CJK JP', sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
    const taken = [];
    for (const m of groupMiddles(coloring)) {
      if (off.has(m.g)) continue;
      // Above a small group, inside a large one.
      const px = toX(m.x), half = m.reach * unit / aspect * zoom, py = toY(m.y) - (half < 22 ? half + pointSize() / 2 + 10 : 0);
      if (px < 0 || py < 0 || px > width || py > height) continue;
      const name = coloring.names[m.g], w = (m.width ??= pen.measureText(name).width) / 2 + 3;
      if (px - w < 0 || px + w > width || taken.some(t => Math.abs(t[0] - px) < t[2] + w && Math.abs(t[1] - py) < 16)) continue;
      taken.push([px, py, w]);
      pen.lineWidth = 3.5; pen.strokeStyle = paper; pen.strokeText(name, px, py);
      pen.fillStyle = ink; pen.fillText(name, px, py);
      if (taken.length > 250) break;
    }
  }
  if (current >= 0) {
    pen.strokeStyle = accent; pen.lineWidth = 1;
    pen.beginPath();
    for (const j of currentNeighbors) { pen.moveTo(toX(X[current]), toY(Y[current])); pen.lineTo(toX(X[j]), toY(Y[j])); }
    pen.globalAlpha = .55; pen.stroke(); pen.globalAlpha = 1;
    for (const j of currentNeighbors) ring(j, r, accent, 1.2);
    ring(current, r + 1.5, accent, 2.5);
  }
  if (hovered >= 0 && hovered !== current) ring(hovered, r, ink, 1.8);
  if (lassoPath && lassoPath.length > 1) {
    pen.beginPath(); lassoPath.forEach(([x, y], k) => k ? pen.lineTo(x, y) : pen.moveTo(x, y)); pen.closePath();
    pen.strokeStyle = accent; pen.lineWidth = 1.5; pen.setLineDash([5, 4]); pen.stroke(); pen.setLineDash([]);
    pen.globalAlpha = .1; pen.fillStyle = accent; pen.fill(); pen.globalAlpha = 1;
  }
}
function ring(i, r, color, line) { pen.beginPath(); pen.arc(toX(X[i]), toY(Y[i]), r, 0, 7); pen.strokeStyle = color; pen.lineWidth = line; pen.stroke(); }

const tooltip = $("tooltip");
function hover(i, px, py) {
  if (i === hovered && i < 0) return;
  const isNew = i !== hovered;
  hovered = i;
  if (i < 0) tooltip.hidden = true;
  else {
    if (isNew) tooltip.replaceChildren(make("div", {}, describe(i)), make("div", { class: "meta" }, meta(i)));
    tooltip.hidden = false;
    const w = tooltip.offsetWidth, h = tooltip.offsetHeight;
    tooltip.style.left = `${Math.max(4, Math.min(px + 14, width - w - 4))}px`;
    tooltip.style.top = `${Math.max(4, py + 18 + h > height ? py - h - 12 : py + 18)}px`;
  }
  if (isNew) schedule();
}
function pointAt(px, py, reach = 9) {
  const x = fromX(px), y = fromY(py), rx = (reach + pointSize() / 2) / (unit * zoom);
  let best = -1, bestDistance = Infinity;
  forBox(x - rx, y - rx * aspect, x + rx, y + rx * aspect, i => {
    if (hidden[i] || (isDimmed && state[i] !== 2)) return;
    const d = ((X[i] - x) * unit) ** 2 + ((Y[i] - y) * unit / aspect) ** 2;
    if (d < bestDistance) { bestDistance = d; best = i; }
  });
  return best >= 0 && Math.sqrt(bestDistance) * zoom <= reach + pointSize() / 2 ? best : -1;
}
function neighborsOf(i) {
  if (!neighbors) return nearestOnMap(i, 10);
  const list = [];
  for (let k = 0; k < neighborCount; k++) { const j = neighbors[i * neighborCount + k]; if (j >= 0) list.push(j); }
  return list;
}
function nearestOnMap(i, k) {
  // Distances count as they look, so the shares of a wide map are not equal.
  const near = nearest(X[i], Y[i], k * 4, 1.5, i);
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
  changed();
}
// The cells of a block have come: whatever waits for one of its rows is drawn again.
function arrived(b) {
  const isOf = i => Math.floor(i / blockSize) === b;
  if (hovered >= 0 && isOf(hovered) && !tooltip.hidden) tooltip.replaceChildren(make("div", {}, describe(hovered)), make("div", { class: "meta" }, meta(hovered)));
  if (current >= 0 && (isOf(current) || currentNeighbors.some(isOf))) drawCurrent(isOf(current));
  for (const e of $("list").querySelectorAll("button.row")) if (isOf(+e.dataset.point)) e.replaceWith(rowButton(+e.dataset.point, listed.query, listed.scores?.get(+e.dataset.point)));
}
function rowButton(i, query, score) {
  const b = make("button", { class: "row", "data-point": String(i), on: { click: () => { show(i); pick(i); }, mouseenter: () => { hovered = i; changed(); }, mouseleave: () => { hovered = -1; changed(); } } });
  b.append(...marked(describe(i), query));
  const group = groupColumn ? groupColumn.at(i) : "";
  const small = [group, score === undefined ? "" : `${W.cosine} ${score.toFixed(3)}`].filter(Boolean).join(" · ");
  if (small) b.append(make("div", { class: "meta" }, small));
  return b;
}

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
  const setAll = on => { off = on ? new Set() : new Set(column.names.keys()); updateHidden(); painter.looks(); for (const b of list.querySelectorAll("button")) b.setAttribute("aria-pressed", String(on)); hover(-1); changed(); };
  // A list of a hundred thousand names helps nobody.
  [...column.names.keys()].slice(1, 2001).concat(counts[0] ? [0] : []).forEach(g => {
    const c = make("canvas", { width: 32, height: 32 });
    const color = g ? palette[column.colors[g]] : grey;
    drawShape(c.getContext("2d"), 16, 16, 19, few && g ? g - 1 : 0, css(color));
    const b = make("button", { class: "entry", "aria-pressed": String(!off.has(g)), on: { click: () => {
      if (off.has(g)) off.delete(g); else off.add(g);
      b.setAttribute("aria-pressed", String(!off.has(g)));
      updateHidden(); painter.looks(); hover(-1); changed();
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
      updateHidden(); painter.looks(); hover(-1); changed(); drawLegend();
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
    make("div", { class: "buttons" }, make("button", { on: { click: () => { filters.clear(); off = new Set(); updateHidden(); painter.looks(); changed(); drawLegend(); } } }, W.noFilters))];
}

// ---- selection, search, list ------------------------------------------------------------------------------------------------------------
let listed = null; // { title, indices, query }
function list(title, indices, options = {}) {
  listed = { title, indices, query: options.query, scores: options.scores };
  const panel = $("list");
  panel.hidden = !title;
  highlighted = Uint32Array.from(indices);
  isDimmed = Boolean(title);
  refreshState(); painter.looks(); changed();
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
    const row = [rowNumber(i), +(xs[0] + X[i] * xs[2]).toPrecision(7), +(xs[1] + (1 - Y[i]) * xs[3]).toPrecision(7), ...columns.map(c => c.at(i))];
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
  if (e.key === "Escape") { clear(); overlay.focus(); }
});

// ---- pointer -----------------------------------------------------------------------------------------------------------------------
const pointers = new Map();
let mode = null, pressed = null, pinch = 0, lassoMode = false;
const local = e => { const b = overlay.getBoundingClientRect(); return [e.clientX - b.left, e.clientY - b.top]; };
function setLasso(on) { lassoMode = on; $("lasso").setAttribute("aria-pressed", String(on)); overlay.classList.toggle("lasso", on); }
overlay.addEventListener("pointerdown", e => {
  if (e.button > 0) return;
  overlay.setPointerCapture?.(e.pointerId);
  pointers.set(e.pointerId, local(e));
  if (pointers.size === 1) {
    pressed = local(e);
    mode = lassoMode || e.shiftKey ? "lasso" : "press";
    if (mode === "lasso") lassoPath = [pressed];
  } else if (pointers.size === 2) {
    mode = "pinch"; lassoPath = null;
    const [a, b] = [...pointers.values()]; pinch = Math.hypot(a[0] - b[0], a[1] - b[1]);
  }
});
overlay.addEventListener("pointermove", e => {
  const p = local(e);
  if (!pointers.has(e.pointerId)) { hover(pointAt(...p), ...p); return; }
  const before = pointers.get(e.pointerId);
  if (mode === "pinch" && pointers.size === 2) {
    const [a0, b0] = [...pointers.values()];
    pointers.set(e.pointerId, p);
    const [a, b] = [...pointers.values()], d = Math.hypot(a[0] - b[0], a[1] - b[1]);
    pan((a[0] + b[0] - a0[0] - b0[0]) / 2, (a[1] + b[1] - a0[1] - b0[1]) / 2);
    if (pinch > 0 && d > 0) zoomAt((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, d / pinch);
    pinch = d;
    return;
  }
  pointers.set(e.pointerId, p);
  if (mode === "lasso") { const last = lassoPath[lassoPath.length - 1]; if (Math.hypot(p[0] - last[0], p[1] - last[1]) > 2) { lassoPath.push(p); changed(); } return; }
  if (mode === "press" && Math.hypot(p[0] - pressed[0], p[1] - pressed[1]) > 4) { mode = "pan"; overlay.classList.add("dragging"); hover(-1); }
  if (mode === "pan") pan(p[0] - before[0], p[1] - before[1]);
});
function release(e) {
  if (!pointers.delete(e.pointerId)) return;
  if (mode === "press" && e.type === "pointerup") { const p = local(e), i = pointAt(...p, e.pointerType === "touch" ? 20 : 9); pick(i); if (i >= 0 && e.pointerType === "touch") hover(i, ...p); }
  if (mode === "lasso" && lassoPath) { const path = lassoPath; lassoPath = null; if (e.type === "pointerup" && path.length > 2) selectInside(path); if (lassoMode) setLasso(false); changed(); }
  if (pointers.size === 0) { mode = null; overlay.classList.remove("dragging"); } else if (mode === "pinch") mode = "pan";
}
overlay.addEventListener("pointerup", release);
overlay.addEventListener("pointercancel", release);
overlay.addEventListener("pointerleave", () => { if (!pointers.size) hover(-1); });
overlay.addEventListener("wheel", e => {
  e.preventDefault();
  const step = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1;
  zoomAt(...local(e), Math.exp(-Math.max(-240, Math.min(240, e.deltaY * step)) * (e.ctrlKey ? .01 : .002)));
  const p = local(e); hover(pointAt(...p), ...p);
}, { passive: false });
overlay.addEventListener("dblclick", e => zoomAt(...local(e), 2));
function selectInside(path) {
  const polygon = path.map(([px, py]) => [fromX(px), fromY(py)]);
  const xs = polygon.map(p => p[0]), ys = polygon.map(p => p[1]);
  // The edges that can matter for a point are those of its band.
  const low = Math.min(...ys), high = Math.max(...ys), bandCount = 256, bandOf = y => Math.max(0, Math.min(bandCount - 1, Math.floor((y - low) / (high - low || 1) * bandCount)));
  const bands = Array.from({ length: bandCount }, () => []);
  for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
    const [ax, ay] = polygon[a], [bx, by] = polygon[b];
    for (let k = bandOf(Math.min(ay, by)); k <= bandOf(Math.max(ay, by)); k++) bands[k].push(ax, ay, bx, by);
  }
  const edges = bands.map(list => Float64Array.from(list)), hits = new Uint32Array(n);
  let count = 0;
  forBox(Math.min(...xs), low, Math.max(...xs), high, i => {
    const x = X[i], y = Y[i];
    if (hidden[i] || y < low || y > high) return;
    const e = edges[bandOf(y)];
    let odd = false;
    for (let k = 0; k < e.length; k += 4) if ((e[k + 1] > y) !== (e[k + 3] > y) && x < (e[k + 2] - e[k]) * (y - e[k + 1]) / (e[k + 3] - e[k + 1]) + e[k]) odd = !odd;
    if (odd) hits[count++] = i;
  });
  const inside = hits.slice(0, count).sort();
  if (inside.length) { box.value = ""; $("search-count").textContent = ""; searchRun++; list(W.selected(number(inside.length)), inside); } else list(null, []);
}

// ---- keys and buttons --------------------------------------------------------------------------------------------------------------
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function step(dx, dy) {
  if (current < 0) { const i = nearest(centerX, centerY, 1, 2)[0]; if (i !== undefined) { show(i); pick(i); } return; }
  const x = X[current], y = Y[current], i0 = current;
  // Points within 45 degrees of the arrow's direction, the nearest of them.
  const i = nearest(x, y, 1, 2, i0, j => { const ax = (X[j] - x) * aspect, ay = Y[j] - y; return ax * dx + ay * dy > 0 && Math.abs(ax * dy - ay * dx) <= Math.abs(ax * dx + ay * dy); })[0];
  if (i !== undefined) { show(i); pick(i); }
}
overlay.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const a = arrows[e.key];
  if (a) { if (e.shiftKey) step(...a); else pan(-a[0] * 60, -a[1] * 60); }
  else if (e.key === "+" || e.key === "=" || e.key === ";") zoomAt(width / 2, height / 2, 1.3);
  else if (e.key === "-") zoomAt(width / 2, height / 2, 1 / 1.3);
  else if (e.key === "0") reset();
  else if (e.key === "Escape") { if (lassoPath) { lassoPath = null; mode = null; changed(); } else clear(); }
  else if (e.key === "Enter" || e.key === " ") { const i = hovered >= 0 ? hovered : pointAt(width / 2, height / 2, Math.max(width, height)); if (i >= 0) pick(i); }
  else return;
  e.preventDefault();
});
document.addEventListener("keydown", e => {
  if (e.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) { e.preventDefault(); box.focus(); box.select(); }
});
$("zoom-in").onclick = () => zoomAt(width / 2, height / 2, 1.5);
$("zoom-out").onclick = () => zoomAt(width / 2, height / 2, 1 / 1.5);
$("reset").onclick = reset;
$("lasso").onclick = () => setLasso(!lassoMode);
function setTheme(isDark) { dark = isDark; document.documentElement.classList.toggle("dark", dark); painter.colors(); drawLegend(); changed(); }
$("theme").onclick = () => setTheme(!dark);
$("help-button").onclick = () => { const h = $("help"); h.hidden = !h.hidden; $("help-button").setAttribute("aria-expanded", String(!h.hidden)); };
$("help").append(make("dl", {}, ...W.keys.flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, v)])));
const select = $("color-by");
[null, ...columns].forEach((c, k) => { if (!c?.isID && (!c || served || c.kind === "number" || c.names.length <= 5001)) select.append(make("option", { value: String(k) }, c ? (c.isGroup ? (c.name || W.group) : c.name) : W.noColor)); });
select.onchange = () => setColoring(columns[+select.value - 1] || null);
if (select.options.length < 2) select.parentElement.hidden = true;
const first = served ? columns[(link.get("color") ?? "") === "" ? columns.indexOf(groupColumn ?? columns.find(c => !c.isID)) : +link.get("color")] || null : groupColumn && groupColumn.names.length <= 5001 ? groupColumn : columns.find(c => !c.isID && (c.kind === "number" || c.names.length <= 5001)) || null;
select.value = String(columns.indexOf(first) + 1);
document.documentElement.classList.toggle("dark", dark);
if (served) setColoring(null);
setColoring(first);
new ResizeObserver(resize).observe(stage);
canvas.addEventListener("webglcontextlost", e => e.preventDefault());
canvas.addEventListener("webglcontextrestored", () => location.reload());
resize();

// ---- the address restores the view ---------------------------------------------------------------------------------------------------
function remember() {
  const view = new URLSearchParams();
  if (key) view.set("key", key);
  view.set("x", centerX.toFixed(5)); view.set("y", centerY.toFixed(5)); view.set("zoom", zoom.toPrecision(5));
  view.set("color", String(columns.indexOf(coloring)));
  if (current >= 0) view.set("row", String(rowNumber(current)));
  if (box.value) view.set("q", box.value);
  if (served && data.meaning && $("search-by").value === "meaning") view.set("by", "meaning");
  try { history.replaceState(null, "", "#" + view); } catch { /* a page from the disk may not */ }
}
if (link.has("zoom")) {
  const [x, y, z] = ["x", "y", "zoom"].map(k => +link.get(k));
  if ([x, y, z].every(Number.isFinite) && z > 0) { centerX = x; centerY = y; zoom = Math.min(Math.max(z, .5), 20000); keepInside(); changed(); }
}
if (link.get("by") === "meaning" && served && data.meaning) $("search-by").value = "meaning";
if (link.get("q")) { box.value = link.get("q"); search(box.value); }
if (link.has("row")) { const wanted = +link.get("row"); for (let i = 0; i < n; i++) if (rowNumber(i) === wanted) { pick(i, false); break; } }
setInterval(remember, 1000);
$("link").onclick = async () => { remember(); await copy(location.href); $("announce").textContent = W.copied; };

// ---- pictures of the view --------------------------------------------------------------------------------------------------------------
function composed() {
  const c = make("canvas", { width: canvas.width, height: canvas.height }), k = c.getContext("2d");
  k.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--paper"); k.fillRect(0, 0, c.width, c.height);
  painter.draw(0, n, true); painter.finish();
  k.drawImage(canvas, 0, 0); k.drawImage(overlay, 0, 0);
  return c;
}
$("png").onclick = () => composed().toBlob(b => save("map.png", b), "image/png");
// Up to 50,000 points in view as shapes that a drawing program edits, more of them as a picture within the drawing.
$("svg").onclick = () => {
  const seen = [];
  for (let k = 0; k < n && seen.length <= 50000; k++) { const i = order[k], px = toX(X[i]), py = toY(Y[i]); if (!hidden[i] && px >= 0 && py >= 0 && px <= width && py <= height) seen.push(i); }
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim(), r = ((pointSize() + 1) / 2).toFixed(2);
  const inner = seen.length <= 50000 ? seen.map(i => `<circle cx="${toX(X[i]).toFixed(2)}" cy="${toY(Y[i]).toFixed(2)}" r="${r}" fill="${css(slotColors[slot[i]] || grey)}" fill-opacity="${isDimmed && state[i] !== 2 ? .13 : .85}"/>`).join("\n")
    : `<image width="${width}" height="${height}" href="${composed().toDataURL("image/png")}"/>`;
  const t = document.createElement("template");
  t.innerHTML = "<svg></svg>";
  save("map.svg", `<svg xmlns="${t.content.firstChild.namespaceURI}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${paper}"/>\n${inner}\n</svg>\n`, "image/svg+xml");
};

// For tests: where a point is in the window, and what the page knows.
window.kotonohaMap = {
  count: n, renderer: painter.kind, place: i => { const b = overlay.getBoundingClientRect(); return [toX(X[i]) + b.left, toY(Y[i]) + b.top]; },
  get hovered() { return hovered; }, get current() { return current; }, get neighbors() { return currentNeighbors; }, get zoom() { return zoom; }, get listed() { return listed ? Array.from(listed.indices) : []; }, row: rowNumber, search, pick, pointAt, lasso: selectInside, exported, get scores() { return scores; }, get wholeAt() { return wholeAt; }, get isWhole() { return drawn >= n; }, setView(x, y, z) { centerX = x; centerY = y; zoom = z; changed(true); },
  get budget() { return budget; }, frames, csv, fold,
  timeFull(k) { const t = performance.now(); for (let i = 0; i < k; i++) { zoom *= 1.01; painter.draw(0, n, true); painter.finish(); } return (performance.now() - t) / k; },
};
})();
