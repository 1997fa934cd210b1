/// The key of a colour scale: a bar with marks.
struct ColorBar {
    let low: Double
    let high: Double
    let title: String?
    let scale: Palette.Scale
    let fontSize: Double
    private let barWidth = 7.0

    init(low: Double, high: Double, title: String?, scale: Palette.Scale, fontSize: Double) {
        self.low = low
        self.high = high
        self.title = title.map(Typesetter.oneLine)
        self.scale = scale
        self.fontSize = fontSize
    }

    init(values: [Double], title: String?, scale: Palette.Scale, fontSize: Double) {
        let (low, high) = Self.range(values)
        self.init(low: low, high: high, title: title, scale: scale, fontSize: fontSize)
    }

    /// From the least to the greatest finite value; never empty.
    static func range(_ values: [Double]) -> (low: Double, high: Double) {
        var (low, high) = (Double.infinity, -Double.infinity)
        for value in values where value.isFinite { (low, high) = (min(low, value), max(high, value)) }
        guard low <= high else { return (0, 1) }
        let half = max(abs(low), 1) * 0.01
        return high - low > 0 && (high - low).isFinite ? (low, high) : (low - half, high + half)
    }

    private var ticks: Ticks { .linear(from: low, to: high, count: 4) }

    func width(typesetter: Typesetter) -> Double {
        let numbers = ticks.labels.map { typesetter.width($0, size: fontSize) }.max() ?? 0
        return barWidth + 2.2 + fontSize * 0.35 + numbers + (title == nil ? 0 : fontSize * 1.5)
    }

    func draw(in area: Scene.Rectangle, typesetter: Typesetter) -> Scene.Element {
        var elements: [Scene.Element] = []
        let steps = 64
        let bar = Rectangle(x: area.x, y: area.y, width: barWidth, height: area.height)
        for i in 0..<steps {
            // Each step reaches to the bottom, so that no seam shows between two.
            let y = bar.y + bar.height * Double(i) / Double(steps)
            let color = scale.color(at: 1 - (Double(i) + 0.5) / Double(steps))
            elements.append(.rectangle(Rectangle(x: bar.x, y: y, width: barWidth, height: bar.maxY - y), .fill(color)))
        }
        elements.append(.rectangle(bar, .stroke(.grey, width: 0.35)))
        let ticks = ticks
        for (value, label) in zip(ticks.values, ticks.labels) {
            let y = bar.maxY - (value - low) / (high - low) * bar.height
            elements.append(.line(Point(bar.maxX, y), Point(bar.maxX + 2.2, y), .stroke(.ink, width: 0.5)))
            elements.append(.text(Scene.Text(label, at: Point(bar.maxX + 2.2 + fontSize * 0.35, y + fontSize * 0.36), size: fontSize)))
        }
        if let title {
            let x = area.x + width(typesetter: typesetter) - fontSize * 0.3
            elements.append(
                .text(
                    Scene.Text(
                        typesetter.fitted(title, width: area.height, size: fontSize), at: Point(x, bar.center.y), size: fontSize,
                        anchor: .middle,
                        rotation: 90)))
        }
        return .group(Scene.Group(elements, name: "colorbar"))
    }
}
