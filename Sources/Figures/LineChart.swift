import FileFormats

/// Curves over a number: losses over steps, explained variance over components, measures over layers.
package struct LineChart: Figure {
    /// One curve.
    package struct Series: Sendable {
        /// The name in the legend.
        package var name: String
        /// Places on the x axis, one per value.
        package var x: [Double]
        /// The values; the curve is interrupted where one is not finite.
        package var y: [Double]
        /// The lower and upper edge of a band around the curve, such as a confidence interval.
        package var band: (low: [Double], high: [Double])?
        /// Whether every value has a marker.
        package var hasMarkers: Bool
        /// Whether the values are joined; without, only markers show.
        package var hasLine: Bool
        package var isDashed: Bool
        /// Colour and mark by their number in the palette, so that two curves may share them; those of its place in the list where nil.
        package var styleNumber: Int?

        /// - Parameters:
        ///   - x: places; 0, 1, 2 … where nil.
        ///   - y: values; the curve is interrupted where one is not finite.
        package init(
            _ name: String, x: [Double]? = nil, y: [Double], band: (low: [Double], high: [Double])? = nil, hasMarkers: Bool = false,
            hasLine: Bool = true, isDashed: Bool = false
        ) {
            self.name = name
            self.x = x ?? y.indices.map(Double.init)
            self.y = y
            self.band = band
            self.hasMarkers = hasMarkers || !hasLine
            self.hasLine = hasLine
            self.isDashed = isDashed
        }
    }

    /// Titles and axes.
    package struct Options: Sendable {
        /// The page's size and fonts.
        package var page = PageStyle()
        /// A title above the picture.
        package var title: String?
        /// A line below the picture: method, metric, parameters.
        package var caption: String?
        /// What the x axis shows.
        package var xTitle: String?
        /// What the y axis shows.
        package var yTitle: String?
        /// Whether the x axis is logarithmic.
        package var hasLogarithmicX = false
        /// Whether the y axis is logarithmic.
        package var hasLogarithmicY = false
        /// Fixed ends of an axis; found from the data where nil.
        package var xRange: ClosedRange<Double>?
        /// Fixed ends of the y axis; found from the data if nil.
        package var yRange: ClosedRange<Double>?
        /// Names for places on the x axis, such as layers, instead of numbers.
        package var xNames: [(place: Double, name: String)] = []
        /// Dotted vertical lines with a word, such as the best step.
        package var verticalMarks: [(place: Double, name: String)] = []
        /// Dotted horizontal lines with a word, such as a baseline.
        package var horizontalMarks: [(value: Double, name: String)] = []
        package var hasGrid = true
        /// A grey area between two curves, such as a noise ceiling over time, with its name.
        package var shade: (x: [Double], low: [Double], high: [Double], name: String)?
        /// Bars under the curves in the colour of a curve, such as times at which it is significant; one row for each curve that has some.
        package var spans: [(series: Int, from: Double, to: Double)] = []

        /// Linear axes over the range of the data, no titles.
        package init() {}
    }

    /// Page, titles and appearance.
    package var options: Options
    private let series: [Series]

    /// - Throws: `DataError` if a series has lists of different lengths, or there is nothing finite to draw.
    package init(_ series: [Series], options: Options = Options()) throws {
        for s in series {
            guard s.x.count == s.y.count, s.band.map({ $0.low.count == s.y.count && $0.high.count == s.y.count }) ?? true else {
                throw DataError(.usage, "the curve \"\(s.name)\" has lists of different lengths")
            }
        }
        self.series = series
        self.options = options
        guard series.contains(where: { s in zip(s.x, s.y).contains { isDrawable($0, $1) } }) else {
            throw DataError(
                .badData,
                "no finite values to "
                    + "draw\(options.hasLogarithmicY ? " (a logarithmic axis needs values above zero)" : "")")
        }
    }

    /// A curve of explained variance over components.
    package static func scree(explainedVarianceRatio: [Double], options: Options = Options()) throws -> LineChart {
        var options = options
        let language = options.page.language
        options.xTitle = options.xTitle ?? language.says("Principal component", "主成分")
        options.yTitle = options.yTitle ?? language.says("Explained variance (%)", "寄与率 (%)")
        if options.yRange == nil { options.yRange = 0...100 }
        let x = explainedVarianceRatio.indices.map { Double($0 + 1) }
        var sum = 0.0
        let cumulative = explainedVarianceRatio.map { ratio -> Double in
            sum += ratio
            return sum * 100
        }
        return try LineChart(
            [
                Series(language.says("each component", "各成分"), x: x, y: explainedVarianceRatio.map { $0 * 100 }, hasMarkers: x.count <= 60),
                Series(language.says("cumulative", "累積"), x: x, y: cumulative, hasMarkers: x.count <= 60, isDashed: true),
            ], options: options)
    }

    /// The picture as shapes and text.
    package func scene() -> Scene {
        let o = options, f = o.page.fontSize
        let typesetter = Typesetter(families: o.page.families)
        var sheet = Sheet(page: o.page, title: o.title, caption: o.caption, typesetter: typesetter)
        let numbers = series.enumerated().map { max($1.styleNumber ?? $0, 0) }
        let colors = numbers.map { Palette.groups[$0 % Palette.groups.count] }
        if series.count > 1 || o.shade != nil {
            var entries = series.enumerated().map { i, s in
                let mark = marker(numbers[i])
                return Legend.Entry(
                    name: s.name,
                    sample: s.hasLine
                        ? .line(style(s, colors[i]), s.hasMarkers ? mark : nil) : .marker(mark, mark.style(colors[i], size: 3.6)))
            }
            if let shade = o.shade {
                entries.append(Legend.Entry(name: shade.name, sample: .line(.stroke(Self.shadeColor, width: 5), nil)))
            }
            sheet.legend = Legend(entries: entries, fontSize: f)
        }

        let (xAxis, yAxis) = axes()
        let frame = AxisFrame(x: xAxis, y: yAxis, fontSize: f)
        let margins = frame.margins(typesetter: typesetter)
        // The last number of the x axis reaches half over the edge.
        let overhang = (xAxis.ticks.labels.last.map { typesetter.width($0, size: f) } ?? 0) / 2
        let plot = sheet.plot(left: margins.left, right: max(overhang - 1, 2), bottom: margins.bottom, top: f * 0.5) { $0 * 0.62 }

        var elements: [Scene.Element] = []
        if let shade = o.shade {
            let kept = shade.x.indices.filter { isDrawable(shade.x[$0], shade.low[$0]) && isDrawable(shade.x[$0], shade.high[$0]) }
            let edge = kept.map { place(shade.x[$0], shade.high[$0]) } + kept.reversed().map { place(shade.x[$0], shade.low[$0]) }
            elements.append(.group(Scene.Group([.path(Scene.Path(polygon: edge), .fill(Self.shadeColor))], name: "shade", clip: plot)))
        }
        elements.append(frame.draw(in: plot, typesetter: typesetter, grid: o.hasGrid))
        func place(_ x: Double, _ y: Double) -> Scene.Point {
            Scene.Point(plot.x + xAxis.share(x) * plot.width, plot.maxY - yAxis.share(y) * plot.height)
        }
        for (i, s) in series.enumerated() {
            guard let band = s.band else { continue }
            let kept = s.x.indices.filter { isDrawable(s.x[$0], band.low[$0]) && isDrawable(s.x[$0], band.high[$0]) }
            let edge = kept.map { place(s.x[$0], band.high[$0]) } + kept.reversed().map { place(s.x[$0], band.low[$0]) }
            elements.append(clipped(.path(Scene.Path(polygon: edge), .fill(colors[i], opacity: 0.18)), to: plot))
        }
        var segments: [LabelPlacement.Segment] = []
        for (i, s) in series.enumerated() {
            var runs: [[Scene.Point]] = [[]]
            for (x, y) in zip(s.x, s.y) {
                if isDrawable(x, y) { runs[runs.count - 1].append(place(x, y)) } else if !runs[runs.count - 1].isEmpty { runs.append([]) }
            }
            for run in runs where s.hasLine && !run.isEmpty {
                let thinned = Self.thinned(run)
                segments += zip(thinned, thinned.dropFirst()).map { LabelPlacement.Segment(from: $0, to: $1) }
                elements.append(clipped(.path(Scene.Path(polygon: thinned, closed: false), style(s, colors[i])), to: plot.insetBy(-1)))
            }
            let points = runs.joined().filter { plot.insetBy(-0.5).contains($0) }
            // A curve of one value is a point.
            if s.hasMarkers || points.count == 1 {
                elements.append(.markers(marker(numbers[i]), Array(points), size: 3.6, marker(numbers[i]).style(colors[i], size: 3.6)))
            }
        }
        elements += spans(in: plot, xAxis, colors)
        elements += marks(in: plot, xAxis, yAxis, avoiding: segments, typesetter)
        return sheet.scene(with: elements)
    }

    // MARK: Parts

    private static let shadeColor = Color.paleGrey

    /// Curves that have spans, and the height that a row of them takes.
    private var spanRows: [Int] { Array(Set(options.spans.map(\.series))).sorted() }
    private var spanHeight: Double { options.page.fontSize * 0.5 }

    private func spans(in plot: Scene.Rectangle, _ xAxis: AxisFrame.Axis, _ colors: [Color]) -> [Scene.Element] {
        options.spans.filter { colors.indices.contains($0.series) }.map { span in
            let row = spanRows.firstIndex(of: span.series) ?? 0, y = plot.maxY - 2 - (Double(spanRows.count - 1 - row) + 0.5) * spanHeight
            let left = plot.x + xAxis.share(max(span.from, xAxis.low)) * plot.width,
                right = plot.x + xAxis.share(min(span.to, xAxis.high)) * plot.width
            // A single time is a point.
            return .line(Scene.Point(left - 0.6, y), Scene.Point(right + 0.6, y), .stroke(colors[span.series], width: spanHeight * 0.55))
        }
    }

    private func isDrawable(_ x: Double, _ y: Double) -> Bool {
        x.magnitude < 1e300 && y.magnitude < 1e300 && (!options.hasLogarithmicX || x > 0) && (!options.hasLogarithmicY || y > 0)
    }

    private func style(_ s: Series, _ color: Color) -> Scene.Style { .stroke(color, width: 1, dash: s.isDashed ? [3, 1.8] : []) }

    private func marker(_ index: Int) -> Marker { Marker.allCases[index % Marker.allCases.count] }

    private func clipped(_ element: Scene.Element, to plot: Scene.Rectangle) -> Scene.Element {
        // Only fixed ranges can be left.
        options.xRange == nil && options.yRange == nil ? element : .group(Scene.Group([element], clip: plot))
    }

    private func axes() -> (x: AxisFrame.Axis, y: AxisFrame.Axis) {
        let o = options
        var xs: [Double] = [], ys: [Double] = []
        for s in series {
            for i in s.x.indices where isDrawable(s.x[i], s.y[i]) {
                xs.append(s.x[i])
                ys.append(s.y[i])
                if let band = s.band {
                    if isDrawable(s.x[i], band.low[i]) { ys.append(band.low[i]) }
                    if isDrawable(s.x[i], band.high[i]) { ys.append(band.high[i]) }
                }
            }
        }
        for mark in o.horizontalMarks where isDrawable(1, mark.value) { ys.append(mark.value) }
        if let shade = o.shade { ys += (shade.low + shade.high).filter { isDrawable(1, $0) } }

        func ends(_ values: [Double], _ fixed: ClosedRange<Double>?, isLogarithmic: Bool, margin: Double) -> (Double, Double) {
            var (low, high) = (values.min() ?? 0, values.max() ?? 1)
            if let fixed, fixed.lowerBound.isFinite, fixed.upperBound.isFinite, !isLogarithmic || fixed.lowerBound > 0 {
                (low, high) = (fixed.lowerBound, fixed.upperBound)
            } else if isLogarithmic {
                let factor = power(high / low, margin)
                (low, high) = (low / factor, high * factor)
            } else {
                let room = (high - low) * margin
                // Zero stays the end of what only just begins above it.
                let reachesZero = low >= 0 && low - room * 2 <= 0
                (low, high) = (reachesZero ? 0 : low - room, high + room)
            }
            if !(high > low) {
                let half = isLogarithmic ? 0 : max(abs(low) * 0.1, 0.5)
                (low, high) = isLogarithmic ? (low / 2, high * 2) : (low - half, high + half)
            }
            return (low, high)
        }
        let (left, right) = ends(xs, o.xRange, isLogarithmic: o.hasLogarithmicX, margin: xs.count <= 60 ? 0.03 : 0)
        var (low, high) = ends(ys, o.yRange, isLogarithmic: o.hasLogarithmicY, margin: 0.05)
        // Room for the bars under the curves, which are about 0.62 of the width high.
        if !spanRows.isEmpty, o.yRange == nil, !o.hasLogarithmicY {
            low -= (high - low) * min(0.4, (Double(spanRows.count) * spanHeight + 4) / (o.page.width.points * 0.5))
        }
        let width = o.page.width.points
        var xTicks =
            o.hasLogarithmicX ? Ticks.logarithmic(from: left, to: right) : .linear(from: left, to: right, count: max(3, Int(width / 42)))
        // Layers and components are counted in whole numbers.
        if !o.hasLogarithmicX, xs.allSatisfy({ $0 == $0.rounded() }) {
            let whole = xTicks.values.indices.filter { xTicks.values[$0] == xTicks.values[$0].rounded() }
            if whole.count < xTicks.values.count {
                let values = whole.map { xTicks.values[$0] }
                xTicks = Ticks(values: values, labels: values.map { $0.fixed(0) })
            }
        }
        if !o.xNames.isEmpty {
            let inside = o.xNames.filter { $0.place >= left && $0.place <= right }
            xTicks = Ticks(values: inside.map(\.place), labels: inside.map { Typesetter.oneLine($0.name) })
        }
        let yTicks = o.hasLogarithmicY ? Ticks.logarithmic(from: low, to: high) : .linear(from: low, to: high, count: 5)
        return (
            AxisFrame.Axis(
                low: left, high: right, isLogarithmic: o.hasLogarithmicX, ticks: xTicks, title: o.xTitle.map(Typesetter.oneLine)),
            AxisFrame.Axis(low: low, high: high, isLogarithmic: o.hasLogarithmicY, ticks: yTicks, title: o.yTitle.map(Typesetter.oneLine))
        )
    }

    private func marks(
        in plot: Scene.Rectangle, _ xAxis: AxisFrame.Axis, _ yAxis: AxisFrame.Axis, avoiding curves: [LabelPlacement.Segment],
        _ typesetter: Typesetter
    ) -> [Scene.Element] {
        let f = options.page.fontSize * 0.9
        var elements: [Scene.Element] = []
        for mark in options.verticalMarks where isDrawable(mark.place, 1) && mark.place >= xAxis.low && mark.place <= xAxis.high {
            let x = plot.x + xAxis.share(mark.place) * plot.width
            elements.append(.line(Scene.Point(x, plot.y), Scene.Point(x, plot.maxY), .stroke(.grey, width: 0.6, dash: [1, 1.6])))
            let isRight = x + typesetter.width(mark.name, size: f) + 3 < plot.maxX
            elements.append(
                .text(
                    Scene.Text(
                        mark.name, at: Scene.Point(x + (isRight ? 2 : -2), plot.y + f), size: f, color: .grey,
                        anchor: isRight ? .start : .end, halo: .white)))
        }
        for mark in options.horizontalMarks where isDrawable(1, mark.value) && mark.value >= yAxis.low && mark.value <= yAxis.high {
            let y = plot.maxY - yAxis.share(mark.value) * plot.height
            elements.append(.line(Scene.Point(plot.x, y), Scene.Point(plot.maxX, y), .stroke(.grey, width: 0.6, dash: [1, 1.6])))
            if mark.name.isEmpty { continue }
            // Above or below the line, right or left: where the curves leave most room.
            let places = [y - f * 0.35, y + f * 0.95].flatMap { v in
                [
                    Scene.Text(mark.name, at: Scene.Point(plot.maxX - 1, v), size: f, color: .grey, anchor: .end, halo: .white),
                    Scene.Text(mark.name, at: Scene.Point(plot.x + 2, v), size: f, color: .grey, halo: .white),
                ]
            }
            let crossings = places.map { text in curves.filter { LabelPlacement.crosses($0, typesetter.bounds(text).insetBy(-1)) }.count }
            let best = places.indices.filter { plot.contains(typesetter.bounds(places[$0]).insetBy(0.5)) }.min {
                crossings[$0] < crossings[$1]
            }
            elements.append(.text(places[best ?? 0]))
        }
        return elements
    }

    /// At most a few values a hundredth of a millimetre: of each narrow column its first, lowest, highest and last, which look the same as
    /// all.
    static func thinned(_ points: [Scene.Point], columnWidth: Double = 0.15) -> [Scene.Point] {
        guard points.count > 2000 else { return points }
        var result: [Scene.Point] = []
        var start = 0
        while start < points.count {
            var end = start
            while end < points.count, abs(points[end].x - points[start].x) < columnWidth { end += 1 }
            let column = start..<max(end, start + 1)
            let low = column.min { points[$0].y < points[$1].y } ?? start, high = column.max { points[$0].y < points[$1].y } ?? start
            for i in Set([column.lowerBound, low, high, column.upperBound - 1]).sorted() { result.append(points[i]) }
            start = column.upperBound
        }
        return result
    }
}
