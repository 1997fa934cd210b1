// ---- points: WebGL, or a plain canvas where there is none --------------------------------------------------------------------------
// Whether the browser computes WebGL on the processor; asked of a canvas of its own, since one that was asked can do nothing else.
function isComputed() {
  if (isComputed.known !== undefined) return isComputed.known;
  const gl = document.createElement("canvas").getContext("webgl", { failIfMajorPerformanceCaveat: true });
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  isComputed.known = !gl || /swiftshader|llvmpipe|softpipe|basic render/i.test(names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : "");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return isComputed.known;
}
// Context and program need no data, so the first ones are begun before the data have come. WebGL2, else WebGL 1; neither
// where the browser has no graphics card and would compute them on the processor.
function makeContext(canvas) {
  const wanted = { antialias: false, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true };
  if (isComputed()) return null;
  const second = canvas.getContext("webgl2", wanted), gl = second || canvas.getContext("webgl", wanted);
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
    gl.attachShader(program, s);
  }
  gl.bindAttribLocation(program, 0, "place"); gl.bindAttribLocation(program, 1, "look");
  gl.linkProgram(program);
  gl.flush();
  return { gl, program, second };
}
function makeGL(view) {
  const { canvas, X, Y } = view, context = canvas.id === "points" ? firstContext : makeContext(canvas);
  if (!context) return null;
  const { gl, program, second } = context;
  // Asked only now: whoever asks waits for the compiler.
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { console.error(gl.getProgramInfoLog(program)); return null; }
  gl.useProgram(program);
  const at = Object.fromEntries(["scale", "shift", "size", "dim", "colors", "opacity", "plain"].map(u => [u, gl.getUniformLocation(program, u)]));
  const places = gl.createBuffer(), looks = gl.createBuffer(), lit = gl.createBuffer();
  const packed = new Float32Array(2 * n), look = new Uint8Array(4 * n), look32 = new Uint32Array(look.buffer);
  for (let k = 0; k < n; k++) { const i = order[k]; packed[2 * k] = X[i] - .5; packed[2 * k + 1] = Y[i] - .5; }
  gl.bindBuffer(gl.ARRAY_BUFFER, places); gl.bufferData(gl.ARRAY_BUFFER, packed, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0); gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, looks); gl.bufferData(gl.ARRAY_BUFFER, look.byteLength, gl.DYNAMIC_DRAW);
  gl.enableVertexAttribArray(1); gl.vertexAttribPointer(1, 3, gl.UNSIGNED_BYTE, false, 4, 0);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  for (const [k, v] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, k, v);
  gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const canIndex = second || gl.getExtension("OES_element_index_uint");
  return {
    kind: "webgl",
    looks() {
      for (let k = 0; k < n; k++) { const i = order[k]; look32[k] = slot[i] | shape[i] << 8 | state[i] << 16; }
      gl.bindBuffer(gl.ARRAY_BUFFER, looks); gl.bufferSubData(gl.ARRAY_BUFFER, 0, look);
      if (canIndex) { gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, lit); if (highlighted.length) rankPoints(); gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, highlighted.map(i => rank[i]), gl.DYNAMIC_DRAW); }
    },
    colors() {
      const t = new Uint8Array(256 * 4);
      for (let k = 0; k < 256; k++) { const c = shown(slotColors[k] || grey); t.set([c[0], c[1], c[2], 255], 4 * k); }
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, t);
    },
    // Draws the points of the sample from one place to another; the first part clears, the last one puts highlighted points on top.
    draw(from, to, isWhole) {
      const { unit, zoom, aspect, width, height, ratio, centerX, centerY } = view;
      gl.viewport(0, 0, canvas.width, canvas.height);
      if (from === 0) { gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT); }
      gl.uniform2f(at.scale, 2 * unit * zoom / width, -2 * unit / aspect * zoom / height);
      gl.uniform2f(at.shift, 2 * unit * zoom * (.5 - centerX) / width, -2 * unit / aspect * zoom * (.5 - centerY) / height);
      const size = (view.pointSize() + 1) * 1.3 * ratio * (isWhole ? 1 : Math.min(1.6, Math.sqrt(n / to)));
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
