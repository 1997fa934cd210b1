// ---- pointer -----------------------------------------------------------------------------------------------------------------------
let lassoMode = false;
function setLasso(on) { lassoMode = on; $("lasso").setAttribute("aria-pressed", String(on)); for (const v of views) v.overlay.classList.toggle("lasso", on); }
function follow(view) {
  const { overlay } = view, pointers = new Map();
  let mode = null, pressed = null, pinch = 0;
  const local = e => { const b = overlay.getBoundingClientRect(); return [e.clientX - b.left, e.clientY - b.top]; };
  const point = p => hover(view.pointAt(...p), ...p, view);
  overlay.addEventListener("pointerdown", e => {
    if (e.button > 0) return;
    overlay.setPointerCapture?.(e.pointerId);
    pointers.set(e.pointerId, local(e));
    if (pointers.size === 1) {
      pressed = local(e);
      mode = lassoMode || e.shiftKey ? "lasso" : "press";
      if (mode === "lasso") view.lassoPath = [pressed];
    } else if (pointers.size === 2) {
      mode = "pinch"; view.lassoPath = null;
      const [a, b] = [...pointers.values()]; pinch = Math.hypot(a[0] - b[0], a[1] - b[1]);
    }
  });
  overlay.addEventListener("pointermove", e => {
    const p = local(e);
    if (!pointers.has(e.pointerId)) { point(p); return; }
    const before = pointers.get(e.pointerId);
    if (mode === "pinch" && pointers.size === 2) {
      const [a0, b0] = [...pointers.values()];
      pointers.set(e.pointerId, p);
      const [a, b] = [...pointers.values()], d = Math.hypot(a[0] - b[0], a[1] - b[1]);
      view.pan((a[0] + b[0] - a0[0] - b0[0]) / 2, (a[1] + b[1] - a0[1] - b0[1]) / 2);
      if (pinch > 0 && d > 0) view.zoomAt((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, d / pinch);
      pinch = d;
      return;
    }
    pointers.set(e.pointerId, p);
    if (mode === "lasso" && view.lassoPath) { const last = view.lassoPath[view.lassoPath.length - 1]; if (Math.hypot(p[0] - last[0], p[1] - last[1]) > 2) { view.lassoPath.push(p); schedule(); } return; }
    if (mode === "press" && Math.hypot(p[0] - pressed[0], p[1] - pressed[1]) > 4) { mode = "pan"; overlay.classList.add("dragging"); hover(-1); }
    if (mode === "pan") view.pan(p[0] - before[0], p[1] - before[1]);
  });
  function release(e) {
    if (!pointers.delete(e.pointerId)) return;
    if (mode === "press" && e.type === "pointerup") { const p = local(e), i = view.pointAt(...p, e.pointerType === "touch" ? 20 : 9); pick(i); if (i >= 0 && e.pointerType === "touch") hover(i, ...p, view); }
    if (mode === "lasso" && view.lassoPath) { const path = view.lassoPath; view.lassoPath = null; if (e.type === "pointerup" && path.length > 2) select(view, path); if (lassoMode) setLasso(false); schedule(); }
    if (pointers.size === 0) { mode = null; overlay.classList.remove("dragging"); } else if (mode === "pinch") mode = "pan";
  }
  overlay.addEventListener("pointerup", release);
  overlay.addEventListener("pointercancel", release);
  overlay.addEventListener("pointerleave", () => { if (!pointers.size) hover(-1); });
  overlay.addEventListener("wheel", e => {
    e.preventDefault();
    const step = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1;
    view.zoomAt(...local(e), Math.exp(-Math.max(-240, Math.min(240, e.deltaY * step)) * (e.ctrlKey ? .01 : .002)));
    point(local(e));
  }, { passive: false });
  overlay.addEventListener("dblclick", e => view.zoomAt(...local(e), 2));
}
// What lies within a polygon of one map is selected on all.
function select(view, path) {
  const inside = view.inside(path);
  if (inside.length) { box.value = ""; $("search-count").textContent = ""; searchRun++; list(W.selected(number(inside.length)), inside); } else list(null, []);
}

// ---- keys ----------------------------------------------------------------------------------------------------------------------------
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function step(view, dx, dy) {
  const { grid, X, Y, aspect } = view;
  if (current < 0 || !view.has(current)) { const i = grid.nearest(view.centerX, view.centerY, 1, 2)[0]; if (i !== undefined) { show(i); pick(i); } return; }
  const x = X[current], y = Y[current], i0 = current;
  // Points within 45 degrees of the arrow's direction, the nearest of them.
  const i = grid.nearest(x, y, 1, 2, i0, j => { const ax = (X[j] - x) * aspect, ay = Y[j] - y; return ax * dx + ay * dy > 0 && Math.abs(ax * dy - ay * dx) <= Math.abs(ax * dx + ay * dy); })[0];
  if (i !== undefined) { show(i); pick(i); }
}
function listen(view) {
  view.overlay.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const a = arrows[e.key];
    if (a) { if (e.shiftKey) step(view, ...a); else view.pan(-a[0] * 60, -a[1] * 60); }
    else if (e.key === "+" || e.key === "=" || e.key === ";") view.zoomMiddle(1.3);
    else if (e.key === "-") view.zoomMiddle(1 / 1.3);
    else if (e.key === "0") view.reset();
    else if (e.key === "Escape") { if (view.lassoPath) { view.lassoPath = null; schedule(); } else clear(); }
    else if (e.key === "Enter" || e.key === " ") { const i = hovered >= 0 ? hovered : view.pointAt(view.width / 2, view.height / 2, Math.max(view.width, view.height)); if (i >= 0) pick(i); }
    else return;
    e.preventDefault();
  });
}
document.addEventListener("keydown", e => {
  if (e.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) { e.preventDefault(); box.focus(); box.select(); }
});
