// ---- words ---------------------------------------------------------------------------------------------------------------------
const words = {
  en: {
    search: "Search the sentences", colorBy: "Colour", lasso: "Lasso", lassoHelp: "Draw around points to select them (or Shift + drag)", reset: "Whole map",
    resetHelp: "Show the whole map (0)", zoomIn: "Zoom in (+)", zoomOut: "Zoom out (−)", theme: "Light or dark", help: "Keys and gestures",
    secondMap: name => `Second map: ${name}. Keys as in the first.`, mapLabel: "Map. Arrow keys move the view, Shift and arrow keys go from point to point, plus and minus zoom.",
    noColor: "one colour", found: n => `${n} found`, searching: "searching …", selected: n => `${n} selected`, copy: "Copy", csv: "Save CSV", clear: "Clear", copied: "Copied",
    more: n => `… and ${n} more (all are in the CSV)`, moreFound: n => `… and ${n} more`, row: "row", group: "Group", groups: "Groups", neighborsSpace: "Nearest by vector", neighborsMap: "Nearest on the map",
    hint: "Point at a mark to read its sentence, click it to see its neighbours.",
    all: "All", none: "None", noGroup: "(none)", byWords: "words", byMeaning: "meaning", searchBy: "Search by", byMeaningHint: "what should be meant", tsv: "TSV", xlsx: "Excel", label: "Label of the selection", labelHint: "Saves rows and this label only, for kotonoha vectors label", cosine: "cosine", picture: "PNG", pictureHelp: "Save the view as a picture", drawing: "SVG", from: "from", to: "to", filters: "Filters", noFilters: "Show all points", tooMany: "Too many different values for colours", failed: "The server does not answer", shownOf: (a, b) => `${a} of ${b} points`, loading: "…", histogram: "Histogram", link: "Link", linkHelp: "Copy the address of this view", outlines: "Hills", outlinesHelp: "Outlines of the density and names of the hills, while the view is far away", hills: n => `Hills by their words (${n})`, hillPoints: n => `${n} points`, untitled: "Map of sentences", results: "Found",
    keys: [["drag, arrow keys", "move"], ["wheel, pinch, + −", "zoom"], ["click, Enter", "show a point and its neighbours"], ["Shift + drag", "select with a lasso"], ["Shift + arrow keys", "go from point to point"], ["/", "search; Enter goes through what was found"], ["0", "whole map"], ["Esc", "clear"]],
  },
  ja: {
    search: "文を検索", colorBy: "色分け", lasso: "囲む", lassoHelp: "点を囲んで選択（Shift＋ドラッグでも）", reset: "全体",
    resetHelp: "地図全体を表示 (0)", zoomIn: "拡大 (+)", zoomOut: "縮小 (−)", theme: "明暗の切り替え", help: "操作方法",
    secondMap: name => `2 つ目の地図: ${name}。キーは 1 つ目と同じ。`, mapLabel: "地図。矢印キーで移動、Shift＋矢印キーで点から点へ、＋と－で拡大縮小。",
    noColor: "単色", found: n => `${n} 件`, searching: "検索中…", selected: n => `選択 ${n} 件`, copy: "コピー", csv: "CSVで保存", clear: "解除", copied: "コピーしました",
    more: n => `…ほか ${n} 件（CSVには全件）`, moreFound: n => `…ほか ${n} 件`, row: "行", group: "グループ", groups: "グループ", neighborsSpace: "ベクトルの近い文", neighborsMap: "地図上で近い文",
    hint: "点に重ねると文が、クリックすると近い文が表示されます。",
    all: "すべて", none: "なし", noGroup: "（なし）", byWords: "語句", byMeaning: "意味", searchBy: "検索方法", byMeaningHint: "近い意味の文を探す", tsv: "TSV", xlsx: "Excel", label: "選択のラベル", labelHint: "行番号とこのラベルだけを保存します。kotonoha vectors label で使えます", cosine: "コサイン", picture: "PNG", pictureHelp: "表示を画像として保存", drawing: "SVG", from: "下限", to: "上限", filters: "絞り込み", noFilters: "すべての点を表示", tooMany: "値の種類が多すぎて色分けできません", failed: "サーバーが応答しません", shownOf: (a, b) => `${b} 点中 ${a} 点`, loading: "…", histogram: "ヒストグラム", link: "リンク", linkHelp: "この表示のアドレスをコピー", outlines: "丘", outlinesHelp: "遠くから見ているとき、密度の等高線と丘の名前を表示", hills: n => `丘とその語 (${n})`, hillPoints: n => `${n} 点`, untitled: "文の地図", results: "検索結果",
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
