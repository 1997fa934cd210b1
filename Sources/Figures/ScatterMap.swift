import FileFormats

/// A map for print: every sentence a point in the plane, groups by colour and shape, labels that do not overlap.
///
/// Both axes have the same scale, because distances are what a map shows. Up to twelve groups get their own colour and shape and a legend;
/// above that, names are at the middle of the groups.
public struct ScatterMap: Figure {
    /// What stands at the axes.
    package enum Axes: Sendable, Equatable {
        /// A plain frame, for methods whose axes mean nothing (t-SNE).
        case none
        /// Marks, numbers and these titles, for principal components.
        case measured(x: String, y: String)
    }

    /// Which names stand on the map.
    public enum Labels: Sendable, Equatable {
        /// Names of groups on the map if there are more than a legend holds, otherwise none.
        case automatic
        case none
        /// Names of groups at their middles, and no legend.
        case groups
        /// One text a point (empty: none), placed next to the points, with leader lines where it is crowded.
        case points([String])
    }

    /// Outlines around groups.
    package enum Hulls: Sendable, Equatable {
        case none
        /// Around all points of a group.
        case convex
        /// Around the points of a group that lie not far from its middle.
        case withoutStragglers
    }

    /// The page, titles, axes, labels and markers.
    public struct Options: Sendable {
        /// The page's size and fonts.
        public var page = PageStyle()
        /// A title above the picture.
        public var title: String?
        /// A line below the map: method, metric, parameters.
        public var caption: String?
        /// Axes with or without numbers.
        package var axes = Axes.none
        /// Names on the map.
        public var labels = Labels.automatic
        /// Outlines around groups.
        package var hulls = Hulls.none
        /// What the groups are, above the legend.
        public var groupTitle: String?
        /// Diameter in points; chosen by the number of points where nil.
        public var markerSize: Double?
        /// More points than this are an image of 400 dots an inch inside SVG and PDF; text and axes stay vectors.
        package var rasterLimit = 20_000
        /// Points that are joined by thin lines, as the places of one condition on several maps.
        package var joined: [[Int]] = []

        /// No axes, labels as the number of groups allows, no outlines.
        public init() {}
    }

    /// Where to put what: the scene, and how many labels found no room.
    package struct Layout: Sendable {
        package var scene: Scene
        package var placedLabels = 0
        package var omittedLabels = 0
        /// The area of the map itself on the page.
        package var plot: Scene.Rectangle
    }

    private let points: [Scene.Point]
    private let grouping: Grouping?
    private let values: (numbers: [Double], title: String)?
    /// Page, titles and appearance.
    package var options: Options

    /// - Parameters:
    ///   - points: coordinates `(n, 2)`, y upward.
    ///   - groups: one name per point; empty for points without a group.
    /// - Throws: `DataError` for coordinates that are not finite and for lists of different lengths.
    public init(points: [(x: Double, y: Double)], groups: [String]? = nil, options: Options = Options()) throws {
        try self.init(points: points, groups: groups, values: nil, options: options)
    }

    /// A map coloured by one number per point (NaN: grey), with a colour bar under `title`.
    public init(points: [(x: Double, y: Double)], values: [Double], title: String, options: Options = Options()) throws {
        try self.init(points: points, groups: nil, values: (values, title), options: options)
    }

    private init(
        points: [(x: Double, y: Double)], groups: [String]?, values: (numbers: [Double], title: String)?, options: Options
    ) throws {
        guard !points.isEmpty else { throw DataError(.badData, "a map needs at least one point") }
        // Far beyond any coordinate, and small enough that differences stay finite.
        if let bad = points.firstIndex(where: { !($0.x.magnitude < 1e300 && $0.y.magnitude < 1e300) }) {
            throw DataError(.badData, "point \(bad + 1) has coordinates (\(points[bad].x), \(points[bad].y)); a map needs finite numbers")
        }
        func check(_ count: Int?, _ what: String) throws {
            guard let count, count != points.count else { return }
            throw DataError(.usage, "\(points.count) points but \(count) \(what)")
        }
        try check(groups?.count, "groups")
        try check(values?.numbers.count, "values")
        if case .points(let texts) = options.labels { try check(texts.count, "labels") }
        self.points = points.map { Scene.Point($0.x, $0.y) }
        self.values = values
        self.options = options
        let grouping = groups.map(Grouping.init)
        self.grouping = grouping?.names.isEmpty == true ? nil : grouping
    }

