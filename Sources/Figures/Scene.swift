/// A picture as a list of plain shapes, in points (1/72 inch), origin at the top left.
///
/// Every picture of this room is first laid out as a scene; `SVGWriter` and `CairoWriter` only translate it, so that the SVG, the PDF
/// and the PNG of one figure have the same layout.
public struct Scene: Sendable {
    /// Page size in points.
    public var size: Size
    /// The paper. `nil` leaves it transparent.
    public var background: Color? = .white
    /// Font families in order of preference.
    public var fontFamilies: [String]
    /// What the picture shows, for screen readers and document properties.
    public var title: String
    public var elements: [Element] = []

    public init(size: Size, title: String, fontFamilies: [String] = Typesetter.defaultFamilies) {
        self.size = size
        self.title = title
        self.fontFamilies = fontFamilies
    }

    public struct Point: Sendable, Equatable {
        public var x: Double, y: Double
        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }

    public struct Size: Sendable, Equatable {
        public var width: Double, height: Double
        public init(_ width: Double, _ height: Double) { (self.width, self.height) = (width, height) }
    }

    public struct Rectangle: Sendable, Equatable {
        public var x: Double, y: Double, width: Double, height: Double
        public init(x: Double, y: Double, width: Double, height: Double) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }
        public var maxX: Double { x + width }
        public var maxY: Double { y + height }
        public var center: Point { Point(x + width / 2, y + height / 2) }

        /// Whether the insides of both overlap; touching edges do not.
        public func intersects(_ other: Rectangle) -> Bool {
            x < other.maxX && other.x < maxX && y < other.maxY && other.y < maxY
        }
        public func contains(_ other: Rectangle) -> Bool {
            x <= other.x && y <= other.y && maxX >= other.maxX && maxY >= other.maxY
        }
        public func contains(_ p: Point) -> Bool { p.x >= x && p.x <= maxX && p.y >= y && p.y <= maxY }
        public func insetBy(_ d: Double) -> Rectangle { insetBy(d, d) }
        public func insetBy(_ dx: Double, _ dy: Double) -> Rectangle {
            Rectangle(x: x + dx, y: y + dy, width: width - 2 * dx, height: height - 2 * dy)
        }
    }

    public struct Path: Sendable, Equatable {
        public enum Segment: Sendable, Equatable {
            case move(Point)
            case line(Point)
            case curve(Point, Point, Point)
            case close
        }
        public var segments: [Segment] = []
        public init() {}
        public init(polygon points: [Point], closed: Bool = true) {
            for (i, p) in points.enumerated() { segments.append(i == 0 ? .move(p) : .line(p)) }
            if closed, !points.isEmpty { segments.append(.close) }
        }
        public mutating func move(_ p: Point) { segments.append(.move(p)) }
        public mutating func line(_ p: Point) { segments.append(.line(p)) }
        public mutating func curve(_ a: Point, _ b: Point, _ end: Point) { segments.append(.curve(a, b, end)) }
        public mutating func close() { segments.append(.close) }
    }

    /// How a shape is painted.
    public struct Style: Sendable, Equatable {
        public var fill: Color?
        public var fillOpacity = 1.0
        public var stroke: Color?
        public var strokeOpacity = 1.0
        public var lineWidth = 0.5
        /// Lengths of dashes and gaps in points; empty for a solid line.
        public var dash: [Double] = []

        public static func fill(_ color: Color, opacity: Double = 1) -> Style { Style(fill: color, fillOpacity: opacity) }
        public static func stroke(_ color: Color, width: Double = 0.5, opacity: Double = 1, dash: [Double] = []) -> Style {
            Style(stroke: color, strokeOpacity: opacity, lineWidth: width, dash: dash)
        }
    }

    public enum Anchor: Sendable { case start, middle, end }

    /// One line of text. `position` is on the baseline.
    public struct Text: Sendable, Equatable {
        public var string: String
        public var position: Point
        public var size: Double
        public var color: Color = .ink
        public var bold = false
        public var italic = false
        public var anchor: Anchor = .start
        /// Counter-clockwise turn around `position`, in degrees.
        public var rotation = 0.0
        /// A rim of this colour keeps the text readable over points and lines.
        public var halo: Color?

        public init(
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

    public struct Group: Sendable {
        public var elements: [Element]
        /// The class of the group in the SVG, so that it can be found and restyled.
        public var name: String?
        public var clip: Rectangle?
        /// Whether PDF and SVG carry this group as an image of 400 dots an inch: for tens of thousands of points, which would make a
        /// vector file that no viewer opens gladly.
        public var isRaster = false
        public init(_ elements: [Element], name: String? = nil, clip: Rectangle? = nil, isRaster: Bool = false) {
            self.elements = elements
            self.name = name
            self.clip = clip
            self.isRaster = isRaster
        }
    }

    public enum Element: Sendable {
        case path(Path, Style)
        case rectangle(Rectangle, Style)
        case line(Point, Point, Style)
        /// Many marks of one kind; `size` is the diameter of the circle of the same area.
        case markers(Marker, [Point], size: Double, Style)
        case text(Text)
        case group(Group)
    }

    /// Every text of the scene, groups included, in drawing order.
    public var texts: [Text] {
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
