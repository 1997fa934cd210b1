/// A picture as a list of plain shapes, in points (1/72 inch), origin at the top left.
///
/// Every picture of this room is first laid out as a scene; `SVGWriter` and `CairoWriter` only translate it, so that the SVG, the PDF
/// and the PNG of one figure have the same layout.
public struct Scene: Sendable {
    /// Page size in points.
    package var size: Size
    /// The paper. `nil` leaves it transparent.
    package var background: Color? = .white
    /// Font families in order of preference.
    package var fontFamilies: [String]
    /// What the picture shows, for screen readers and document properties.
    package var title: String
    package var elements: [Element] = []

    package init(size: Size, title: String, fontFamilies: [String] = Typesetter.defaultFamilies) {
        self.size = size
        self.title = title
        self.fontFamilies = fontFamilies
    }

    package struct Point: Sendable, Equatable {
        package var x: Double, y: Double
        package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }

    package struct Size: Sendable, Equatable {
        package var width: Double, height: Double
        package init(_ width: Double, _ height: Double) { (self.width, self.height) = (width, height) }
    }

    package struct Rectangle: Sendable, Equatable {
        package var x: Double, y: Double, width: Double, height: Double
        package init(x: Double, y: Double, width: Double, height: Double) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }
        package var maxX: Double { x + width }
        package var maxY: Double { y + height }
        package var center: Point { Point(x + width / 2, y + height / 2) }

        /// Whether the insides of both overlap; touching edges do not.
        package func intersects(_ other: Rectangle) -> Bool {
            x < other.maxX && other.x < maxX && y < other.maxY && other.y < maxY
        }
        package func contains(_ other: Rectangle) -> Bool {
            x <= other.x && y <= other.y && maxX >= other.maxX && maxY >= other.maxY
        }
        package func contains(_ p: Point) -> Bool { p.x >= x && p.x <= maxX && p.y >= y && p.y <= maxY }
        package func insetBy(_ d: Double) -> Rectangle { insetBy(d, d) }
        package func insetBy(_ dx: Double, _ dy: Double) -> Rectangle {
            Rectangle(x: x + dx, y: y + dy, width: width - 2 * dx, height: height - 2 * dy)
        }
    }

    package struct Path: Sendable, Equatable {
        package enum Segment: Sendable, Equatable {
            case move(Point)
            case line(Point)
            case curve(Point, Point, Point)
            case close
        }
        package var segments: [Segment] = []
        package init() {}
        package init(polygon points: [Point], closed: Bool = true) {
            for (i, p) in points.enumerated() { segments.append(i == 0 ? .move(p) : .line(p)) }
            if closed, !points.isEmpty { segments.append(.close) }
        }
        package mutating func move(_ p: Point) { segments.append(.move(p)) }
        package mutating func line(_ p: Point) { segments.append(.line(p)) }
        package mutating func curve(_ a: Point, _ b: Point, _ end: Point) { segments.append(.curve(a, b, end)) }
        package mutating func close() { segments.append(.close) }
    }

    /// How a shape is painted.
    package struct Style: Sendable, Equatable {
        package var fill: Color?
        package var fillOpacity = 1.0
        package var stroke: Color?
        package var strokeOpacity = 1.0
        package var lineWidth = 0.5
        /// Lengths of dashes and gaps in points; empty for a solid line.
        package var dash: [Double] = []

        package static func fill(_ color: Color, opacity: Double = 1) -> Style { Style(fill: color, fillOpacity: opacity) }
        package static func stroke(_ color: Color, width: Double = 0.5, opacity: Double = 1, dash: [Double] = []) -> Style {
            Style(stroke: color, strokeOpacity: opacity, lineWidth: width, dash: dash)
        }
    }

    package enum Anchor: Sendable { case start, middle, end }

    /// One line of text. `position` is on the baseline.
    package struct Text: Sendable, Equatable {
        package var string: String
        package var position: Point
        package var size: Double
        package var color: Color = .ink
        package var bold = false
        package var italic = false
        package var anchor: Anchor = .start
        /// Counter-clockwise turn around `position`, in degrees.
        package var rotation = 0.0
        /// A rim of this colour keeps the text readable over points and lines.
        package var halo: Color?

        package init(
            _ string: String, at position: Point, size: Double, color: Color = .ink, bold: Bool = false, italic: Bool = false,
            anchor: Anchor = .start, rotation: Double = 0, halo: Color? = nil
        ) {
            self.string = Typesetter.oneLine(string)
            self.position = position
            self.size = size
            self.color = color
            self.bold = bold
            self.italic = italic
            self.anchor = anchor
            self.rotation = rotation
            self.halo = halo
        }
    }

    package struct Group: Sendable {
        package var elements: [Element]
        /// The class of the group in the SVG, so that it can be found and restyled.
        package var name: String?
        package var clip: Rectangle?
        /// Whether PDF and SVG carry this group as an image of 400 dots an inch: for tens of thousands of points, which would make a
        /// vector file that no viewer opens gladly.
        package var isRaster = false
        package init(_ elements: [Element], name: String? = nil, clip: Rectangle? = nil, isRaster: Bool = false) {
            self.elements = elements
            self.name = name
            self.clip = clip
            self.isRaster = isRaster
        }
    }

    package enum Element: Sendable {
        case path(Path, Style)
        case rectangle(Rectangle, Style)
        case line(Point, Point, Style)
        /// Many marks of one kind; `size` is the diameter of the circle of the same area.
        case markers(Marker, [Point], size: Double, Style)
        case text(Text)
        case group(Group)
    }

    /// Every text of the scene, groups included, in drawing order.
    package var texts: [Text] {
        func collect(_ elements: [Element]) -> [Text] {
            elements.flatMap { element -> [Text] in
                switch element {
                case .text(let text): [text]
                case .group(let group): collect(group.elements)
                default: []
                }
            }
        }
        return collect(elements)
    }
}

typealias Point = Scene.Point
typealias Rectangle = Scene.Rectangle
typealias Path = Scene.Path
typealias Style = Scene.Style
