import Figures
import FileFormats
import Foundation
import Testing

@Suite struct TicksTests {
    @Test func linearTicksAreRound() {
        #expect(Ticks.linear(from: 0, to: 1, count: 5).labels == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(Ticks.linear(from: -0.3, to: 0.31, count: 5).labels == ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"])
        #expect(Ticks.linear(from: 3, to: 48, count: 5).labels == ["10", "20", "30", "40"])
        #expect(Ticks.linear(from: 0, to: 4e6, count: 4).labels == ["0", "10⁶", "2×10⁶", "3×10⁶", "4×10⁶"])
        #expect(Ticks.linear(from: 0, to: 2e-5, count: 2).labels == ["0", "10⁻⁵", "2×10⁻⁵"])
    }
    @Test func logarithmicTicksAreDecades() {
        let ticks = Ticks.logarithmic(from: 0.01, to: 100)
        #expect(ticks.labels == ["0.01", "0.1", "1", "10", "100"])
        #expect(ticks.minor.count == 32)
        #expect(Ticks.logarithmic(from: 0.3, to: 6).labels == ["0.5", "1", "2", "5"])
    }
    @Test func senselessRangesHaveNone() {
        for (a, b) in [(1.0, 1.0), (2, 1), (.nan, 1), (0, .infinity)] { #expect(Ticks.linear(from: a, to: b).values.isEmpty) }
        #expect(Ticks.logarithmic(from: 0, to: 1).values.isEmpty)
        #expect(Ticks.linear(from: 1e300, to: 1.0000000000001e300).values.count < 20)
    }
}

@Suite struct LineChartTests {
    @Test func layersWithBands() throws {
        var options = LineChart.Options()
        options.xTitle = "層"
        options.yTitle = "UUAS"
        options.horizontalMarks = [(0.35, "baseline")]
        options.verticalMarks = [(3, "best")]
        let y = [0.42, 0.61, 0.70, 0.74, 0.66, 0.47, 0.43]
        let chart = try LineChart(
            [
                .init("MiniLM", y: y, band: (y.map { $0 - 0.02 }, y.map { $0 + 0.02 }), hasMarkers: true),
                .init("other", y: y.map { $0 - 0.1 }, isDashed: true),
            ], options: options)
        let scene = chart.scene()
        #expect(Layout.faults(scene).isEmpty)
        let texts = scene.texts.map(\.string)
        #expect(texts.contains("3") && !texts.contains("2.5"))
        for text in ["層", "UUAS", "MiniLM", "other", "baseline", "best"] { #expect(texts.contains(text)) }
    }

    /// A time course: the ceiling is shaded behind the curves, and bars under them mark times.
    @Test func shadesAndSpans() throws {
        var options = LineChart.Options()
        options.shade = ((0..<5).map(Double.init), [0.4, 0.4, 0.5, 0.5, 0.4], [0.6, 0.6, 0.7, 0.7, 0.6], "ceiling")
        options.spans = [(0, 1, 3), (1, 2, 2)]
        options.horizontalMarks = [(0, "")]
        let series = [LineChart.Series("a", y: [0, 0.2, 0.3, 0.2, 0]), LineChart.Series("b", y: [0, 0.1, 0.2, 0.1, 0])]
        let scene = try LineChart(series, options: options).scene(), bare = try LineChart(series).scene()
        #expect(Layout.faults(scene).isEmpty)
        #expect(scene.texts.map(\.string).contains("ceiling"))
        let svg = try ParsedSVG(LineChart(series, options: options).svg())
        // Two bars, each in the colour of its curve, and none without spans.
        func bars(_ svg: ParsedSVG) -> [String] {
            svg.all("path").filter {
                Double($0.attributes["stroke-width"] ?? "") ?? 0 > 1.5 && ["#0072b2", "#e69f00"].contains($0.attributes["stroke"] ?? "")
            }.compactMap { $0.attributes["stroke"] }
        }
        let plain = try ParsedSVG(LineChart(series).svg())
        #expect(Set(bars(svg)).count == 2 && bars(plain).isEmpty, "\(svg.all("path").map(\.attributes))")
        #expect(scene.size.height >= bare.size.height)
    }

    @Test func treesBesideMatrices() throws {
        let values = [[0, 1, 4.0], [1, 0, 4], [4, 4, 0]]
        var options = Heatmap.Options()
        options.tree = [(0, 1, 1), (2, 3, 4)]
        let map = try Heatmap(values, rowLabels: ["一", "二", "三"], columnLabels: ["一", "二", "三"], options: options),
            bare = try Heatmap(values, rowLabels: ["一", "二", "三"], columnLabels: ["一", "二", "三"])
        #expect(Layout.faults(map.scene()).isEmpty)
        let with = try ParsedSVG(map.svg()).all("path").count, without = try ParsedSVG(bare.svg()).all("path").count
        #expect(with == without + 2)
        options.tree = [(0, 1, 1)]
        #expect(throws: DataError.self) { try Heatmap(values, options: options) }
    }

    @Test func gapsInterruptTheCurve() throws {
        let svg = try ParsedSVG(LineChart([.init("loss", y: [3, 2, .nan, 1, 0.5])]).svg())
        let curves = svg.all("path").filter { $0.attributes["stroke"] == "#0072b2" }
        #expect(curves.count == 2)
        #expect(try ParsedSVG(LineChart([.init("one", y: [1])]).svg()).all("circle").count == 1)
    }

    /// Points over a curve that they follow; a line of their own would hide it.
    @Test func pointsNeedNoLine() throws {
        let svg = try ParsedSVG(LineChart([.init("limit", y: [1, 2, 3]), .init("found", y: [1, 2, 3], hasLine: false)]).svg())
        let joined = try ParsedSVG(LineChart([.init("limit", y: [1, 2, 3]), .init("found", y: [1, 2, 3], hasMarkers: true)]).svg())
        func lines(_ svg: ParsedSVG) -> Int { svg.all("path").count + svg.all("line").count + svg.all("polyline").count }
        #expect(lines(svg) < lines(joined))
        #expect(svg.all("text").count == joined.all("text").count)
    }

    @Test func logarithmicAxesLeaveOutWhatTheyCannotShow() throws {
        var options = LineChart.Options()
        options.hasLogarithmicY = true
        let chart = try LineChart([.init("loss", y: [10, 1, 0, -1, 0.01])], options: options)
        #expect(Layout.faults(chart.scene()).isEmpty)
        #expect(try !chart.svg().contains("nan"))
        #expect(throws: DataError.self) { try LineChart([.init("none", y: [0, -1])], options: options) }
        #expect(throws: DataError.self) { try LineChart([.init("none", y: [.nan])]) }
        #expect(throws: DataError.self) { try LineChart([.init("uneven", x: [1], y: [1, 2])]) }
    }

    @Test func longLogsStaySmallAndKeepTheirPeaks() throws {
        let n = 200_000
        var y = (0..<n).map { 1 + 0.001 * Double($0 % 7) }
        y[123_456] = 5
        let svg = try LineChart([.init("loss", y: y)]).svg()
        #expect(svg.utf8.count < 300_000)
        let curve = try #require(try ParsedSVG(svg).all("path").first { $0.attributes["stroke"] == "#0072b2" }?.attributes["d"])
        let heights = curve.split(whereSeparator: { "ML".contains($0) }).compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        let top = try #require(heights.min())
        #expect(top < 20 && heights.filter { $0 < top + 50 }.count == 1)
    }

    @Test func screeInJapanese() throws {
        var options = LineChart.Options()
        options.page.language = .japanese
        let chart = try LineChart.scree(explainedVarianceRatio: [0.5, 0.3, 0.1], options: options)
        let texts = chart.scene().texts.map(\.string)
        #expect(texts.contains("主成分") && texts.contains("寄与率 (%)") && texts.contains("累積"))
        #expect(Layout.faults(chart.scene()).isEmpty)
    }
}

@Suite struct HeatmapTests {
    private let words = ["[CLS]", "夕日", "に", "染まる", "浜辺", "。", "[SEP]"]

