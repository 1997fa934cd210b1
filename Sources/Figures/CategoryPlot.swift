import FileFormats

/// Values in a few categories: single values as points, their mean with its interval next to them. Conditions, models, subjects.
package struct CategoryPlot: Figure {
    package struct Category: Sendable {
        package var name: String
        package var points: [Double]
        package var mean: Double
        package var interval: ClosedRange<Double>?

        package init(_ name: String, points: [Double] = [], mean: Double, interval: ClosedRange<Double>? = nil) {
            (self.name, self.points, self.mean, self.interval) = (name, points, mean, interval)
        }
    }

    package struct Options: Sendable {
        package var page = PageStyle()
        package var title: String?
        package var caption: String?
        package var yTitle: String?
        /// A shaded range over all categories, such as a noise ceiling, with its name.
        package var band: (range: ClosedRange<Double>, name: String)?
        /// A dotted line, such as zero or chance.
        package var reference: Double?
        /// Joins the points of neighbouring categories, which then belong to the same items in the same order.
        package var connects = false

        package init() {}
    }

    package var options: Options
    private let categories: [Category]

    /// - Throws: `DataError` if there is nothing finite to draw.
    package init(_ categories: [Category], options: Options = Options()) throws {
        guard !categories.isEmpty, categories.contains(where: { $0.mean.isFinite }) else {
            throw DataError(.badData, "no finite values to draw")
        }
        self.categories = categories
        self.options = options
    }

    package func scene() -> Scene {
        let o = options, f = o.page.fontSize, typesetter = Typesetter(families: o.page.families)
        var sheet = Sheet(page: o.page, title: o.title, caption: o.caption, typesetter: typesetter)
        var values = categories.flatMap { c in c.points + [c.mean] + (c.interval.map { [$0.lowerBound, $0.upperBound] } ?? []) }.filter {
            $0.magnitude < 1e300
        }
        if let band = o.band { values += [band.range.lowerBound, band.range.upperBound] }
        if let reference = o.reference { values.append(reference) }
        var low = values.min() ?? 0, high = values.max() ?? 1
        let room = high > low ? (high - low) * 0.06 : 0.5
        (low, high) = (low - room, high + room)
        let count = Double(categories.count)
        let yAxis = AxisFrame.Axis(
            low: low, high: high, ticks: .linear(from: low, to: high, count: 5), title: o.yTitle.map(Typesetter.oneLine))
        let xAxis = AxisFrame.Axis(low: 0, high: count, ticks: Ticks(values: [], labels: []), title: nil)
        let frame = AxisFrame(x: xAxis, y: yAxis, fontSize: f), margins = frame.margins(typesetter: typesetter)
        let cell = (o.page.width.points - 2 * Sheet.margin - margins.left) / count
        // Names that are wider than their place are turned.
        let names = categories.map { typesetter.fitted(Typesetter.oneLine($0.name), width: o.page.width.points * 0.3, size: f) }
        let widest = names.map { typesetter.width($0, size: f) }.max() ?? 0, isTurned = widest > cell - 2
        let plot = sheet.plot(left: margins.left, right: 2, bottom: (isTurned ? widest + f * 0.6 : f * 1.6), top: f * 0.5) { $0 * 0.7 }
        func y(_ value: Double) -> Double { plot.maxY - yAxis.share(value) * plot.height }
        func x(_ place: Double) -> Double { plot.x + place / count * plot.width }

        var elements: [Scene.Element] = []
        if let band = o.band {
            let top = y(band.range.upperBound)
            elements.append(
                .rectangle(
                    Scene.Rectangle(x: plot.x, y: top, width: plot.width, height: max(y(band.range.lowerBound) - top, 0.5)),
                    .fill(.paleGrey)))
            elements.append(
                .text(Scene.Text(band.name, at: Scene.Point(plot.maxX - 2, top + f), size: f * 0.9, color: .grey, anchor: .end)))
        }
        elements.append(frame.draw(in: plot, typesetter: typesetter))
        if let reference = o.reference {
            elements.append(
                .line(Scene.Point(plot.x, y(reference)), Scene.Point(plot.maxX, y(reference)), .stroke(.grey, width: 0.6, dash: [1, 1.6])))
        }
        // Points spread over the left half of their place in a fixed order, the mean stands right of them.
        func spot(_ category: Int, _ index: Int) -> Scene.Point {
            let spread = Double((index * 7) % 11) / 11
            return Scene.Point(x(Double(category) + 0.22 + 0.26 * spread), y(categories[category].points[index]))
        }
        if o.connects, categories.allSatisfy({ $0.points.count == categories[0].points.count }) {
            for i in categories[0].points.indices {
                let line = categories.indices.map { spot($0, i) }
                elements.append(.path(Scene.Path(polygon: line, closed: false), .stroke(.lightGrey, width: 0.35)))
            }
        }
        for (i, category) in categories.enumerated() {
            let color = Palette.groups[i % Palette.groups.count], marker = Marker.allCases[0]
            let points = category.points.indices.filter { category.points[$0].isFinite }.map { spot(i, $0) }
            if !points.isEmpty { elements.append(.markers(marker, points, size: 2.4, .fill(color, opacity: 0.45))) }
            let middle = x(Double(i) + (category.points.isEmpty ? 0.5 : 0.68))
            if let interval = category.interval, interval.lowerBound.isFinite, interval.upperBound.isFinite {
                for (a, b) in [((middle, interval.lowerBound), (middle, interval.upperBound))] {
                    elements.append(.line(Scene.Point(a.0, y(a.1)), Scene.Point(b.0, y(b.1)), .stroke(.ink, width: 0.9)))
                }
                for end in [interval.lowerBound, interval.upperBound] {
                    elements.append(.line(Scene.Point(middle - 2, y(end)), Scene.Point(middle + 2, y(end)), .stroke(.ink, width: 0.9)))
                }
            }
            if category.mean.isFinite {
                elements.append(.markers(marker, [Scene.Point(middle, y(category.mean))], size: 4.6, marker.style(color, size: 4.6)))
            }
            let below = Scene.Point(x(Double(i) + 0.5), plot.maxY + f * 1.25)
            elements.append(
                .text(
                    isTurned
                        ? Scene.Text(
                            names[i], at: Scene.Point(below.x + f * 0.36, plot.maxY + f * 0.4), size: f, anchor: .end, rotation: 90)
                        : Scene.Text(names[i], at: below, size: f, anchor: .middle)))
        }
        return sheet.scene(with: elements)
    }
}
