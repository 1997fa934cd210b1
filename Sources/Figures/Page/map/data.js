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
const times = {}; // of the page's opening, for whoever measures it
const reached = name => { times[name] = Math.round(performance.now()); };
async function planes(path) { return new Uint8Array(await new Response((await ask(path)).body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer()); }
let firstContext = null, data = found0, served = null, secondPlaces = null, firstColumn = null;
if (folder) {
  try {
    // All at once; the positions are the larger part, and the drawing is prepared while they come.
    const points = planes("points"), start = ask("start").then(a => a.json());
    reached("script");
    await 0;
    firstContext = makeContext($("points")); // takes a while, and needs no data
    reached("context");
    data = await start;
    reached("start");
    const second = data.second && planes("second");
    if (startColumn() >= 0) firstColumn = ask(`column?number=${startColumn()}`).then(a => a.json());
    firstColumn?.catch(() => {}); // asked for again, and told of, when it is wanted
    const bytes = await points;
    reached("points");
    served = unpack(bytes, data.count);
    if (second) secondPlaces = unpackSecond(await second, data.count);
    reached("decoded");
  } catch (error) { trouble(error); return; }
} else firstContext = makeContext($("points"));
// The column that a served page begins with: that of the address, or the groups, or any but ids and texts.
function startColumn() {
  const wanted = link.get("color") ?? "", shown = data.columns.map((c, place) => ({ ...c, place })).filter(c => c.role !== "text");
  if (wanted !== "") return shown[+wanted]?.place ?? -1;
  return (shown.find(c => c.role === "group") ?? shown.find(c => c.role !== "id"))?.place ?? -1;
}
// Codes of a Morton curve as differences, and row numbers, in planes of bytes.
function unpack(b, n) {
  const x = new Float32Array(n), y = new Float32Array(n), rows = new Uint32Array(n);
  // The even bits of two bytes, the odd ones in the upper half.
  const pairs = new Uint16Array(65536);
  for (let v = 0; v < 65536; v++) { let e = 0, o = 0; for (let k = 0; k < 8; k++) { e |= (v >> 2 * k & 1) << k; o |= (v >> 2 * k + 1 & 1) << k; } pairs[v] = e | o << 8; }
  let code = 0;
  const b1 = b.subarray(n), b2 = b.subarray(2 * n), b3 = b.subarray(3 * n), r0 = b.subarray(4 * n), r1 = b.subarray(5 * n), r2 = b.subarray(6 * n), r3 = b.subarray(7 * n);
  for (let i = 0; i < n; i++) {
    code = code + (b[i] << 24 | b1[i] << 16 | b2[i] << 8 | b3[i]) | 0;
    const low = pairs[code & 65535], high = pairs[code >>> 16];
    x[i] = (low & 255 | (high & 255) << 8) / 65535;
    y[i] = (low >> 8 | high & 65280) / 65535;
    rows[i] = r0[i] << 24 | r1[i] << 16 | r2[i] << 8 | r3[i];
  }
  return { x, y, rows };
}
// Differences of 16 bits from the place before; the last plane says which points the second map has. Others lie far outside of it.
function unpackSecond(b, n) {
  const x = new Float32Array(n).fill(-1000), y = new Float32Array(n).fill(-1000);
  let sx = 0, sy = 0;
  for (let i = 0; i < n; i++) {
    if (!b[4 * n + i]) continue;
    sx = sx + (b[i] << 8 | b[n + i]) & 65535;
    sy = sy + (b[2 * n + i] << 8 | b[3 * n + i]) & 65535;
    x[i] = sx / 65535; y[i] = sy / 65535;
  }
  return { x, y };
}
const n = data.count;
function bytes(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const s = atob(base64), a = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) a[i] = s.charCodeAt(i);
  return a;
}
const floats = s => new Float32Array(bytes(s).buffer);
const neighbors = data.neighbors && new Int32Array(bytes(data.neighbors).buffer);
const neighborCount = data.neighborCount || 0;
