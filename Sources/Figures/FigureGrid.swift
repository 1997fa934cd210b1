import FileFormats

/// Several figures on one page, in rows: attention head by head, layer by layer.
package struct FigureGrid: Figure {
    private let scenes: [Scene]
    private let columns: Int
    private let title: String?
    private let page: PageStyle
    private let gap = 6.0

    /// - Parameters:
    ///   - figures: laid out at their own size; give each the width of a column (`columnWidth`).
    ///   - page: its width is that of the widest row, whatever it says.
    /// - Throws: `DataError` if there is no figure, and what the figures throw.
    package init(_ figures: [any Figure], columns: Int, title: String? = nil, page: PageStyle = PageStyle()) throws {
        guard !figures.isEmpty, columns > 0 else { throw DataError(.usage, "a grid of figures needs at least one figure and one column") }
        scenes = try figures.map { try $0.scene() }
        self.columns = columns
        self.title = title
        self.page = page
    }

    /// The width for each of `columns` figures on a page of `width`.
    package static func columnWidth(of width: Length, columns: Int) -> Length {
        Length(points: max((width.points - 6 * Double(columns - 1)) / Double(max(columns, 1)), 28))
    }

    package func scene() -> Scene {
        let typesetter = Typesetter(families: page.families)
        let f = page.fontSize * 1.3
        let rows = stride(from: 0, to: scenes.count, by: columns).map { Array(scenes[$0..<min($0 + columns, scenes.count)]) }
        let columnWidth = scenes.map(\.size.width).max() ?? 0
        let width = Double(min(columns, scenes.count)) * (columnWidth + gap) - gap
        var elements: [Scene.Element] = []
        var y = 0.0
        if let title {
            for line in typesetter.wrapped(title, width: width - 6, size: f, bold: true) {
                elements.append(.text(Scene.Text(line, at: Point(3, y + 3 + f), size: f, bold: true)))
                y += f * 1.4
            }
            y += f * 0.6
        }
        for row in rows {
            for (i, scene) in row.enumerated() {
                let offset = Point(Double(i) * (columnWidth + gap), y)
                elements.append(.group(Scene.Group(scene.elements.map { $0.moved(by: offset) }, name: "panel")))
            }
            y += (row.map(\.size.height).max() ?? 0) + gap
        }
        var scene = Scene(size: Scene.Size(width, max(y - gap, 1)), title: title ?? scenes[0].title, fontFamilies: page.families)
        scene.elements = elements
        return scene
    }
}

extension Scene.Element {
    /// This element at another place.
    func moved(by d: Scene.Point) -> Scene.Element {
        func move(_ p: Point) -> Point { Point(p.x + d.x, p.y + d.y) }
        func move(_ r: Rectangle) -> Rectangle { Rectangle(x: r.x + d.x, y: r.y + d.y, width: r.width, height: r.height) }
        switch self {
        case .path(var path, let style):
            path.segments = path.segments.map {
                switch $0 {
                case .move(let p): .move(move(p))
                case .line(let p): .line(move(p))
                case .curve(let a, let b, let c): .curve(move(a), move(b), move(c))
                case .close: .close
                }
            }
            return .path(path, style)
        case .rectangle(let r, let style): return .rectangle(move(r), style)
        case .line(let a, let b, let style): return .line(move(a), move(b), style)
        case .markers(let marker, let points, let size, let style): return .markers(marker, points.map(move), size: size, style)
        case .text(var text):
            text.position = move(text.position)
            return .text(text)
        case .group(var group):
            group.elements = group.elements.map { $0.moved(by: d) }
            group.clip = group.clip.map(move)
            return .group(group)
        }
    }
}
