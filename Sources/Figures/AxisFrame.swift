/// Axis lines, marks and words around a plot; shared by charts and by maps whose axes mean something.
struct AxisFrame {
    struct Axis {
        var low: Double
        var high: Double
        var isLogarithmic = false
        var ticks: Ticks
        var title: String?

        /// The share of the way from low to high, 0 to 1 inside.
        func share(_ value: Double) -> Double {
            if isLogarithmic {
                return (decimalLogarithm(value) - decimalLogarithm(low)) / (decimalLogarithm(high) - decimalLogarithm(low))
            }
            return (value - low) / (high - low)
        }
    }

    var x: Axis
    var y: Axis
    var fontSize: Double
    private let tickLength = 2.2

    init(x: Axis, y: Axis, fontSize: Double) {
        self.x = x
        self.y = y
        self.fontSize = fontSize
    }

    /// The room that words and marks need left of and below the plot.
    func margins(typesetter: Typesetter) -> (left: Double, bottom: Double) {
        let widest = y.ticks.labels.map { typesetter.width($0, size: fontSize) }.max() ?? 0
        let left = tickLength + fontSize * 0.35 + widest + (y.title == nil ? 0 : fontSize * 1.5)
        let bottom = tickLength + (x.ticks.labels.isEmpty ? 0 : fontSize * 1.3) + (x.title == nil ? 0 : fontSize * 1.4)
        return (left, bottom)
    }

    func draw(in plot: Scene.Rectangle, typesetter: Typesetter, grid: Bool = false) -> Scene.Element {
        var elements: [Scene.Element] = []
        let line = Style.stroke(.ink, width: 0.5)
        let bottom = plot.maxY
        if grid {
            for value in y.ticks.values {
                let v = plot.maxY - y.share(value) * plot.height
                elements.append(.line(Point(plot.x, v), Point(plot.maxX, v), .stroke(.paleGrey, width: 0.4)))
            }
        }
        elements.append(.line(Point(plot.x, bottom), Point(plot.maxX, bottom), line))
        elements.append(.line(Point(plot.x, plot.y), Point(plot.x, bottom), line))
        var lastEnd = -Double.infinity
        for (value, label) in zip(x.ticks.values, x.ticks.labels) {
            let h = plot.x + x.share(value) * plot.width
            elements.append(.line(Point(h, bottom), Point(h, bottom + tickLength), line))
            let width = typesetter.width(label, size: fontSize)
            // A mark whose number would touch its neighbour keeps only the mark.
            guard h - width / 2 > lastEnd + fontSize * 0.3 else { continue }
            lastEnd = h + width / 2
            elements.append(.text(Scene.Text(label, at: Point(h, bottom + tickLength + fontSize * 1.15), size: fontSize, anchor: .middle)))
        }
        for value in x.ticks.minor {
            let h = plot.x + x.share(value) * plot.width
            elements.append(.line(Point(h, bottom), Point(h, bottom + tickLength * 0.6), .stroke(.ink, width: 0.35)))
        }
        for (value, label) in zip(y.ticks.values, y.ticks.labels) {
            let v = bottom - y.share(value) * plot.height
            elements.append(.line(Point(plot.x - tickLength, v), Point(plot.x, v), line))
            elements.append(
                .text(
                    Scene.Text(
                        label, at: Point(plot.x - tickLength - fontSize * 0.35, v + fontSize * 0.36), size: fontSize, anchor: .end)))
        }
        for value in y.ticks.minor {
            let v = bottom - y.share(value) * plot.height
            elements.append(.line(Point(plot.x - tickLength * 0.6, v), Point(plot.x, v), .stroke(.ink, width: 0.35)))
        }
        let (left, below) = margins(typesetter: typesetter)
        if let title = x.title {
            let fitted = typesetter.fitted(title, width: plot.width + left, size: fontSize)
            let half = typesetter.width(fitted, size: fontSize) / 2
            let h = max(plot.x + plot.width / 2, plot.x - left + half)
            elements.append(.text(Scene.Text(fitted, at: Point(h, bottom + below - fontSize * 0.25), size: fontSize, anchor: .middle)))
        }
        if let title = y.title {
            let fitted = typesetter.fitted(title, width: plot.height + below, size: fontSize)
            elements.append(
                .text(
                    Scene.Text(
                        fitted, at: Point(plot.x - left + fontSize * 0.9, plot.y + plot.height / 2), size: fontSize, anchor: .middle,
                        rotation: 90)))
        }
        return .group(Scene.Group(elements, name: "axes"))
    }
}
