/// The page around a plot: title above, legend and caption below, and what remains for the plot itself.
struct Sheet {
    static let margin = 3.0

    let page: PageStyle
    let title: String?
    let caption: String?
    let typesetter: Typesetter
    var legend: Legend?
    private var plot: Rectangle?
    private var plotBottom = 0.0
    private var height = 0.0

    init(page: PageStyle, title: String?, caption: String?, typesetter: Typesetter) {
        self.page = page
        self.title = title
        self.caption = caption
        self.typesetter = typesetter
    }

    private var fontSize: Double { page.fontSize }
    private var width: Double { page.width.points }
    private var innerWidth: Double { width - 2 * Self.margin }
    private var titleLines: [String] {
        title.map { typesetter.wrapped($0, width: innerWidth, size: fontSize * 1.15, bold: true) } ?? []
    }
    private var captionLines: [String] { caption.map { typesetter.wrapped($0, width: innerWidth, size: fontSize * 0.86) } ?? [] }

    /// Finds the place of the plot between the given margins for axes.
    ///
    /// - Parameter heightForWidth: the plot's height where the page's is not fixed.
    mutating func plot(left: Double, right: Double, bottom: Double, top: Double, heightForWidth: (Double) -> Double) -> Rectangle {
        let lines = titleLines
        let above = Self.margin + (lines.isEmpty ? 0 : Double(lines.count) * fontSize * 1.6 + fontSize * 0.4) + top
        let legendHeight = legend.map { $0.arranged(width: innerWidth, typesetter: typesetter).height + fontSize * 0.7 } ?? 0
        let captionCount = captionLines.count
        let captionHeight = captionCount == 0 ? 0 : Double(captionCount) * fontSize * 1.2 + fontSize * 0.5
        let plotWidth = max(innerWidth - left - right, fontSize * 4)
        let below = bottom + legendHeight + captionHeight + Self.margin
        let plotHeight = max(page.height.map { $0.points - above - below } ?? heightForWidth(plotWidth), fontSize * 3)
        height = above + plotHeight + below
        let place = Rectangle(x: Self.margin + left, y: above, width: plotWidth, height: plotHeight)
        plot = place
        plotBottom = place.maxY + bottom
        return place
    }

    /// The whole page. `plot` must have been asked for before.
    func scene(with elements: [Scene.Element]) -> Scene {
        var all: [Scene.Element] = []
        for (i, line) in titleLines.enumerated() {
            let y = Self.margin + fontSize * 1.15 + Double(i) * fontSize * 1.6
            all.append(.text(Scene.Text(line, at: Point(Self.margin, y), size: fontSize * 1.15, bold: true)))
        }
        all += elements
        var bottom = plotBottom
        if let legend {
            let arrangement = legend.arranged(width: innerWidth, typesetter: typesetter)
            // Under the plot rather than under its axis, if there is room.
            let x = max(Self.margin, min(plot?.x ?? Self.margin, width - Self.margin - arrangement.width))
            all.append(legend.draw(arrangement, at: Point(x, bottom + fontSize * 0.7), typesetter: typesetter))
            bottom += arrangement.height + fontSize * 0.7
        }
        for (i, line) in captionLines.enumerated() {
            let y = bottom + fontSize * 0.5 + (Double(i) + 0.75) * fontSize * 1.2
            all.append(.text(Scene.Text(line, at: Point(Self.margin, y), size: fontSize * 0.86, color: .grey)))
        }
        var scene = Scene(size: Scene.Size(width, height), title: title ?? caption ?? "", fontFamilies: page.families)
        scene.elements = all
        return scene
    }
}