    @Test func attention() throws {
        var options = Heatmap.Options()
        options.title = "層 3, ヘッド 5"
        options.rowTitle = "query"
        options.columnTitle = "key"
        options.valueTitle = "weight"
        options.digits = 2
        let values = words.indices.map { i in words.indices.map { j in 1 / (1 + abs(Double(i - j))) } }
        let map = try Heatmap(values, rowLabels: words, columnLabels: words, options: options)
        #expect(Layout.faults(map.scene()).isEmpty)
        let texts = map.scene().texts.map(\.string)
        for text in words + ["query", "key", "weight", "1.00", "0.33"] { #expect(texts.contains(text)) }
    }

    @Test func equalNeighboursAreOneRectangle() throws {
        var options = Heatmap.Options()
        options.hasColorBar = false
        let svg = try ParsedSVG(Heatmap([[1, 1, 1, 0], [0, 0, .nan, 1]], options: options).svg())
        #expect(svg.all("rect").filter { $0.attributes["shape-rendering"] != nil }.count == 2 + 3)
    }

    @Test func manyLabelsAreThinnedOut() throws {
        let n = 120
        let map = try Heatmap(
            (0..<n).map { i in (0..<n).map { j in Double(i * j % 17) } }, rowLabels: (0..<n).map { "row \($0)" },
            columnLabels: (0..<n).map { "column \($0)" })
        #expect(Layout.faults(map.scene()).isEmpty)
        #expect(map.scene().texts.count > 20)
    }

    @Test func constantAndMissingValues() throws {
        for values in [[[2.0, 2], [2, 2]], [[.nan, .nan]], [[.infinity, 1]], [[0.0]], [[1e300, -1e300]]] as [[[Double]]] {
            for scale in [Palette.Scale.blues, .diverging] {
                var options = Heatmap.Options()
                options.scale = scale
                #expect(try !Heatmap(values, options: options).svg().contains("nan"))
            }
        }
        #expect(throws: DataError.self) { try Heatmap([]) }
        #expect(throws: DataError.self) { try Heatmap([[]]) }
        #expect(throws: DataError.self) { try Heatmap([[1, 2], [1]]) }
        #expect(throws: DataError.self) { try Heatmap([[1]], rowLabels: ["a", "b"]) }
    }

    @Test func gridsOfHeads() throws {
        var options = Heatmap.Options()
        options.page.width = FigureGrid.columnWidth(of: .millimetres(170), columns: 4)
        options.page.fontSize = 4.5
        options.hasColorBar = false
        let values = words.indices.map { i in words.indices.map { j in Double((i + j) % 3) } }
        let grid = try FigureGrid(
            (1...8).map { head in
                var options = options
                options.title = "head \(head)"
                return try Heatmap(values, rowLabels: words, columnLabels: words, options: options)
            }, columns: 4, title: "Layer 3")
        #expect(Layout.faults(grid.scene()).isEmpty)
        #expect(abs(grid.scene().size.width - Length.millimetres(170).points) < 0.01)
    }
}

@Suite struct TreeDiagramTests {
    private let words = "The quick brown fox jumps over the lazy dog .".split(separator: " ").map(String.init)
    private let heads = [4, 4, 4, 5, 0, 9, 9, 9, 5, 5]
    private let relations = ["det", "amod", "amod", "nsubj", "root", "case", "det", "amod", "obl", "punct"]