    /// The picture as shapes and text.
    public func scene() -> Scene { layout().scene }

    /// The picture, and how many labels found room in it.
    package func layout() -> Layout {
        let typesetter = Typesetter(families: options.page.families)
        let f = options.page.fontSize
        let width = options.page.width.points
        var sheet = Sheet(page: options.page, title: options.title, caption: options.caption, typesetter: typesetter)

        // The legend stands right of the map where the page is wide and its names are short, else below; a colour bar always right.
        let markerSize = options.markerSize ?? automaticMarkerSize(area: width * width * 0.8)
        let legend = legend(markerSize: markerSize)
        let narrow = legend?.arranged(width: width * 0.3, typesetter: typesetter, inOneColumn: true)
        let isBeside = width >= 340 && narrow?.names == legend?.entries.map { Typesetter.oneLine($0.name) }
        if !isBeside { sheet.legend = legend }
        let colorBar = values.map { ColorBar(values: $0.numbers, title: $0.title, scale: .sequential, fontSize: f) }
        let barWidth = colorBar?.width(typesetter: typesetter) ?? 0
        let right = colorBar != nil ? barWidth + f : isBeside && legend != nil ? (narrow?.width ?? 0) + f * 1.2 : 0

        // The map, at equal scales: data fills the frame's shorter way, the rest is shared out on both sides.
        let extent = Self.bounds(of: points)
        let margins = axes(bounds: extent)?.margins(typesetter: typesetter) ?? (left: 0, bottom: 0)
        let plot = sheet.plot(left: margins.left, right: right, bottom: margins.bottom, top: 0) {
            $0 * min(max(extent.height / extent.width, 0.6), 1.1)
        }
        let inset = max(markerSize, 2) + 2
        let scale = min((plot.width - 2 * inset) / extent.width, (plot.height - 2 * inset) / extent.height)
        let (center, half) = (extent.center, Scene.Point(plot.width / 2 / scale, plot.height / 2 / scale))
        let bounds = Scene.Rectangle(x: center.x - half.x, y: center.y - half.y, width: 2 * half.x, height: 2 * half.y)
        let placed = points.map { Scene.Point(plot.x + ($0.x - bounds.x) * scale, plot.maxY - ($0.y - bounds.y) * scale) }

        var elements: [Scene.Element] = []
        if let frame = axes(bounds: bounds) {
            elements += zeroLines(bounds, in: plot, scale: scale)
            elements.append(frame.draw(in: plot, typesetter: typesetter))
        } else {
            elements.append(.rectangle(plot, .stroke(.lightGrey, width: 0.5)))
        }
        elements += hulls(placed, clip: plot, markerSize: markerSize)
        let lines = options.joined.map { $0.filter(placed.indices.contains) }.filter { $0.count > 1 }.map { list -> Scene.Element in
            .path(Scene.Path(polygon: list.map { placed[$0] }, closed: false), .stroke(.lightGrey, width: 0.4))
        }
        if !lines.isEmpty { elements.append(.group(Scene.Group(lines, name: "joined", clip: plot))) }
        elements.append(
            .group(
                Scene.Group(
                    marks(placed, size: markerSize), name: "points", clip: plot.insetBy(-1), isRaster: points.count > options.rasterLimit)))
        let (labels, placedCount, omitted) = labels(placed, in: plot, markerSize: markerSize, typesetter: typesetter)
        elements += labels
        if let colorBar {
            let area = Scene.Rectangle(x: plot.maxX + f, y: plot.y, width: barWidth, height: min(plot.height, f * 18))
            elements.append(colorBar.draw(in: area, typesetter: typesetter))
        } else if isBeside, let legend, let narrow {
            elements.append(legend.draw(narrow, at: Scene.Point(plot.maxX + f * 1.2, plot.y), typesetter: typesetter))
        }
        return Layout(scene: sheet.scene(with: elements), placedLabels: placedCount, omittedLabels: omitted, plot: plot)
    }

