// ---- the sample that is drawn while the view moves -------------------------------------------------------------------------------
// An order of the points of which any beginning, in whole strides, is a fair sample of the map.
const order = new Uint32Array(n);
let rank = null; // the place of each point in that order; made when points are highlighted
// Served points follow a curve through the map, so every 64th of them is spread over all of it.
const strides = served ? 64 : 1;
if (served) {
  let k = 0;
  for (let turn = 0; turn < strides; turn++) {
    let first = 0;
    for (let bit = 0; bit < 6; bit++) first |= (turn >> bit & 1) << 5 - bit;
    for (let i = first; i < n; i += strides) order[k++] = i;
  }
} else {
  // Rows of a file may be in any order, so they are shuffled, always alike.
  for (let i = 0; i < n; i++) order[i] = i;
  let seed = 1;
  for (let i = n - 1; i > 0; i--) {
    seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    const j = (seed >>> 0) % (i + 1), t = order[i]; order[i] = order[j]; order[j] = t;
  }
}
function rankPoints() {
  if (rank) return;
  rank = new Uint32Array(n);
  for (let k = 0; k < n; k++) rank[order[k]] = k;
}
let budget = Math.min(n, 300000); // points a moving picture may have; follows the machine's speed
// So many points of the beginning, in whole strides.
function sampled(wanted) { const whole = Math.ceil(n / strides); return Math.min(n, strides > 1 ? Math.max(1, Math.floor(wanted / whole)) * whole : wanted); }
