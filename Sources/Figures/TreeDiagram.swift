import FileFormats

/// A sentence with its dependencies as arcs: the tree of the treebank above the words, a predicted one below.
///
/// Predicted edges that the treebank has too are blue, others vermilion and dashed, so that errors are seen at once.
package struct TreeDiagram: Figure {
    package struct Options: Sendable {
        /// The page grows no wider than this; a longer sentence is set smaller. `nil` gives a sentence the width it needs.
        package var page = PageStyle(width: .millimetres(170), fontSize: 8)
        package var fitsPage = true
        package var title: String?
        package var caption: String?
        /// A small line under each word, such as parts of speech.
        package var tags: [String] = []

        package init() {}
    }

    /// One dependency. Words count from 1; head 0 is the root.
    package struct Arc: Sendable, Equatable {
        package var head: Int
        package var dependent: Int
        package var relation: String?
        package init(head: Int, dependent: Int, relation: String? = nil) {
            self.head = head
            self.dependent = dependent
            self.relation = relation
        }
    }

    package var options: Options
    private let words: [String]
    private let gold: [Arc]
    private let predicted: [Arc]
    private let predictedIsDirected: Bool

    /// - Parameters:
    ///   - heads: for each word its head's number, from 1; 0 is the root.
    ///   - relations: for each word the name of its relation.
    ///   - predictedEdges: pairs of words, from 1, without direction, as a distance probe finds them.
    /// - Throws: `DataError` for words or heads that do not exist.
    package init(
        words: [String], heads: [Int], relations: [String] = [], predictedEdges: [(Int, Int)] = [], options: Options = Options()
    ) throws {
        guard heads.count == words.count, relations.isEmpty || relations.count == words.count else {
            throw DataError(.usage, "\(words.count) words but \(heads.count) heads and \(relations.count) relations")
        }
        let gold = heads.enumerated().map { Arc(head: $1, dependent: $0 + 1, relation: relations.isEmpty ? nil : relations[$0]) }
        try self.init(
            words: words, gold: gold, predicted: predictedEdges.map { Arc(head: $0.0, dependent: $0.1) }, predictedIsDirected: false,
            options: options)
    }

    /// A diagram of any arcs; `gold` may be empty, then the predicted ones are drawn above.
    package init(words: [String], gold: [Arc], predicted: [Arc], predictedIsDirected: Bool, options: Options = Options()) throws {
        guard !words.isEmpty else { throw DataError(.badData, "a tree needs at least one word") }
        for arc in gold + predicted
        where !(0...words.count).contains(arc.head) || !(1...words.count).contains(arc.dependent) || arc.head == arc.dependent {
            throw DataError(.badData, "the sentence has \(words.count) words, so an arc cannot go from \(arc.head) to \(arc.dependent)")
        }
        guard options.tags.isEmpty || options.tags.count == words.count else {
            throw DataError(.usage, "\(words.count) words but \(options.tags.count) tags")
        }
        self.words = words.map { $0.isEmpty ? "∅" : Typesetter.oneLine($0) }
        self.gold = gold
        self.predicted = predicted
        self.predictedIsDirected = predictedIsDirected
        self.options = options
    }

    package func scene() -> Scene {
        let typesetter = Typesetter(families: options.page.families)
        let width = options.page.width.points - 2 * Sheet.margin
        var f = options.page.fontSize
        var centers = places(size: f, typesetter)
        // Twice, because small letters are not exactly proportional.
        for _ in 0..<2 where options.fitsPage && centers.end > width {
            f *= width / centers.end * 0.995
            centers = places(size: f, typesetter)
        }

        let goldSet = Set(gold.map { Set([$0.head, $0.dependent]) })
        let above = gold.isEmpty ? predicted : gold, below = gold.isEmpty ? [] : predicted
        let aboveLevels = levels(above), belowLevels = levels(below)
        let step = f * 1.55
        let aboveHeight =
            (Double(aboveLevels.max() ?? 0) + 0.2) * step + (above.contains { $0.relation != nil || $0.head == 0 } ? f * 0.8 : 0)
        let belowHeight =
            below.isEmpty ? 0 : (Double(belowLevels.max() ?? 0) + 0.3) * step + (below.contains { $0.relation != nil } ? f * 0.8 : 0)
        let wordHeight = f * 1.3 + (options.tags.isEmpty ? 0 : f)

        var page = options.page
        page.width = Length(points: max(min(centers.end, options.fitsPage ? width : .infinity), 60) + 2 * Sheet.margin)
        page.fontSize = f
        page.height = nil
        var sheet = Sheet(page: page, title: options.title, caption: options.caption, typesetter: typesetter)
        if !below.isEmpty {
            sheet.legend = Self.legend(
                gold: .stroke(.ink, width: 0.8), predicted: below.map { goldSet.contains([$0.head, $0.dependent]) }, page: options.page,
                size: f * 0.9)
        }
        let total = aboveHeight + wordHeight + belowHeight
        let plot = sheet.plot(left: 0, right: 0, bottom: 0, top: 0) { _ in total }

        let baseline = plot.y + aboveHeight + f
        var elements: [Scene.Element] = []
        for (i, word) in words.enumerated() {
            let x = plot.x + centers.middles[i]
            elements.append(.text(Scene.Text(word, at: Scene.Point(x, baseline), size: f, anchor: .middle)))
            if !options.tags.isEmpty {
                elements.append(
                    .text(Scene.Text(options.tags[i], at: Scene.Point(x, baseline + f), size: f * 0.72, color: .grey, anchor: .middle)))
            }
        }
        let middles = centers.middles.map { $0 + plot.x }
        elements.append(
            arcs(
                above, aboveLevels, middles, base: plot.y + aboveHeight - f * 0.05, step: -step, size: f,
                isDirected: !gold.isEmpty || predictedIsDirected
            ) { _ in .stroke(.ink, width: 0.7) })
        elements.append(
            arcs(
                below, belowLevels, middles, base: plot.y + aboveHeight + wordHeight + f * 0.05, step: step, size: f,
                isDirected: predictedIsDirected
            ) { Self.style(isRight: goldSet.contains([$0.head, $0.dependent])) })
        var scene = sheet.scene(with: elements)
        if options.title == nil { scene.title = words.joined(separator: " ") }
        return scene
    }

    // MARK: Parts

    /// Marks gold edges and correct predicted edges; edge direction is ignored.
    static func legend(gold: Scene.Style, predicted isRight: [Bool], page: PageStyle, size: Double) -> Legend {
        var entries = [Legend.Entry(name: page.language.says("gold", "正解"), sample: .line(gold, nil))]
        if isRight.contains(true) {
            entries.append(.init(name: page.language.says("predicted, right", "予測（正）"), sample: .line(style(isRight: true), nil)))
        }
        if isRight.contains(false) {
            entries.append(.init(name: page.language.says("predicted, wrong", "予測（誤）"), sample: .line(style(isRight: false), nil)))
        }
        return Legend(entries: entries, fontSize: size)
    }

    static func style(isRight: Bool) -> Scene.Style {
        isRight ? .stroke(Palette.groups[0], width: 0.8) : .stroke(Palette.groups[5], width: 0.8, dash: [2.4, 1.4])
    }

    /// The middle of each word and the end of the last. Neighbours stand far enough apart for the name of an arc between them.
    private func places(size f: Double, _ typesetter: Typesetter) -> (middles: [Double], end: Double) {
        var widths = words.map { typesetter.width($0, size: f) }
        for (i, tag) in options.tags.enumerated() { widths[i] = max(widths[i], typesetter.width(Typesetter.oneLine(tag), size: f * 0.72)) }
        var between = [Double](repeating: 0, count: words.count)
        for arc in gold + predicted {
            guard let relation = arc.relation, arc.head > 0 else { continue }
            let (a, b) = (min(arc.head, arc.dependent), max(arc.head, arc.dependent))
            if b - a == 1 { between[a - 1] = max(between[a - 1], typesetter.width(Typesetter.oneLine(relation), size: f * 0.68) + f * 0.5) }
        }
        var middles: [Double] = []
        var x = 0.0
        for (i, width) in widths.enumerated() {
            if i > 0 {
                let plain = widths[i - 1] / 2 + f * 0.75 + width / 2
                x += max(plain, between[i - 1])
            } else {
                x = width / 2
            }
            middles.append(x)
        }
        return (middles, x + (widths.last ?? 0) / 2)
    }

    /// How high each arc rises: above every arc that it spans.
    private func levels(_ arcs: [Arc]) -> [Int] {
        var levels = [Int](repeating: 0, count: arcs.count)
        func span(_ a: Arc) -> (Int, Int) { (min(a.head, a.dependent), max(a.head, a.dependent)) }
        let order = arcs.indices.filter { arcs[$0].head > 0 }.sorted { a, b in
            let (x, y) = (span(arcs[a]), span(arcs[b]))
            return (x.1 - x.0, x.0, a) < (y.1 - y.0, y.0, b)
        }
        for (place, i) in order.enumerated() {
            let (low, high) = span(arcs[i])
            var level = 1
            for j in order[..<place] {
                let (a, b) = span(arcs[j])
                if a < high, low < b { level = max(level, levels[j] + 1) }
            }
            levels[i] = level
        }
        let highest = levels.max() ?? 0
        for i in arcs.indices where arcs[i].head == 0 { levels[i] = highest + 1 }
        return levels
    }

    private func arcs(
        _ arcs: [Arc], _ levels: [Int], _ middles: [Double], base: Double, step: Double, size f: Double, isDirected: Bool,
        style: (Arc) -> Scene.Style
    ) -> Scene.Element {
        // Ends at one word are side by side: arcs to the left end left, longer ones farther from the middle on the inside.
        var ends: [Int: [(arc: Int, other: Int)]] = [:]
        for (i, arc) in arcs.enumerated() {
            ends[arc.dependent, default: []].append((i, arc.head == 0 ? arc.dependent : arc.head))
            if arc.head > 0 { ends[arc.head, default: []].append((i, arc.dependent)) }
        }
        var offset: [Int: [Int: Double]] = [:]
        for (word, list) in ends {
            let sorted = list.sorted { a, b in
                let (left, right) = (a.other <= word, b.other <= word)
                if left != right { return left }
                return a.other != b.other ? (left ? a.other > b.other : a.other > b.other) : a.arc < b.arc
            }
            // Left ends: the nearest word's arc is outermost on the left; right ends likewise on the right, so that arcs do not cross.
            let lefts = sorted.filter { $0.other < word }, roots = sorted.filter { $0.other == word },
                rights = sorted.filter { $0.other > word }
            let row = lefts + roots + rights
            for (k, end) in row.enumerated() { offset[word, default: [:]][end.arc] = (Double(k) - Double(row.count - 1) / 2) * f * 0.32 }
        }
        func x(_ word: Int, _ arc: Int) -> Double { middles[word - 1] + (offset[word]?[arc] ?? 0) }

        var lines: [Scene.Element] = [], names: [Scene.Element] = []
        let sign = step < 0 ? -1.0 : 1.0
        for (i, arc) in arcs.enumerated() {
            let style = style(arc)
            let height = base + step * (Double(levels[i]) + 0.15)
            let end = x(arc.dependent, i)
            var path = Scene.Path()
            if arc.head == 0 {
                path.move(Scene.Point(end, height))
                path.line(Scene.Point(end, base))
                let name = Scene.Text(
                    arc.relation ?? "root", at: Scene.Point(end, sign < 0 ? height - f * 0.24 : height + f * 0.7), size: f * 0.68,
                    color: style.stroke ?? .ink, anchor: .middle)
                names.append(.text(name))
            } else {
                let start = x(arc.head, i)
                let bend = min(abs(end - start) / 2, f * 0.9) * (end > start ? 1 : -1)
                path.move(Scene.Point(start, base))
                path.curve(
                    Scene.Point(start, height - (height - base) * 0.35), Scene.Point(start + bend * 0.35, height),
                    Scene.Point(start + bend, height))
                path.line(Scene.Point(end - bend, height))
                path.curve(
                    Scene.Point(end - bend * 0.35, height), Scene.Point(end, height - (height - base) * 0.35), Scene.Point(end, base))
                if let relation = arc.relation {
                    // Outside the arc, where no other line runs.
                    let y = sign < 0 ? height - f * 0.24 : height + f * 0.7
                    names.append(
                        .text(
                            Scene.Text(
                                relation, at: Scene.Point((start + end) / 2, y), size: f * 0.68, color: style.stroke ?? .ink,
                                anchor: .middle, halo: .white)))
                }
            }
            lines.append(.path(path, style))
            if isDirected || arc.head == 0 {
                let head = Scene.Path(polygon: [
                    Scene.Point(end, base), Scene.Point(end - f * 0.16, base + sign * f * 0.42),
                    Scene.Point(end + f * 0.16, base + sign * f * 0.42),
                ])
                lines.append(.path(head, .fill(style.stroke ?? .ink)))
            }
        }
        return .group(Scene.Group(lines + names, name: sign < 0 ? "arcs" : "predicted-arcs"))
    }
}