    @Test func goldAndPredicted() throws {
        let predicted = [(1, 4), (2, 3), (3, 4), (4, 5), (5, 6), (6, 9), (7, 9), (8, 9), (9, 10)]
        let tree = try TreeDiagram(words: words, heads: heads, relations: relations, predictedEdges: predicted)
        #expect(Layout.faults(tree.scene()).isEmpty)
        let svg = try ParsedSVG(tree.svg())
        for text in words + relations { #expect(svg.texts.contains(text)) }
        let start = try #require(svg.elements.firstIndex { $0.attributes["class"] == "predicted-arcs" })
        let arcs = svg.elements[(start + 1)...].prefix { $0.depth > 1 }.filter {
            $0.name == "path" && $0.attributes["fill"] == "none" && $0.depth == 2
        }
        // Six edges of the treebank were found, three were not.
        #expect(arcs.filter { $0.attributes["stroke-dasharray"] == nil && $0.attributes["stroke"] == "#0072b2" }.count == 6)
        #expect(arcs.filter { $0.attributes["stroke-dasharray"] != nil && $0.attributes["stroke"] == "#d55e00" }.count == 3)
    }

    /// Words that lie close together keep their names apart, and what is predicted wrongly is dashed as in the diagram.
    @Test func spaceOfATree() throws {
        let words = ["しかし", "強制", "し", "て", "い", "なく", "て", "も"]
        let points: [(x: Double, y: Double)] = [(0, 0), (0.03, 0.03), (1, 0), (1, 0.03), (0.5, 0.6), (1.2, 0.3), (1.2, 0.33), (0.04, 0.1)]
        let space = try TreeSpace(words: words, points: points, gold: [(1, 0), (1, 2), (2, 3)], predicted: [(0, 1), (3, 4), (5, 6)])
        #expect(Layout.faults(space.scene()).isEmpty, "\(Layout.faults(space.scene()))")
        let svg = try ParsedSVG(space.svg())
        for text in Set(words) { #expect(svg.texts.count { $0 == text } == words.count { $0 == text }, "\(text)") }
        for text in ["gold", "predicted, right", "predicted, wrong"] { #expect(svg.texts.contains(text)) }
        let lines = svg.elements.filter { $0.attributes["stroke-dasharray"] != nil && $0.attributes["stroke"] == "#d55e00" }
        #expect(lines.count == 3, "two edges and the sample beside their name: \(lines.count)")
        #expect(Layout.faults(try TreeSpace(words: ["はい"], points: [(0, 0)], predicted: []).scene()).isEmpty)
        let heap = try TreeSpace(words: words, points: points.map { (x: $0.x > 1 ? 1.0 : 0.0, y: 0.0) }, predicted: [])
        #expect(heap.scene().texts.count == words.count, "every word is named, even where many lie in one place")
    }

    @Test func longSentencesAreSetSmaller() throws {
        let long = Array(repeating: ["夕日", "に", "染まる", "浜辺"], count: 12).flatMap { $0 }
        let tree = try TreeDiagram(words: long, heads: long.indices.map { $0 == 0 ? 0 : $0 })
        #expect(tree.scene().size.width <= Length.millimetres(170).points + 0.01)
        #expect(Layout.faults(tree.scene()).isEmpty)
        var options = TreeDiagram.Options()
        options.fitsPage = false
        #expect(try TreeDiagram(words: long, heads: long.indices.map { $0 == 0 ? 0 : $0 }, options: options).scene().size.width > 900)
    }

    @Test func oneWordAndBadHeads() throws {
        #expect(Layout.faults(try TreeDiagram(words: ["はい"], heads: [0]).scene()).isEmpty)
        #expect(throws: DataError.self) { try TreeDiagram(words: [], heads: []) }
        #expect(throws: DataError.self) { try TreeDiagram(words: ["a"], heads: [2]) }
        #expect(throws: DataError.self) { try TreeDiagram(words: ["a"], heads: [1]) }
        #expect(throws: DataError.self) { try TreeDiagram(words: ["a"], heads: [-1]) }
        #expect(throws: DataError.self) { try TreeDiagram(words: ["a", "b"], heads: [0]) }
    }
}
