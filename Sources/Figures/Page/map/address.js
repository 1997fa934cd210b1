// ---- the address restores the view ---------------------------------------------------------------------------------------------------
const placeNames = [["x", "y", "zoom"], ["x2", "y2", "zoom2"]]; // of the first and the second map
function remember() {
  const address = new URLSearchParams();
  if (key) address.set("key", key);
  views.forEach((v, k) => { const [x, y, zoom] = placeNames[k]; address.set(x, v.centerX.toFixed(5)); address.set(y, v.centerY.toFixed(5)); address.set(zoom, v.zoom.toPrecision(5)); });
  address.set("color", String(columns.indexOf(coloring)));
  if (current >= 0) address.set("row", String(rowNumber(current)));
  if (box.value) address.set("q", box.value);
  if (served && data.meaning && $("search-by").value === "meaning") address.set("by", "meaning");
  if (showsHills !== hillsAtFirst) address.set("hills", showsHills ? "1" : "0");
  try { history.replaceState(null, "", "#" + address); } catch { /* a page from the disk may not */ }
}
const hillsAtFirst = showsHills;
views.forEach((v, k) => {
  if (!link.has(placeNames[k][2])) return;
  const [x, y, z] = placeNames[k].map(name => +link.get(name));
  if ([x, y, z].every(Number.isFinite) && z > 0) v.setView(x, y, z);
});
if (link.has("hills")) setHills(link.get("hills") === "1");
if (link.get("by") === "meaning" && served && data.meaning) $("search-by").value = "meaning";
if (link.get("q")) { box.value = link.get("q"); search(box.value); }
if (link.has("row")) { const wanted = +link.get("row"); for (let i = 0; i < n; i++) if (rowNumber(i) === wanted) { pick(i, false); break; } }
setInterval(remember, 1000);
$("link").onclick = async () => { remember(); await copy(location.href); $("announce").textContent = W.copied; };
