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
    let read = model.tokens(of: source), written = model.tokens(of: output)
    // The decoder reads the begin mark first; what row t writes is the token after that.
    func queries(_ map: AttentionMap<Float>) -> [String] { map.place == .encoder ? read : written + ["end"] }
    func keys(_ map: AttentionMap<Float>) -> [String] { map.place == .decoder ? ["begin"] + written : read }
    func weights(_ map: AttentionMap<Float>) -> [[Double]] { (0..<map.weights.rows).map { map.weights.rows($0..<$0 + 1).elements.map(Double.init) } }
    let url = URL(fileURLWithPath: file)
    if url.pathExtension.lowercased() == "html" {
        let panels = maps.map { map in
            AttentionPage.Panel(part: map.place.title, japanesePart: map.place.japaneseTitle, name: "layer \(map.layer + 1), head \(map.head + 1)",
                                layer: map.layer, head: map.head, queries: queries(map), keys: keys(map), weights: weights(map))
        }
        try AttentionPage(panels, title: "\(model.text(of: source)) → \(model.text(of: output))").write(to: url)
        return try provenance.write(beside: file)
    }
    let columns = min(4, maps.count)
    let figures = try maps.map { map in
        var options = Heatmap.Options()
        options.title = "\(map.place.rawValue) \(map.layer + 1), head \(map.head + 1)"
        options.range = 0...1
        options.hasColorBar = false
        options.page.width = FigureGrid.columnWidth(of: .millimetres(60 * Double(columns)), columns: columns)
        return try Heatmap(weights(map), rowLabels: queries(map), columnLabels: keys(map), options: options)
    }
    try FigureGrid(figures, columns: columns).write(to: url)
    try provenance.write(beside: file)
}

extension AttentionMap.Place {
    fileprivate var title: String {
        switch self {
        case .encoder: "Encoder: the source attends to itself"
        case .decoder: "Decoder: the output attends to earlier output"
        case .cross: "Cross-attention: the output attends to the source"
        }
    }

    fileprivate var japaneseTitle: String {
        switch self {
        case .encoder: "エンコーダー：入力から入力へ"
        case .decoder: "デコーダー：出力から前の出力へ"
        case .cross: "クロスアテンション：出力から入力へ"
        }
    }
}
