import FileFormats

/// A matrix as coloured cells: attention between words, distances, similarities of sentences.
package struct Heatmap: Figure {
    /// Titles, colours and range of values.
    package struct Options: Sendable {
        /// The page's size and fonts.
        package var page = PageStyle()
        /// A title above the picture.
        package var title: String?
        /// A line below the picture: method, metric, parameters.
        package var caption: String?
        /// What rows and columns are, as "query" and "key".
        package var rowTitle: String?
        /// What the columns are, as "key".
        package var columnTitle: String?
        /// What the colours say.
        package var valueTitle: String?
        /// The colour scale of the values.
        package var scale = Palette.Scale.blues
        /// The values at the ends of the scale; those of the data where nil. A diverging scale is made symmetric around zero then.
        package var range: ClosedRange<Double>?
        /// Writes each value into its cell, with this many digits after the point, where the cells are large enough.
        package var digits: Int?
        /// Whether a bar explains the colours.
        package var hasColorBar = true
        /// Lines before these rows and columns, between groups.
        package var borders: [Int] = []
        /// The tree of the rows, drawn next to them: clusters that join and their height, leaves 0 ..< rows in the order of the rows; none
        /// if empty.
        package var tree: [(first: Int, second: Int, height: Double)] = []

        /// Blue colours over the range of the data, with a colour bar and no titles.
        package init() {}
    }

    /// Page, titles and appearance.
    package var options: Options
    private let values: [[Double]]
    private let rowLabels: [String]
    private let columnLabels: [String]

    /// - Parameters:
    ///   - values: `(rows, columns)`; cells that are not finite are drawn grey with a slash.
    ///   - rowLabels: one a row, or none.
    ///   - columnLabels: one a column, or none.
    /// - Throws: `DataError` if rows differ in length, labels do not match, or there are more than four million cells.
    package init(_ values: [[Double]], rowLabels: [String] = [], columnLabels: [String] = [], options: Options = Options()) throws {
        guard let columns = values.first?.count, columns > 0 else { throw DataError(.badData, "a heat map needs at least one cell") }
        if let bad = values.firstIndex(where: { $0.count != columns }) {
            throw DataError(.badData, "row \(bad) has \(values[bad].count) values, row 0 has \(columns)")
        }
        guard values.count * columns <= 4_000_000 else {
            throw DataError(
                .usage,
                "a heat map of \(values.count) × \(columns) cells does not fit on a page; use at most four million "
                    + "cells")
        }
        guard rowLabels.isEmpty || rowLabels.count == values.count, columnLabels.isEmpty || columnLabels.count == columns else {
            throw DataError(.usage, "\(values.count) × \(columns) cells but \(rowLabels.count) row and \(columnLabels.count) column labels")
        }
        guard
            options.tree.isEmpty
                || options.tree.count == values.count - 1
                    && options.tree.enumerated().allSatisfy({ k, m in
                        min(m.first, m.second) >= 0 && max(m.first, m.second) < values.count + k && m.first != m.second
                    })
        else { throw DataError(.usage, "\(options.tree.count) merges do not make a tree of \(values.count) rows") }
        self.values = values
        self.rowLabels = rowLabels.map(Typesetter.oneLine)
        self.columnLabels = columnLabels.map(Typesetter.oneLine)
        self.options = options
    }

    /// The picture as shapes and text.
    package func scene() -> Scene {
        let o = options, f = o.page.fontSize
        let typesetter = Typesetter(families: o.page.families)
        var sheet = Sheet(page: o.page, title: o.title, caption: o.caption, typesetter: typesetter)
        let (low, high) = range()
        let colorBar = o.hasColorBar ? ColorBar(low: low, high: high, title: o.valueTitle, scale: o.scale, fontSize: f) : nil
        let barWidth = colorBar.map { $0.width(typesetter: typesetter) + f } ?? 0
        let (rows, columns) = (values.count, values[0].count)
        let pageWidth = o.page.width.points - 2 * Sheet.margin

        // Row names left, at most a third of the page.
        let rowNames = rowLabels.map { typesetter.fitted($0, width: pageWidth * 0.33, size: f) }
        let left =
            (rowNames.map { typesetter.width($0, size: f) }.max() ?? 0) + (rowNames.isEmpty ? 0 : f * 0.5)
            + (o.rowTitle == nil ? 0 : f * 1.5)
        let treeWidth = o.tree.isEmpty ? 0 : pageWidth * 0.16
        let plotWidth = max(pageWidth - left - barWidth - treeWidth, f * 4)
        let cellWidth = plotWidth / Double(columns)
        // Column names above, as the words of a sentence are read; turned where they are wider than a cell.
        let columnNames = columnLabels.map { typesetter.fitted($0, width: pageWidth * 0.33, size: f) }
        let widest = columnNames.map { typesetter.width($0, size: f) }.max() ?? 0
        let isTurned = widest > cellWidth - 1
        let top = (columnNames.isEmpty ? 0 : isTurned ? widest + f * 0.4 : f * 1.4) + (o.columnTitle == nil ? 0 : f * 1.5)

        let plot = sheet.plot(left: left, right: barWidth + treeWidth, bottom: 1, top: top) { width in
            // Square cells where the matrix is not far from square.
            min(max(width / Double(columns) * Double(rows), width * 0.2), width * 2)
        }
        let cellHeight = plot.height / Double(rows)
        var elements: [Scene.Element] = [cells(in: plot, low, high)]
        elements.append(.rectangle(plot, .stroke(.grey, width: 0.35)))
        for border in o.borders {
            if border > 0, border < rows {
                let y = plot.y + Double(border) * cellHeight
                elements.append(.line(Scene.Point(plot.x, y), Scene.Point(plot.maxX, y), .stroke(.ink, width: 0.6)))
            }
            if border > 0, border < columns {
                let x = plot.x + Double(border) * cellWidth
                elements.append(.line(Scene.Point(x, plot.y), Scene.Point(x, plot.maxY), .stroke(.ink, width: 0.6)))
            }
        }

        // Names that would overlap are left out evenly: every second, every third …
        func every(_ cell: Double) -> Int { max(1, Int((f * 1.02 / cell).rounded(.up))) }
        for (i, name) in rowNames.enumerated() where i % every(cellHeight) == 0 {
            let y = plot.y + (Double(i) + 0.5) * cellHeight
            elements.append(.text(Scene.Text(name, at: Scene.Point(plot.x - f * 0.4, y + f * 0.36), size: f, anchor: .end)))
        }
        for (i, name) in columnNames.enumerated() where !isTurned || i % every(cellWidth) == 0 {
            let x = plot.x + (Double(i) + 0.5) * cellWidth
            elements.append(
                .text(
                    isTurned
                        ? Scene.Text(name, at: Scene.Point(x + f * 0.36, plot.y - f * 0.4), size: f, rotation: 90)
                        : Scene.Text(name, at: Scene.Point(x, plot.y - f * 0.45), size: f, anchor: .middle)))
        }
        if let title = o.rowTitle {
            let fitted = typesetter.fitted(title, width: plot.height, size: f)
            elements.append(
                .text(Scene.Text(fitted, at: Scene.Point(Sheet.margin + f * 0.9, plot.center.y), size: f, anchor: .middle, rotation: 90)))
        }
        if let title = o.columnTitle {
            let fitted = typesetter.fitted(title, width: plot.width, size: f)
            elements.append(.text(Scene.Text(fitted, at: Scene.Point(plot.center.x, plot.y - top + f), size: f, anchor: .middle)))
        }
        elements += numbers(in: plot, low, high, typesetter)
        if treeWidth > 0 {
            elements.append(
                Self.tree(o.tree, rows: rows, in: Scene.Rectangle(x: plot.maxX + 1.5, y: plot.y, width: treeWidth - 4, height: plot.height))
            )
        }
        if let colorBar {
            elements.append(
                colorBar.draw(
                    in: Scene.Rectangle(x: plot.maxX + f + treeWidth, y: plot.y, width: barWidth - f, height: min(plot.height, f * 18)),
                    typesetter: typesetter))
        }
        return sheet.scene(with: elements)
    }

    // MARK: Parts

    /// A tree whose leaves touch the rows, its root at the right.
    private static func tree(_ merges: [(first: Int, second: Int, height: Double)], rows n: Int, in area: Scene.Rectangle) -> Scene.Element
    {
        let highest = max(merges.map(\.height).max() ?? 1, 1e-300)
        var x = [Double](repeating: area.x, count: n + merges.count),
            y = (0..<n).map { area.y + (Double($0) + 0.5) / Double(n) * area.height } + merges.map { _ in 0 }
        var lines: [Scene.Element] = []
        for (k, merge) in merges.enumerated() {
            let right = area.x + max(0, merge.height) / highest * area.width
            let corners = [(merge.first, x[merge.first]), (merge.first, right), (merge.second, right), (merge.second, x[merge.second])].map
            { Scene.Point($0.1, y[$0.0]) }
            lines.append(.path(Scene.Path(polygon: corners, closed: false), .stroke(.ink, width: n > 200 ? 0.25 : 0.5)))
            (x[n + k], y[n + k]) = (right, (y[merge.first] + y[merge.second]) / 2)
        }
        return .group(Scene.Group(lines, name: "tree"))
    }

    private func range() -> (Double, Double) {
        if let range = options.range, range.upperBound > range.lowerBound, (range.upperBound - range.lowerBound).isFinite {
            return (range.lowerBound, range.upperBound)
        }
        var (low, high) = (Double.infinity, -Double.infinity)
        for row in values {
            for value in row where value.magnitude < 1e300 { (low, high) = (min(low, value), max(high, value)) }
        }
        if case .diverging = options.scale, low <= high {
            let reach = max(abs(low), abs(high))
            return reach > 0 ? (-reach, reach) : (-1, 1)
        }
        return ColorBar.range(low <= high ? [low, high] : [])
    }

    private func color(_ value: Double, _ low: Double, _ high: Double) -> Color {
        // In steps of a 255th: a screen shows no more, and equal neighbours become one rectangle.
        options.scale.color(at: (min(max((value - low) / (high - low), 0), 1) * 255).rounded() / 255)
    }

    private func cells(in plot: Scene.Rectangle, _ low: Double, _ high: Double) -> Scene.Element {
        let (rows, columns) = (values.count, values[0].count)
        let (w, h) = (plot.width / Double(columns), plot.height / Double(rows))
        var elements: [Scene.Element] = []
        for (r, row) in values.enumerated() {
            var c = 0
            while c < columns {
                let isMissing = !row[c].isFinite
                let fill = isMissing ? Color.paleGrey : color(row[c], low, high)
                var end = c + 1
                while end < columns, !isMissing, row[end].isFinite, color(row[end], low, high) == fill { end += 1 }
                let cell = Scene.Rectangle(x: plot.x + Double(c) * w, y: plot.y + Double(r) * h, width: Double(end - c) * w, height: h)
                elements.append(.rectangle(cell, .fill(fill)))
                if isMissing, min(w, h) > 3 {
                    elements.append(.line(Scene.Point(cell.x, cell.maxY), Scene.Point(cell.maxX, cell.y), .stroke(.lightGrey, width: 0.35)))
                }
                c = end
            }
        }
        return .group(Scene.Group(elements, name: "cells", isRaster: rows * columns > 40_000))
    }

    private func numbers(in plot: Scene.Rectangle, _ low: Double, _ high: Double, _ typesetter: Typesetter) -> [Scene.Element] {
        guard let digits = options.digits, values.count * values[0].count <= 2500 else { return [] }
        let (w, h) = (plot.width / Double(values[0].count), plot.height / Double(values.count))
        let size = min(options.page.fontSize * 0.9, h * 0.7)
        let texts = values.map { $0.map { $0.isFinite ? $0.fixed(digits) : "" } }
        let widest = texts.joined().map { typesetter.width($0, size: size) }.max() ?? 0
        // Illegible numbers are left out.
        let fitted = widest > w - 1 ? size * (w - 1) / widest : size
        guard fitted >= 3.5 else { return [] }
        var elements: [Scene.Element] = []
        for (r, row) in texts.enumerated() {
            for (c, text) in row.enumerated() where !text.isEmpty {
                let ground = color(values[r][c], low, high)
                let ink = ground.contrast(with: .white) > ground.contrast(with: .ink) ? Color.white : .ink
                elements.append(
                    .text(
                        Scene.Text(
                            text, at: Scene.Point(plot.x + (Double(c) + 0.5) * w, plot.y + (Double(r) + 0.5) * h + fitted * 0.36),
                            size: fitted,
                            color: ink, anchor: .middle)))
            }
        }
        return [.group(Scene.Group(elements, name: "values"))]
    }
}
