import Figures
import FileFormats
import Foundation
import Testing

@Suite struct ScatterMapTests {
    private func names(_ n: Int, groups: Int, _ name: (Int) -> String = { "group \($0)" }) -> [String] { (0..<n).map { name($0 % groups) } }

    @Test func aSmallMapHasThisStructure() throws {
        var options = ScatterMap.Options()
        options.title = "Four"
        options.caption = "made up"
        let map = try ScatterMap(points: [(0, 0), (1, 0), (0, 1), (1, 1)], groups: ["a", "b", "a", ""], options: options)
        let svg = try ParsedSVG(map.svg())
        #expect(
            svg.outline == [
                "svg", " title", " rect", " text", " rect", " clipPath", "  rect", " g.points", "  g", "   circle", "  g", "   circle",
                "   circle",
                "  g", "   path", " g.legend", "  g", "   circle", "  text", "  g", "   path", "  text", " text",
            ])
        #expect(svg.texts == ["Four", "a", "b", "made up"])
        #expect(svg.elements[0].attributes["width"] == "85mm")
        #expect(svg.elements[0].attributes["viewBox"]?.hasPrefix("0 0 240.94 ") == true)
        // y points upward: the point (0, 1) lies above (0, 0).
        let circles = svg.all("circle").compactMap { $0.attributes["cy"].flatMap(Double.init) }
        #expect(circles[2] < circles[1])
    }

    @Test func colourAndShapeTellTwelveGroupsApart() throws {
        let svg = try ParsedSVG(ScatterMap(points: Samples.spiral(60), groups: names(60, groups: 12)).svg())
        #expect(svg.texts.sorted() == names(12, groups: 12).sorted())
        let colors = svg.all("g").compactMap { $0.attributes["fill"] == "none" ? $0.attributes["stroke"] : $0.attributes["fill"] }
        #expect(Set(colors).count == 12)
        #expect(Palette.groups.count == 12 && Set(Palette.groups).count == 12)
        #expect(Marker.allCases.count == 12)
    }

    @Test func thirteenGroupsAreNamedOnTheMap() throws {
        let cloud = Samples.clouds(800).enumerated().filter { $0.offset % 40 < 13 }
        let layout = try ScatterMap(points: cloud.map(\.element), groups: cloud.map { "group \($0.offset % 40)" }).layout()
        #expect(layout.placedLabels == 13 && layout.omittedLabels == 0)
        let svg = try layout.scene.svg()
        #expect(!svg.contains("legend"))
        #expect(Layout.faults(layout.scene).isEmpty)
    }

    @Test(arguments: [40, 400, 2000])
    func labelsNeverOverlapAndStayInside(n: Int) throws {
        let texts = ["浜辺を男女が歩く", "Two dogs play in the snow", "夜の市場 🍜", "kitchen", "おばあさんが編み物をしている、窓のそばで"]
        for width in [85.0, 170] {
            var options = ScatterMap.Options()
            options.page.width = .millimetres(width)
            options.labels = .points((0..<n).map { texts[$0 % texts.count] })
            options.caption = "t-SNE, perplexity 30, Euclidean on L2-normalized vectors, n = \(n), KL 1.31"
            let layout = try ScatterMap(points: Samples.clouds(n), groups: names(n, groups: 7), options: options).layout()
            #expect(layout.placedLabels > 10)
            #expect(layout.placedLabels + layout.omittedLabels == n)
            #expect(Layout.faults(layout.scene).isEmpty)
        }
    }

    @Test func hundredNamedGroups() throws {
        for width in [85.0, 170] {
            var options = ScatterMap.Options()
            options.page.width = .millimetres(width)
            let layout = try ScatterMap(
                points: Samples.clouds(800), groups: names(800, groups: 40) { "場面\($0) kitchen-scene" }, options: options
            ).layout()
            #expect(layout.placedLabels >= 35)
            #expect(Layout.faults(layout.scene).isEmpty)
        }
    }

    @Test func longNamesAndTitlesStayInside() throws {
        var options = ScatterMap.Options()
        options.title = String(repeating: "とても長い題名", count: 20)
        options.caption = String(repeating: "caption words ", count: 40)
        options.groupTitle = String(repeating: "何のグループか", count: 20)
        for width in [30.0, 85, 170] {
            options.page.width = .millimetres(width)
            let map = try ScatterMap(
                points: Samples.spiral(50), groups: names(50, groups: 5) { String(repeating: "name\($0)", count: 30) }, options: options)
            #expect(Layout.faults(map.scene()).isEmpty)
        }
    }

    @Test func principalComponentsHaveMarksAndWords() throws {
        var options = ScatterMap.Options()
        options.axes = .measured(
            x: FigureLanguage.japanese.principalComponent(1, explainedVarianceRatio: 0.3214),
            y: FigureLanguage.english.principalComponent(2, explainedVarianceRatio: 0.07))
        let map = try ScatterMap(points: Samples.spiral(30), options: options)
        let texts = map.scene().texts.map(\.string)
        #expect(texts.contains("第1主成分 (32.1 %)"))
        #expect(texts.contains("PC 2 (7.0 %)"))
        #expect(texts.contains("0"))
        #expect(Layout.faults(map.scene()).isEmpty)
        // A map whose axes mean nothing has no number on it.
        #expect(try ScatterMap(points: Samples.spiral(30)).scene().texts.isEmpty)
    }

    @Test func bothAxesHaveOneScale() throws {
        // A square of side 2 in a wide page stays a square.
        var options = ScatterMap.Options()
        options.page.width = .millimetres(170)
        options.page.height = .millimetres(60)
        let svg = try ParsedSVG(ScatterMap(points: [(0, 0), (2, 0), (0, 2)], options: options).svg())
        let xs = svg.all("circle").compactMap { $0.attributes["cx"].flatMap(Double.init) },
            ys = svg.all("circle").compactMap { $0.attributes["cy"].flatMap(Double.init) }
        #expect(abs((xs[1] - xs[0]) - (ys[0] - ys[2])) < 0.03)
        #expect(svg.elements[0].attributes["height"] == "60mm")
    }

    @Test func awkwardTextsSurvive() throws {
        var options = ScatterMap.Options()
        let texts = ["<b>&\"'", "]]>", "line\nbreak\u{2028}\u{0}end", "か\u{3099}👩‍👩‍👧", "\u{FEFF}mark", " "]
        options.labels = .points(texts)
        options.title = "a < b & c"
        let map = try ScatterMap(points: Samples.spiral(6), options: options)
        let svg = try ParsedSVG(map.svg())
        #expect(Set(svg.texts) == ["a < b & c", "<b>&\"'", "]]>", "line break  end", "か\u{3099}👩‍👩‍👧", "mark"])
        _ = try ParsedSVG(map.svg(outlined: true))
        #expect(try map.pdf().count > 1000)
        #expect(try map.png(dotsPerInch: 72).count > 1000)
    }

    @Test func fewPointsAndFlatOnesAreDrawn() throws {
        for points in [
            [(3, 4)], [(1, 1), (1, 1)], [(0, 0), (1e9, 0)], [(1e299, 0), (-1e299, 1)], [(.leastNonzeroMagnitude, 0), (0, 0)],
        ] as [[(x: Double, y: Double)]] {
            var options = ScatterMap.Options()
            options.axes = .measured(x: "x", y: "y")
            options.hulls = .convex
            let svg = try ScatterMap(points: points, groups: points.map { _ in "a" }, options: options).svg()
            #expect(!svg.contains("nan") && !svg.contains("NaN") && !svg.contains("inf"))
        }
    }

    @Test func badInputIsRefused() throws {
        #expect(throws: DataError.self) { try ScatterMap(points: []) }
        #expect(throws: DataError.self) { try ScatterMap(points: [(0, 0), (.nan, 1)]) }
        #expect(throws: DataError.self) { try ScatterMap(points: [(0, 0), (.infinity, 1)]) }
        #expect(throws: DataError.self) { try ScatterMap(points: [(0, 0)], groups: ["a", "b"]) }
        #expect(throws: DataError.self) { try ScatterMap(points: [(0, 0)], values: [], title: "") }
    }

    @Test func manyPointsBecomeAnImage() throws {
        let points = Samples.clouds(30_000)
        let svg = try ScatterMap(points: points, groups: names(30_000, groups: 6)).svg()
        let parsed = try ParsedSVG(svg)
        #expect(parsed.all("image").count == 1)
        #expect(svg.utf8.count < 2_500_000)
        #expect(parsed.texts.count == 6)
    }

    @Test func valuesColourTheMap() throws {
        let map = try ScatterMap(points: Samples.spiral(100), values: (0..<100).map { $0 == 3 ? .nan : Double($0) }, title: "文字数")
        #expect(Layout.faults(map.scene()).isEmpty)
        #expect(map.scene().texts.map(\.string).contains("文字数"))
        // All equal: one colour, and a bar that still has two ends.
        #expect(try !ScatterMap(points: Samples.spiral(3), values: [2, 2, 2], title: "").svg().contains("nan"))
    }

    @Test func groupsCloseTogetherGetDifferentColours() throws {
        // Thirteen groups on a line: neighbours differ.
        let points = (0..<130).map { (x: Double($0 / 10), y: Double($0 % 10) * 0.01) }
        let svg = try ParsedSVG(ScatterMap(points: points, groups: (0..<130).map { "g\($0 / 10)" }).svg())
        var colors: [Double: String] = [:]
        var fill = ""
        for element in svg.elements {
            if element.name == "g", let f = element.attributes["fill"] { fill = f }
            if element.name == "circle", let x = element.attributes["cx"].flatMap(Double.init) { colors[x] = fill }
        }
        let row = colors.sorted { $0.key < $1.key }.map(\.value)
        #expect(row.count == 13)
        for (a, b) in zip(row, row.dropFirst()) { #expect(a != b) }
    }
}
