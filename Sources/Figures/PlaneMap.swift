import FileFormats

/// A value over a plane of two quantities as colours, with named points and their intervals on it: people in the parameter space of a
/// model.
package struct PlaneMap: Figure {
    /// A place on the plane; intervals are drawn as thin lines, to the edge where an end is nil.
    package struct Place: Sendable {
        package var name: String
        package var x: Double, y: Double
        package var xInterval: (low: Double?, high: Double?)?, yInterval: (low: Double?, high: Double?)?

        package init(
            _ name: String, x: Double, y: Double, xInterval: (low: Double?, high: Double?)? = nil,
            yInterval: (low: Double?, high: Double?)? = nil
        ) {
            (self.name, self.x, self.y, self.xInterval, self.yInterval) = (name, x, y, xInterval, yInterval)
        }
    }

    package struct Options: Sendable {
        package var page = PageStyle()
        package var title: String?
        package var caption: String?
        package var xTitle: String?, yTitle: String?
        /// What the colours say, and the values at the ends of the scale; those of the data where nil.
        package var valueTitle: String?
        package var valueRange: ClosedRange<Double>?
        package var hasLogarithmicX = false, hasLogarithmicY = false
        package var scale = Palette.Scale.blues

        package init() {}
    }

    package var options: Options
    private let values: [[Double]]
    private let x: ClosedRange<Double>, y: ClosedRange<Double>
    private let places: [Place]

    /// - Parameters:
    ///   - values: `(rows, columns)` of cells that cover the plane evenly on its scales; row 0 is the lowest y, column 0 the lowest x.
    /// - Throws: `DataError` if rows differ in length or are missing, an axis is empty, or a logarithmic one reaches zero.
    package init(
        _ values: [[Double]], x: ClosedRange<Double>, y: ClosedRange<Double>, places: [Place] = [], options: Options = Options()
    ) throws {
        guard let columns = values.first?.count, columns > 0, values.allSatisfy({ $0.count == columns }),
            values.count * columns <= 1_000_000
        else {
            throw DataError(.usage, "a plane needs rows of equal length, at most a million cells")
        }
        for (range, isLogarithmic) in [(x, options.hasLogarithmicX), (y, options.hasLogarithmicY)] {
            guard range.lowerBound < range.upperBound, (range.upperBound - range.lowerBound).isFinite,
                !isLogarithmic || range.lowerBound > 0
            else {
                throw DataError(.usage, "the axis \(range.lowerBound) to \(range.upperBound) cannot be drawn")
            }
        }
        (self.values, self.x, self.y, self.places, self.options) = (values, x, y, places, options)
    }

    package func scene() -> Scene {
        let o = options, f = o.page.fontSize
        let typesetter = Typesetter(families: o.page.families)
        var sheet = Sheet(page: o.page, title: o.title, caption: o.caption, typesetter: typesetter)
        func axis(_ range: ClosedRange<Double>, _ isLogarithmic: Bool, _ title: String?) -> AxisFrame.Axis {
            AxisFrame.Axis(
                low: range.lowerBound, high: range.upperBound, isLogarithmic: isLogarithmic,
                ticks: isLogarithmic
                    ? .logarithmic(from: range.lowerBound, to: range.upperBound) : .linear(from: range.lowerBound, to: range.upperBound),
                title: title.map(Typesetter.oneLine))
        }
        let frame = AxisFrame(x: axis(x, o.hasLogarithmicX, o.xTitle), y: axis(y, o.hasLogarithmicY, o.yTitle), fontSize: f)
        let (low, high) = o.valueRange.map { ($0.lowerBound, $0.upperBound) } ?? ColorBar.range(values.flatMap { $0 })
        let bar = ColorBar(low: low, high: high, title: o.valueTitle, scale: o.scale, fontSize: f),
            barWidth = bar.width(typesetter: typesetter)
        let margins = frame.margins(typesetter: typesetter)
        let plot = sheet.plot(left: margins.left, right: barWidth + f, bottom: margins.bottom, top: f * 0.5) { $0 * 0.85 }

        var cells: [Scene.Element] = []
        let (w, h) = (plot.width / Double(values[0].count), plot.height / Double(values.count))
        for (r, row) in values.enumerated() {
            for (c, value) in row.enumerated() {
                let color = value.isFinite ? o.scale.color(at: min(max((value - low) / (high - low), 0), 1)) : .paleGrey
                // A hair wider, so that no seam shows between cells.
                cells.append(
                    .rectangle(
                        Rectangle(x: plot.x + Double(c) * w, y: plot.maxY - Double(r + 1) * h, width: w + 0.2, height: h + 0.2),
                        .fill(color)))
            }
        }
        var elements: [Scene.Element] = [
            .group(Scene.Group(cells, name: "plane", clip: plot, isRaster: cells.count > 20_000)),
            frame.draw(in: plot, typesetter: typesetter),
        ]

        func across(_ value: Double) -> Double { plot.x + min(max(frame.x.share(value), 0), 1) * plot.width }
        func up(_ value: Double) -> Double { plot.maxY - min(max(frame.y.share(value), 0), 1) * plot.height }
        let accent = Palette.groups[5]
        var lines: [Scene.Element] = []
        for place in places {
            if let interval = place.xInterval {
                lines.append(
                    .line(
                        Point(interval.low.map(across) ?? plot.x, up(place.y)), Point(interval.high.map(across) ?? plot.maxX, up(place.y)),
                        .stroke(accent, width: 0.35, opacity: 0.55)))
            }
            if let interval = place.yInterval {
                lines.append(
                    .line(
                        Point(across(place.x), interval.low.map(up) ?? plot.maxY), Point(across(place.x), interval.high.map(up) ?? plot.y),
                        .stroke(accent, width: 0.35, opacity: 0.55)))
            }
        }
        elements.append(.group(Scene.Group(lines, name: "intervals")))
        let points = places.map { Point(across($0.x), up($0.y)) }, size = 3.6, letters = f * 0.86
        elements.append(.markers(.circle, points, size: size, Marker.circle.style(accent, size: size)))
        let names = places.map { typesetter.fitted(Typesetter.oneLine($0.name), width: plot.width * 0.3, size: letters) }
        let placed = LabelPlacement.place(
            zip(points, names).map { LabelPlacement.request($1, at: $0, size: letters, clearance: size / 2, typesetter) }, avoiding: points,
            within: plot.insetBy(1))
        elements += LabelPlacement.elements(placed, names, size: letters, typesetter)
        elements.append(
            bar.draw(in: Rectangle(x: plot.maxX + f, y: plot.y, width: barWidth, height: min(plot.height, f * 18)), typesetter: typesetter))
        return sheet.scene(with: elements)
    }
}
