/// The key of a picture: marks or lines with their names, in columns.
struct Legend {
    enum Sample: Sendable {
        case marker(Marker, Style)
        case line(Style, Marker?)
        case area(Style)
    }
    struct Entry: Sendable {
        var name: String
        var sample: Sample
    }

    var title: String?
    var entries: [Entry]
    var fontSize: Double
    var markerSize = 4.0
    private var rowHeight: Double { fontSize * 1.45 }
    private var sampleWidth: Double {
        entries.contains { if case .line = $0.sample { true } else { false } } ? fontSize * 2.1 : fontSize * 1.1
    }

    init(title: String? = nil, entries: [Entry], fontSize: Double) {
        self.title = title
        self.entries = entries
        self.fontSize = fontSize
    }

    struct Arrangement {
        var columns: Int
        var rows: Int
        var columnWidth: Double
        var names: [String]
        var width: Double
        var height: Double
    }

    /// The fewest rows that fit `width`; names too long for it are shortened.
    func arranged(width: Double, typesetter: Typesetter, inOneColumn: Bool = false) -> Arrangement {
        let nameSpace = max(width - sampleWidth - fontSize * 0.5, fontSize * 2)
        let names = entries.map { typesetter.fitted($0.name, width: nameSpace, size: fontSize) }
        let widest = names.map { typesetter.width($0, size: fontSize) }.max() ?? 0
        let column = sampleWidth + fontSize * 0.5 + widest
        let spacing = fontSize * 1.3
        let fitting = inOneColumn ? 1 : max(1, Int((width + spacing) / (column + spacing)))
        let rows = (entries.count + fitting - 1) / max(fitting, 1)
        let columns = rows == 0 ? 0 : (entries.count + rows - 1) / rows
        let titleHeight = title == nil ? 0 : rowHeight * 1.1
        let titleWidth = title.map { typesetter.width(Typesetter.oneLine($0), size: fontSize, bold: true) } ?? 0
        return Arrangement(
            columns: columns, rows: rows, columnWidth: column + spacing, names: names,
            width: min(width, max(Double(columns) * (column + spacing) - spacing, titleWidth)),
            height: Double(rows) * rowHeight + titleHeight)
    }

    func draw(_ arrangement: Arrangement, at origin: Scene.Point, typesetter: Typesetter) -> Scene.Element {
        var elements: [Scene.Element] = []
        var top = origin.y
        if let title {
            let fitted = typesetter.fitted(title, width: max(arrangement.width, fontSize * 4), size: fontSize, bold: true)
            elements.append(.text(Scene.Text(fitted, at: Point(origin.x, top + fontSize), size: fontSize, bold: true)))
            top += rowHeight * 1.1
        }
        for (i, entry) in entries.enumerated() {
            let x = origin.x + Double(i / max(arrangement.rows, 1)) * arrangement.columnWidth
            let middle = top + (Double(i % max(arrangement.rows, 1)) + 0.5) * rowHeight
            let center = Point(x + sampleWidth / 2, middle)
            switch entry.sample {
            case .marker(let marker, let style): elements.append(.markers(marker, [center], size: markerSize, style))
            case .line(let style, let marker):
                elements.append(.line(Point(x, middle), Point(x + sampleWidth, middle), style))
                if let marker, let stroke = style.stroke {
                    elements.append(.markers(marker, [center], size: markerSize, marker.style(stroke, size: markerSize)))
                }
            case .area(let style):
                elements.append(.rectangle(Rectangle(x: x, y: middle - fontSize * 0.4, width: sampleWidth, height: fontSize * 0.8), style))
            }
            elements.append(
                .text(
                    Scene.Text(
                        arrangement.names[i], at: Point(x + sampleWidth + fontSize * 0.5, middle + fontSize * 0.36), size: fontSize)))
        }
        return .group(Scene.Group(elements, name: "legend"))
    }
}

extension Marker {
    /// How a mark of a group is painted: filled with a thin white rim that parts overlapping ones, or an open line.
    func style(_ color: Color, size: Double, opacity: Double = 1) -> Style {
        if isOpen { return .stroke(color, width: max(size * 0.17, 0.35), opacity: opacity) }
        var style = Style.fill(color, opacity: opacity)
        if size >= 2 {
            // Light colours (yellow) would vanish on white paper.
            style.stroke = color.contrast(with: .white) < 1.6 ? color.mixed(with: .black, 0.45) : .white
            style.lineWidth = 0.25
        }
        return style
    }
}
