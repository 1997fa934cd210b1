import FileFormats

/// A tree of clusters: names at the left, one a line, heights to the right.
package struct DendrogramFigure: Figure {
    /// The page, titles and the cut.
    package struct Options: Sendable {
        /// The page's size and fonts.
        package var page = PageStyle()
        /// A title above the picture.
        package var title: String?
        /// A line below the picture: method, metric, parameters.
        package var caption: String?
        /// What the heights are.
        package var xTitle: String?
        /// Draws the cut at this height.
        package var cut: Double?

        /// No titles, no cut.
        package init() {}
    }

    /// Page, titles and appearance.
    package var options: Options
    private let names: [String]
    private let merges: [(first: Int, second: Int, height: Double)]
    private let clusters: [Int]?

    /// - Parameters:
    ///   - merges: clusters that join; leaves are 0 ..< n, merge k makes cluster n + k.
    ///   - clusters: the cluster of each leaf, by which names are coloured.
    /// - Throws: `DataError` if merges do not make a tree of the names, or there are more leaves than a page can show.
    package init(
        names: [String], merges: [(first: Int, second: Int, height: Double)], clusters: [Int]? = nil, options: Options = Options()
    ) throws {
        guard names.count >= 2, merges.count == names.count - 1,
            merges.enumerated().allSatisfy({ k, m in
                m.first >= 0 && m.second >= 0 && max(m.first, m.second) < names.count + k && m.first != m.second
            })
        else {
            throw DataError(.badData, "\(merges.count) merges do not make a tree of \(names.count) leaves")
        }
        guard names.count <= 2000 else {
            throw DataError(.usage, "a tree of \(names.count) leaves does not fit on a page; use at most 2,000")
        }
        self.names = names.map(Typesetter.oneLine)
        self.merges = merges
        self.clusters = clusters
        self.options = options
    }

    /// The picture as shapes and text.
    package func scene() -> Scene {
        let o = options, f = o.page.fontSize, n = names.count, typesetter = Typesetter(families: o.page.families)
        var sheet = Sheet(page: o.page, title: o.title, caption: o.caption, typesetter: typesetter)
        // Ward's heights of equal rows may be a rounding error below zero.
        let highest = max(merges.map(\.height).max() ?? 1, 1e-300) * 1.02, lowest = min(0, merges.map(\.height).min() ?? 0)
        let xAxis = AxisFrame.Axis(
            low: lowest, high: highest, ticks: .linear(from: lowest, to: highest, count: 4), title: o.xTitle.map(Typesetter.oneLine))
        let yAxis = AxisFrame.Axis(low: 0, high: Double(n), ticks: Ticks(values: [], labels: []), title: nil)
        let frame = AxisFrame(x: xAxis, y: yAxis, fontSize: f), margins = frame.margins(typesetter: typesetter)
        let labels = names.map { typesetter.fitted($0, width: o.page.width.points * 0.42, size: f) }
        let left = (labels.map { typesetter.width($0, size: f) }.max() ?? 0) + f * 0.6
        let line = max(f * 1.15, 1),
            plot = sheet.plot(left: left, right: 4, bottom: margins.bottom, top: 2) { _ in min(line * Double(n), 5000) }
        // Leaves in the tree's order.
        var order: [Int] = [], stack = [2 * n - 2]
        while let cluster = stack.popLast() {
            if cluster < n { order.append(cluster) } else { stack += [merges[cluster - n].second, merges[cluster - n].first] }
        }
        var y = [Double](repeating: 0, count: 2 * n - 1), x = [Double](repeating: plot.x + xAxis.share(0) * plot.width, count: 2 * n - 1)
        for (place, leaf) in order.enumerated() { y[leaf] = plot.y + (Double(place) + 0.5) / Double(n) * plot.height }
        var elements: [Scene.Element] = [frame.draw(in: plot, typesetter: typesetter)]
        for (k, merge) in merges.enumerated() {
            let right = plot.x + xAxis.share(merge.height) * plot.width
            let corners = [
                Scene.Point(x[merge.first], y[merge.first]), Scene.Point(right, y[merge.first]), Scene.Point(right, y[merge.second]),
                Scene.Point(x[merge.second], y[merge.second]),
            ]
            elements.append(.path(Scene.Path(polygon: corners, closed: false), .stroke(.ink, width: 0.6)))
            (x[n + k], y[n + k]) = (right, (y[merge.first] + y[merge.second]) / 2)
        }
        if let cut = o.cut, cut > lowest, cut < highest {
            let h = plot.x + xAxis.share(cut) * plot.width
            elements.append(.line(Scene.Point(h, plot.y), Scene.Point(h, plot.maxY), .stroke(.grey, width: 0.6, dash: [1, 1.6])))
        }
        let every = max(1, Int((f * 1.02 / (plot.height / Double(n))).rounded(.up)))
        for (place, leaf) in order.enumerated() where place % every == 0 {
            let color = clusters.map { Palette.groups[$0[leaf] % Palette.groups.count] } ?? .ink
            elements.append(
                .text(Scene.Text(labels[leaf], at: Scene.Point(plot.x - f * 0.4, y[leaf] + f * 0.36), size: f, color: color, anchor: .end)))
        }
        return sheet.scene(with: elements)
    }
}
