import Figures
import FileFormats
import Foundation
import LanguageModels
import Networks
import Tensors
import Training

/// The attention of every layer and head while a network reads `source` and writes `output`, as a picture (SVG, PDF, PNG) or a page (HTML).
func drawAttention(_ model: Seq2SeqModel, source: [Int32], output: [Int32], to file: String, provenance: Provenance) throws {
    let maps = model.network.attentionMaps(source: source, decoderInput: [model.configuration.beginID] + output)
    guard !maps.isEmpty else { throw DataError(.usage, "this network has no attention to draw") }
    let read = model.tokens(of: source), written = model.tokens(of: output), language = SessionLanguage.files.figures
    // The decoder reads the begin mark first; what row t writes is the token after that.
    func queries(_ map: AttentionMap<Float>) -> [String] { map.place == .encoder ? read : written + [language.says("end", "終了")] }
    func keys(_ map: AttentionMap<Float>) -> [String] { map.place == .decoder ? [language.says("begin", "開始")] + written : read }
    func weights(_ map: AttentionMap<Float>) -> [[Double]] {
        (0..<map.weights.rows).map { map.weights.rows($0..<$0 + 1).elements.map(Double.init) }
    }
    let url = URL(fileURLWithPath: file)
    if url.pathExtension.lowercased() == "html" {
        let panels = maps.map { map in
            AttentionPage.Panel(
                part: map.place.title, japanesePart: map.place.japaneseTitle,
                name: FigureLanguage.english.layer(map.layer + 1, head: map.head + 1),
                layer: map.layer, head: map.head, queries: queries(map), keys: keys(map), weights: weights(map))
        }
        try AttentionPage(
            panels, title: "\(model.text(of: source)) → \(model.text(of: output))", language: language == .japanese ? language : nil
        ).write(to: url)
        return try provenance.write(beside: file)
    }
    let columns = min(4, maps.count)
    let figures = try maps.map { map in
        var options = Heatmap.Options()
        options.title = language.says(
            "\(map.place.rawValue) \(map.layer + 1), head \(map.head + 1)",
            "\(map.place.japaneseName)・" + language.layer(map.layer + 1, head: map.head + 1))
        options.range = 0...1
        options.hasColorBar = false
        options.page.width = FigureGrid.columnWidth(of: .millimetres(60 * Double(columns)), columns: columns)
        return try Heatmap(weights(map), rowLabels: queries(map), columnLabels: keys(map), options: options)
    }
    try FigureGrid(figures, columns: columns).write(to: url)
    try provenance.write(beside: file)
}

extension FigureLanguage {
    /// A layer or one of its heads, both from 1: `layer 3, head 2`, `第3層・ヘッド2`.
    func layer(_ layer: Int, head: Int? = nil) -> String {
        says("layer \(layer)" + (head.map { ", head \($0)" } ?? ""), "第\(layer)層" + (head.map { "・ヘッド\($0)" } ?? ""))
    }
}

extension AttentionMap.Place {
    fileprivate var title: String {
        switch self {
        case .encoder: "Encoder: the source attends to itself"
        case .decoder: "Decoder: the output attends to earlier output"
        case .cross: "Cross-attention: the output attends to the source"
        }
    }

    fileprivate var japaneseName: String {
        switch self {
        case .encoder: "エンコーダー"
        case .decoder: "デコーダー"
        case .cross: "クロスアテンション"
        }
    }

    fileprivate var japaneseTitle: String {
        switch self {
        case .encoder: japaneseName + "：入力から入力へ"
        case .decoder: japaneseName + "：出力から前の出力へ"
        case .cross: japaneseName + "：出力から入力へ"
        }
    }
}
