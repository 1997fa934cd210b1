"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = id => document.getElementById(id);
  const words = {
    en: { part: "part", lines: "Lines", matrix: "Matrix", language: "日本語", theme: "Light or dark", headsLabel: "All heads",
      hint: "Tokens on the left attend to tokens on the right; darker means more. Point at a token or use the arrow keys.", place: (layer, head) => `layer ${layer}` + (head ? `, head ${head}` : ""),
      colon: ": ", looks: (a, b, w) => `${a} → ${b}: ${w}` },
    ja: { part: "部分", lines: "線", matrix: "行列", language: "English", theme: "明るさを切り替える", headsLabel: "すべてのヘッド",
      hint: "左のトークンから右のトークンへのアテンションです。濃いほど重みが大きくなります。ポインターか矢印キーでトークンを選べます。", place: (layer, head) => `第${layer}層` + (head ? `・ヘッド${head}` : ""),
      colon: "：", looks: (a, b, w) => `${a} → ${b}：${w}` },
  };
  let language = data.language || (navigator.language.startsWith("ja") ? "ja" : "en");
  let part = 0, panel = 0, query = -1, view = "lines", cell = [0, 0];

  // Weights of all panels one after the other, 16 bits each.
  const raw = atob(data.weights), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const weights = new Uint16Array(bytes.buffer);
  let offset = 0;
  for (const p of data.parts) for (const one of p.panels) {
    one.start = offset;
    offset += p.queries.length * p.keys.length;
  }
  const weight = (p, one, i, j) => weights[one.start + i * p.keys.length + j] / 65535;
  const text = () => words[language];
  const isDark = () => document.documentElement.classList.contains("dark");

  function color(share) {
    // From the paper to the accent, in the square root, so that small weights are seen.
    const s = Math.sqrt(share), [from, to] = isDark() ? [[21, 23, 26], [124, 192, 255]] : [[255, 255, 255], [0, 74, 140]];
    return from.map((a, k) => Math.round(a + (to[k] - a) * s));
  }

  function draw(canvas, p, one, size) {
    const columns = p.keys.length, rows = p.queries.length, image = new ImageData(columns, rows);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
      const at = 4 * (i * columns + j), [r, g, b] = color(weight(p, one, i, j));
      image.data.set([r, g, b, 255], at);
    }
    canvas.width = columns;
    canvas.height = rows;
    canvas.getContext("2d").putImageData(image, 0, 0);
    if (size) { canvas.style.width = size * columns + "px"; canvas.style.height = size * rows + "px"; }
  }

  function name(one) {
    return one.layer === undefined ? one.name : text().place(one.layer + 1, one.head === undefined ? 0 : one.head + 1);
  }

  // A row of thumbnails for each layer; panels without a layer stand in one row.
  function heads() {
    const p = data.parts[part], table = document.createElement("table"), layers = new Map();
    p.panels.forEach((one, index) => {
      const key = one.layer === undefined ? "" : one.layer;
      if (!layers.has(key)) layers.set(key, []);
      layers.get(key).push(index);
    });
    const widest = Math.max(...[...layers.values()].map(row => row.length));
    const head = table.createTHead().insertRow();
    head.append(document.createElement("th"));
    for (let k = 0; k < widest; k++) {
      const th = document.createElement("th");
      th.scope = "col";
      th.textContent = widest > 1 ? k + 1 : "";
      head.append(th);
    }
    const body = table.createTBody();
    for (const [layer, indices] of layers) {
      const row = body.insertRow(), th = document.createElement("th");
      th.scope = "row";
      th.textContent = layer === "" ? "" : text().place(layer + 1, 0);
      row.append(th);
      for (const index of indices) {
        const button = document.createElement("button"), canvas = document.createElement("canvas");
        button.dataset.index = index;
        button.title = name(p.panels[index]);
        button.setAttribute("aria-label", button.title);
        button.setAttribute("aria-pressed", index === panel);
        draw(canvas, p, p.panels[index]);
        button.append(canvas);
        button.onclick = () => choose(index);
        row.insertCell().append(button);
      }
    }
    $("heads").replaceChildren(table);
  }

  function choose(index) {
    panel = index;
    for (const button of $("heads").querySelectorAll("button")) button.setAttribute("aria-pressed", Number(button.dataset.index) === index);
    detail();
  }

  function tokens(list, names, isQuery) {
    list.replaceChildren(...names.map((token, i) => {
      const item = document.createElement("li");
      item.textContent = token;
      item.title = token;
      if (isQuery) {
        item.tabIndex = i === Math.max(query, 0) ? 0 : -1;
        item.onpointerenter = () => look(i);
        item.onpointerleave = () => { if (document.activeElement !== item) look(-1); };
        item.onclick = () => { item.focus(); look(i); };
        item.onfocus = () => look(i);
        item.onblur = () => look(-1);
        item.onkeydown = event => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (event.key === "Escape") item.blur();
          if (!step) return;
          event.preventDefault();
          list.children[Math.min(Math.max(i + step, 0), names.length - 1)].focus();
        };
      }
      return item;
    }));
  }

  function look(i) {
    query = i;
    [...$("queries").children].forEach((item, k) => { item.classList.toggle("chosen", k === i); if (i >= 0) item.tabIndex = k === i ? 0 : -1; });
    links();
    const p = data.parts[part], one = p.panels[panel], T = text();
    if (i < 0) { $("value").textContent = ""; return; }
    const best = p.keys.map((key, j) => [weight(p, one, i, j), j]).sort((a, b) => b[0] - a[0]).slice(0, 5);
    $("value").textContent = best.map(([w, j]) => T.looks(p.queries[i], p.keys[j], w.toFixed(3))).join("   ");
  }

  const row = 24;
  function links() {
    const p = data.parts[part], one = p.panels[panel], svg = $("links"), width = svg.clientWidth || 160;
    const height = row * Math.max(p.queries.length, p.keys.length);
    svg.style.height = height + "px";
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const parts = [], floor = p.queries.length > 60 ? 0.05 : 0.01;
    for (let i = 0; i < p.queries.length; i++) {
      if (query >= 0 && i !== query) continue;
      for (let j = 0; j < p.keys.length; j++) {
        const w = weight(p, one, i, j);
        if (w < floor) continue;
        const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
        for (const [key, value] of [["x1", 2], ["y1", row * (i + 0.5)], ["x2", width - 2], ["y2", row * (j + 0.5)], ["stroke-width", query >= 0 ? 2.5 : 1.5],
          ["stroke-opacity", Math.min(1, w)]]) line.setAttribute(key, value);
        parts.push(line);
      }
    }
    svg.replaceChildren(...parts);
    [...$("keys").children].forEach((item, j) => {
      item.style.opacity = query < 0 ? "" : 0.35 + 0.65 * Math.min(1, 2 * weight(p, one, query, j));
    });
  }

  function matrix() {
    const p = data.parts[part], one = p.panels[panel], canvas = $("cells");
    // Names stand beside the cells, so the drawing is made at its own scale.
    const scale = window.devicePixelRatio || 1, size = Math.max(7, Math.min(22, 560 / p.keys.length)), paper = canvas.getContext("2d");
    const font = Math.min(13, Math.max(8, size * 0.75)) + "px system-ui, 'Noto Sans CJK JP', sans-serif";
    paper.font = font;
    const left = Math.min(140, Math.max(...p.queries.map(t => paper.measureText(t).width)) + 8), top = Math.min(140, Math.max(...p.keys.map(t => paper.measureText(t).width)) + 8);
    const width = left + size * p.keys.length + 1, height = top + size * p.queries.length + 1;
    canvas.width = width * scale;
    canvas.height = height * scale;
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    paper.scale(scale, scale);
    paper.font = font;
    paper.fillStyle = getComputedStyle(document.body).color;
    paper.textBaseline = "middle";
    paper.textAlign = "right";
    p.queries.forEach((t, i) => paper.fillText(t, left - 5, top + size * (i + 0.5), left - 6));
    paper.textAlign = "left";
    p.keys.forEach((t, j) => {
      paper.save();
      paper.translate(left + size * (j + 0.5), top - 5);
      paper.rotate(-Math.PI / 2);
      paper.fillText(t, 0, 0, top - 6);
      paper.restore();
    });
    for (let i = 0; i < p.queries.length; i++) for (let j = 0; j < p.keys.length; j++) {
      paper.fillStyle = `rgb(${color(weight(p, one, i, j))})`;
      paper.fillRect(left + size * j, top + size * i, size - 0.5, size - 0.5);
    }
    const [a, b] = cell;
    if (document.activeElement === canvas) {
      paper.strokeStyle = getComputedStyle(document.body).color;
      paper.strokeRect(left + size * b, top + size * a, size, size);
    }
    const tell = (i, j) => {
      if (i < 0 || j < 0 || i >= p.queries.length || j >= p.keys.length) return;
      $("value").textContent = text().looks(p.queries[i], p.keys[j], weight(p, one, i, j).toFixed(3));
    };
    canvas.onpointermove = event => tell(Math.floor((event.offsetY - top) / size), Math.floor((event.offsetX - left) / size));
    canvas.onfocus = () => { tell(...cell); requestAnimationFrame(matrix); };
    canvas.onkeydown = event => {
      const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      cell = [Math.min(Math.max(cell[0] + step[0], 0), p.queries.length - 1), Math.min(Math.max(cell[1] + step[1], 0), p.keys.length - 1)];
      matrix();
      tell(...cell);
    };
  }

  function detail() {
    const p = data.parts[part], one = p.panels[panel];
    query = -1;
    $("chosen").textContent = (data.parts.length > 1 ? (p[language] || p.name) + text().colon : "") + name(one);
    $("value").textContent = "";
    $("lines").hidden = view !== "lines";
    $("matrix").hidden = view !== "matrix";
    if (view === "lines") {
      tokens($("queries"), p.queries, true);
      tokens($("keys"), p.keys, false);
      links();
    } else {
      cell = [0, 0];
      matrix();
    }
  }

  function all() {
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = text()[element.dataset.text];
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text()[element.dataset.label]);
    $("part").replaceChildren(...data.parts.map((p, k) => new Option(p[language] || p.name, k, false, k === part)));
    $("part-label").hidden = data.parts.length < 2;
    heads();
    detail();
  }

  $("heads").onkeydown = event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], p = data.parts[part];
    const buttons = [...$("heads").querySelectorAll("button")], at = buttons.indexOf(document.activeElement);
    let next = step ? at + step : -1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const width = document.activeElement.closest("tr").querySelectorAll("button").length;
      next = at + (event.key === "ArrowDown" ? width : -width);
    }
    if (at < 0 || !(next in buttons)) return;
    event.preventDefault();
    buttons[next].focus();
    choose(Number(buttons[next].dataset.index));
  };
  $("part").onchange = () => { part = Number($("part").value); panel = 0; all(); };
  for (const kind of ["lines", "matrix"]) $("view-" + kind).onclick = () => {
    view = kind;
    for (const other of ["lines", "matrix"]) $("view-" + other).setAttribute("aria-pressed", other === kind);
    detail();
  };
  $("language").onclick = () => { language = language === "ja" ? "en" : "ja"; all(); };
  $("theme").onclick = () => { document.documentElement.classList.toggle("dark"); all(); };
  if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.classList.add("dark");
  addEventListener("resize", () => { if (view === "lines") links(); });
  all();
})();
