import FileFormats

/// Words at places in a plane with the edges of a tree between them: the space of a structural probe, in which near in the tree
/// should be near on the page.
package struct TreeSpace: Figure {
    package struct Options: Sendable {
        package var page = PageStyle(width: .millimetres(120), fontSize: 8)
        package var title: String?
        package var caption: String?

        package init() {}
    }

    package var options: Options
    private let words: [String]
    private let points: [(x: Double, y: Double)]
    private let gold: [(Int, Int)]
    private let predicted: [(Int, Int)]

    /// - Parameters:
    ///   - points: one a word, in any unit; both axes are drawn to the same scale.
    ///   - gold: edges of the true tree, drawn as broad grey bands; pairs of words from 0.
    ///   - predicted: edges of the predicted tree, drawn in colour: dashed if there is a true tree that lacks them.
    /// - Throws: `DataError` if words and points differ in number, a point is not finite, or an edge leads nowhere.
    package init(
        words: [String], points: [(x: Double, y: Double)], gold: [(Int, Int)] = [], predicted: [(Int, Int)], options: Options = Options()
    ) throws {
        guard !words.isEmpty, words.count == points.count, points.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else {
            throw DataError(.badData, "\(words.count) words but \(points.count) points, or a coordinate is not finite")
        }
        for edge in gold + predicted where !words.indices.contains(edge.0) || !words.indices.contains(edge.1) {
            throw DataError(.badData, "the sentence has \(words.count) words; an edge cannot join \(edge.0 + 1) and \(edge.1 + 1)")
        }
        (self.words, self.points, self.gold, self.predicted, self.options) = (
            words.map(Typesetter.oneLine), points, gold, predicted, options
        )
    }

    package func scene() -> Scene {
        let typesetter = Typesetter(families: options.page.families), f = options.page.fontSize
        let lowX = points.map(\.x).min() ?? 0, highX = points.map(\.x).max() ?? 0
        let lowY = points.map(\.y).min() ?? 0, highY = points.map(\.y).max() ?? 0
        let spanX = max(highX - lowX, 1e-9), spanY = max(highY - lowY, 1e-9)
        var sheet = Sheet(page: options.page, title: options.title, caption: options.caption, typesetter: typesetter)
        let goldSet = Set(gold.map { Set([$0.0, $0.1]) })
        func style(_ edge: (Int, Int)) -> Scene.Style { TreeDiagram.style(isRight: gold.isEmpty || goldSet.contains([edge.0, edge.1])) }
        if !gold.isEmpty {
            sheet.legend = TreeDiagram.legend(
                gold: Self.goldStyle, predicted: predicted.map { goldSet.contains([$0.0, $0.1]) }, page: options.page, size: f * 0.9)
        }
        // Words stand beside their points and need room at the sides.
        let widest = words.map { typesetter.width($0, size: f) }.max() ?? 0
        let plot = sheet.plot(left: widest / 2, right: widest / 2, bottom: f, top: f * 1.5) {
            min($0 * min(max(spanY / spanX, 0.5), 1.2), $0 * 1.2)
        }
        let scale = min(plot.width / spanX, plot.height / spanY)
        let places = points.map {
            Point(plot.center.x + ($0.x - (lowX + highX) / 2) * scale, plot.center.y - ($0.y - (lowY + highY) / 2) * scale)
        }
        var elements: [Scene.Element] = []
        for edge in gold { elements.append(.line(places[edge.0], places[edge.1], Self.goldStyle)) }
        for edge in predicted { elements.append(.line(places[edge.0], places[edge.1], style(edge))) }
        let dot = f * 0.45
        elements.append(.markers(.circle, places, size: dot, .fill(.ink)))
        let requests = zip(words, places).map { LabelPlacement.request($0, at: $1, size: f, clearance: dot / 2, typesetter) }
        let labels = LabelPlacement.place(
            requests, avoiding: places, within: plot.insetBy(-widest / 2, -f), maximumDistance: max(plot.width, plot.height) / 2)
        elements += LabelPlacement.elements(labels, words, size: f, typesetter)
        // Words of one place cannot all have room; a word without a name would be worse than two names on each other.
        for (number, place) in places.enumerated() where labels[number] == nil {
            elements.append(.text(Scene.Text(words[number], at: Point(place.x, place.y - f * 0.5), size: f, anchor: .middle, halo: .white)))
        }
        return sheet.scene(with: elements)
    }

    private static let goldStyle = Scene.Style.stroke(.lightGrey, width: 2.5)
}