    // MARK: Parts

    private var labelsGroups: Bool {
        switch options.labels {
        case .automatic: (grouping?.names.count ?? 0) > Grouping.legendLimit
        case .groups: true
        case .none, .points: false
        }
    }

    private func automaticMarkerSize(area: Double) -> Double {
        // Marks cover about a tenth of the map.
        min(max((0.1 * area / Double(points.count) * 4 / .pi).squareRoot(), 0.7), 4.5)
    }

    private func legend(markerSize: Double) -> Legend? {
        guard let grouping, !labelsGroups, grouping.names.count <= Grouping.legendLimit else { return nil }
        let size = max(markerSize, 3.6)
        var legend = Legend(
            title: options.groupTitle,
            entries: grouping.names.enumerated().map { i, name in
                let marker = Marker.allCases[i]
                return Legend.Entry(name: name, sample: .marker(marker, marker.style(Palette.groups[i], size: size)))
            }, fontSize: options.page.fontSize)
        legend.markerSize = size
        return legend
    }

    private static func bounds(of points: [Scene.Point]) -> Scene.Rectangle {
        var (left, right, low, high) = (points[0].x, points[0].x, points[0].y, points[0].y)
        for p in points {
            (left, right) = (min(left, p.x), max(right, p.x))
            (low, high) = (min(low, p.y), max(high, p.y))
        }
        // One point, or points on a line, still need a piece of plane around them.
        let extent = max(right - left, high - low), magnitude = max(abs(left), abs(right), abs(low), abs(high))
        let least = extent > max(magnitude * 1e-12, 1e-290) ? extent * 0.05 : max(magnitude, 1) * 0.01
        let (width, height) = (max(right - left, least), max(high - low, least))
        return Scene.Rectangle(x: (left + right - width) / 2, y: (low + high - height) / 2, width: width, height: height)
    }

    private func axes(bounds: Scene.Rectangle) -> AxisFrame? {
        guard case .measured(let x, let y) = options.axes else { return nil }
        let count = max(3, Int(options.page.width.points / 45))
        return AxisFrame(
            x: .init(
                low: bounds.x, high: bounds.maxX, ticks: .linear(from: bounds.x, to: bounds.maxX, count: count),
                title: Typesetter.oneLine(x)),
            y: .init(
                low: bounds.y, high: bounds.maxY, ticks: .linear(from: bounds.y, to: bounds.maxY, count: count),
                title: Typesetter.oneLine(y)),
            fontSize: options.page.fontSize)
    }

    private func zeroLines(_ bounds: Scene.Rectangle, in plot: Scene.Rectangle, scale: Double) -> [Scene.Element] {
        let pale = Style.stroke(.paleGrey, width: 0.5)
        var lines: [Scene.Element] = []
        if bounds.x < 0, bounds.maxX > 0 {
            let x = plot.x - bounds.x * scale
            lines.append(.line(Scene.Point(x, plot.y), Scene.Point(x, plot.maxY), pale))
        }
        if bounds.y < 0, bounds.maxY > 0 {
            let y = plot.maxY + bounds.y * scale
            lines.append(.line(Scene.Point(plot.x, y), Scene.Point(plot.maxX, y), pale))
        }
        return lines
    }

    private func hulls(_ placed: [Scene.Point], clip: Scene.Rectangle, markerSize: Double) -> [Scene.Element] {
        guard options.hulls != .none, let grouping else { return [] }
        let middles = grouping.middles(placed)
        let colors = grouping.colors(middles: middles)
        let shapes = grouping.members.enumerated().map { i, members -> Scene.Element in
            let points = members.map { placed[$0] }
            let hull = options.hulls == .convex ? Hull.convex(points) : Hull.withoutStragglers(points, middle: middles[i])
            var style = Style.stroke(Palette.groups[colors[i]], width: 0.4, opacity: 0.55)
            style.fill = Palette.groups[colors[i]]
            style.fillOpacity = 0.1
            return .path(Hull.outline(hull, margin: markerSize * 0.9 + 0.6), style)
        }
        return [.group(Scene.Group(shapes, name: "hulls", clip: clip))]
    }

    private func marks(_ placed: [Scene.Point], size: Double) -> [Scene.Element] {
        let opacity = placed.count > 2000 ? 0.75 : 0.92
        if let values { return valueMarks(values.numbers, placed, size: size, opacity: opacity) }
        guard let grouping else {
            return [.markers(.circle, placed, size: size, Marker.circle.style(Palette.groups[0], size: size, opacity: opacity))]
        }
        let colors = grouping.colors(middles: grouping.middles(placed))
        var elements: [Scene.Element] = []
        let ungrouped = placed.indices.filter { grouping.index[$0] < 0 }
        if !ungrouped.isEmpty {
            elements.append(
                .markers(
                    .circle, ungrouped.map { placed[$0] }, size: size * 0.8,
                    Marker.circle.style(Palette.noGroup, size: size * 0.8, opacity: opacity)))
        }
        // Drawn in slices, a part of each group in turn, so that the last group does not lie on top of all others.
        let slices = placed.count < 100 ? 1 : placed.count < 1000 ? 4 : 8
        for slice in 0..<slices {
            for (g, members) in grouping.members.enumerated() {
                let part = members.enumerated().filter { $0.offset % slices == slice }.map { placed[$0.element] }
                guard !part.isEmpty else { continue }
                let marker = grouping.names.count <= Grouping.legendLimit ? Marker.allCases[g] : .circle
                elements.append(.markers(marker, part, size: size, marker.style(Palette.groups[colors[g]], size: size, opacity: opacity)))
            }
        }
        return elements
    }

    private func valueMarks(_ values: [Double], _ placed: [Scene.Point], size: Double, opacity: Double) -> [Scene.Element] {
        let (low, high) = ColorBar.range(values)
        let steps = 64
        var bins = [[Scene.Point]](repeating: [], count: steps)
        var unknown: [Scene.Point] = []
        for (value, point) in zip(values, placed) {
            if value.isFinite {
                bins[min(Int((value - low) / (high - low) * Double(steps)), steps - 1)].append(point)
            } else {
                unknown.append(point)
            }
        }
        let grey = Scene.Element.markers(.circle, unknown, size: size, Marker.circle.style(Palette.noGroup, size: size, opacity: opacity))
        return [grey]
            + bins.enumerated().filter { !$0.element.isEmpty }.map { i, points in
                let color = Palette.Scale.sequential.color(at: (Double(i) + 0.5) / Double(steps))
                return .markers(.circle, points, size: size, Marker.circle.style(color, size: size, opacity: opacity))
            }
    }

    private func labels(
        _ placed: [Scene.Point], in plot: Scene.Rectangle, markerSize: Double, typesetter: Typesetter
    ) -> (elements: [Scene.Element], placed: Int, omitted: Int) {
        if labelsGroups, let grouping { return groupLabels(grouping, placed, in: plot, markerSize: markerSize, typesetter: typesetter) }
        guard case .points(let texts) = options.labels else { return ([], 0, 0) }
        let size = options.page.fontSize * 0.86
        let chosen = texts.indices.filter { !texts[$0].allSatisfy(\.isWhitespace) }
        // A page holds a few hundred labels; measuring a million would only take time.
        let considered = chosen.count <= 3000 ? chosen : (0..<3000).map { chosen[$0 * chosen.count / 3000] }
        let names = considered.map { typesetter.fitted(texts[$0], width: plot.width * 0.33, size: size) }
        let results = LabelPlacement.place(
            zip(considered, names).map { i, name in
                LabelPlacement.request(name, at: placed[i], size: size, clearance: markerSize / 2, typesetter)
            },
            avoiding: placed, within: plot.insetBy(1), maximumDistance: considered.count > 400 ? 30 : 60)
        let colors = grouping.map { $0.colors(middles: $0.middles(placed)) }
        let elements = LabelPlacement.elements(results, names, size: size, typesetter) { i in
            guard let grouping, let colors, grouping.index[considered[i]] >= 0 else { return .ink }
            return Palette.groups[colors[grouping.index[considered[i]]]].readableOnWhite
        }
        let count = results.filter { $0 != nil }.count
        return (elements, count, chosen.count - count)
    }

    private func groupLabels(
        _ grouping: Grouping, _ placed: [Scene.Point], in plot: Scene.Rectangle, markerSize: Double, typesetter: Typesetter
    ) -> (elements: [Scene.Element], placed: Int, omitted: Int) {
        let middles = grouping.middles(placed)
        let colors = grouping.colors(middles: middles)
        // The biggest groups if there are more than a page can ever name.
        let chosen = grouping.names.indices.sorted { (grouping.members[$1].count, $0) < (grouping.members[$0].count, $1) }.prefix(1000)
        var best: (results: [LabelPlacement.Placed?], names: [String], size: Double, count: Int)?
        // Smaller letters where the names do not all fit near their groups (nothing under 4.5 points is printed). Leader lines across the
        // map are drawn only where they give every group its name.
        let side = max(plot.width, plot.height), near = 0.12, far = 0.5
        for (share, reach) in [(1, near), (0.9, near), (0.8, near), (0.7, near), (0.7, far)] {
            let size = max(options.page.fontSize * share, 4.5)
            let names = chosen.map { typesetter.fitted(grouping.names[$0], width: plot.width * 0.35, size: size, bold: true) }
            let results = LabelPlacement.place(
                zip(chosen, names).map { g, name in
                    var request = LabelPlacement.request(
                        name, at: middles[g], size: size, clearance: 0, typesetter, bold: true, mayCoverAnchor: true)
                    request.extent = core(grouping.members[g], middles[g], placed, markerSize: markerSize)
                    return request
                }, avoiding: placed, within: plot.insetBy(1), maximumDistance: side * reach, coverCost: 0.5)
            let count = results.filter { $0 != nil }.count
            if count > best?.count ?? -1, reach == near || count == chosen.count { best = (results, names, size, count) }
            if count == chosen.count { break }
        }
        guard let best else { return ([], 0, grouping.names.count) }
        let order = Array(chosen)
        let elements = LabelPlacement.elements(best.results, best.names, size: best.size, bold: true, typesetter) {
            Palette.groups[colors[order[$0]]].readableOnWhite
        }
        return (elements, best.count, grouping.names.count - best.count)
    }

    /// Half the width and height of the middle four fifths of a group; nothing where the group is too wide for a label next to it.
    private func core(_ members: [Int], _ middle: Scene.Point, _ placed: [Scene.Point], markerSize: Double) -> Scene.Size {
        func reach(_ distances: [Double]) -> Double { distances.sorted()[(distances.count * 4) / 5] + markerSize / 2 }
        let size = Scene.Size(reach(members.map { abs(placed[$0].x - middle.x) }), reach(members.map { abs(placed[$0].y - middle.y) }))
        return max(size.width, size.height) < 25 ? size : Scene.Size(0, 0)
    }
}
