import Foundation

/// Scenes to SVG 1.1: small, readable, text as text (or as outlines), nothing fetched from anywhere.
struct SVGWriter {
    private let scene: Scene
    private let isOutlined: Bool
    private let typesetter: Typesetter
    private var text = ""
    private var clips = 0

    /// - Parameter outlined: letters as shapes, so that the file looks the same without the font; they can no longer be searched or edited.
    static func svg(_ scene: Scene, outlined: Bool) throws -> String {
        var writer = SVGWriter(scene: scene, isOutlined: outlined, typesetter: Typesetter(families: scene.fontFamilies))
        if outlined { try writer.typesetter.requireGlyphs(for: scene.texts) }
        try writer.write()
        return writer.text
    }

    private init(scene: Scene, isOutlined: Bool, typesetter: Typesetter) {
        self.scene = scene
        self.isOutlined = isOutlined
        self.typesetter = typesetter
    }

    private mutating func write() throws {
        let (w, h) = (scene.size.width, scene.size.height)
        let millimetres = 25.4 / 72
        text = """
            <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
            width="\((w * millimetres).short(3))mm" height="\((h * millimetres).short(3))mm" \
            viewBox="0 0 \(w.short()) \(h.short())" role="img"
            """
        if !isOutlined { text += " font-family=\"\(Self.families(scene.fontFamilies))\"" }
        text += ">\n"
        if !scene.title.isEmpty { text += "<title>\(Self.escaped(Typesetter.oneLine(scene.title)))</title>\n" }
        if let background = scene.background { text += "<rect width=\"100%\" height=\"100%\" fill=\"\(background.hex)\"/>\n" }
        for element in scene.elements { try write(element) }
        text += "</svg>\n"
    }

    private mutating func write(_ element: Scene.Element) throws {
        switch element {
        case .path(let path, let style): text += "<path d=\"\(Self.data(path))\"\(Self.attributes(style))/>\n"
        case .rectangle(let r, let style):
            text += "<rect x=\"\(r.x.short())\" y=\"\(r.y.short())\" width=\"\(r.width.short())\" height=\"\(r.height.short())\""
            text += Self.attributes(style)
            if style.stroke == nil { text += " shape-rendering=\"crispEdges\"" }
            text += "/>\n"
        case .line(let a, let b, let style):
            text += "<path d=\"M\(a.x.short()) \(a.y.short())L\(b.x.short()) \(b.y.short())\"\(Self.attributes(style))/>\n"
        case .markers(let marker, let points, let size, let style): write(marker, points, size, style)
        case .text(let text): write(text)
        case .group(let group): try write(group)
        }
    }

    private mutating func write(_ marker: Marker, _ points: [Scene.Point], _ size: Double, _ style: Scene.Style) {
        guard !points.isEmpty else { return }
        text += "<g\(Self.attributes(style))>\n"
        if let corners = marker.corners {
            // Relative moves are the same for every mark, so the outline is spelled once.
            var outline = ""
            for i in corners.indices.dropFirst() {
                let (x, y) = ((corners[i].x - corners[i - 1].x) * size, (corners[i].y - corners[i - 1].y) * size)
                outline += "\(i == 1 ? "l" : " ")\(x.short()) \(y.short())"
            }
            outline += "z"
            let first = corners[0]
            for p in points {
                text += "<path d=\"M\((p.x + first.x * size).short()) \((p.y + first.y * size).short())\(outline)\"/>\n"
            }
        } else {
            let radius = (size / 2).short()
            for p in points { text += "<circle cx=\"\(p.x.short())\" cy=\"\(p.y.short())\" r=\"\(radius)\"/>\n" }
        }
        text += "</g>\n"
    }

    private mutating func write(_ t: Scene.Text) {
        // Emoji fonts are pictures, not outlines: such a text stays text.
        if isOutlined, !t.string.unicodeScalars.contains(where: \.properties.isEmojiPresentation) {
            let path = Self.data(typesetter.outlines(t))
            guard !path.isEmpty else { return }
            if let halo = t.halo {
                text += """
                    <path d="\(path)" fill="none" stroke="\(halo.hex)" stroke-width="\(t.haloWidth.short())" stroke-linejoin="round"/>\n
                    """
            }
            text += "<path d=\"\(path)\" fill=\"\(t.color.hex)\"/>\n"
            return
        }
        text += "<text x=\"\(t.position.x.short())\" y=\"\(t.position.y.short())\" font-size=\"\(t.size.short())\" fill=\"\(t.color.hex)\""
        if t.bold { text += " font-weight=\"bold\"" }
        if t.italic { text += " font-style=\"italic\"" }
        if t.anchor != .start { text += " text-anchor=\"\(t.anchor == .middle ? "middle" : "end")\"" }
        if t.rotation != 0 {
            text += " transform=\"rotate(\((-t.rotation).short()) \(t.position.x.short()) \(t.position.y.short()))\""
        }
        if let halo = t.halo {
            text += """
                 stroke="\(halo.hex)" stroke-width="\(t.haloWidth.short())" stroke-linejoin="round" paint-order="stroke"
                """
        }
        // Two spaces in a row are two spaces.
        if t.string.contains("  ") || t.string.hasPrefix(" ") || t.string.hasSuffix(" ") { text += " xml:space=\"preserve\"" }
        text += ">\(Self.escaped(t.string))</text>\n"
    }

    private mutating func write(_ group: Scene.Group) throws {
        if group.isRaster, let image = try? CairoWriter.raster(group, of: scene, dotsPerInch: Scene.rasterDotsPerInch) {
            text += """
                <image width="\(scene.size.width.short())" height="\(scene.size.height.short())" \
                xlink:href="data:image/png;base64,\(Data(image).base64EncodedString())"/>\n
                """
            return
        }
        if let clip = group.clip {
            clips += 1
            text += """
                <clipPath id="clip\(clips)"><rect x="\(clip.x.short())" y="\(clip.y.short())" \
                width="\(clip.width.short())" height="\(clip.height.short())"/></clipPath>\n
                """
        }
        text += "<g"
        if let name = group.name { text += " class=\"\(Self.escaped(name))\"" }
        if group.clip != nil { text += " clip-path=\"url(#clip\(clips))\"" }
        text += ">\n"
        for element in group.elements { try write(element) }
        text += "</g>\n"
    }

    // MARK: Attributes

    private static func attributes(_ style: Scene.Style) -> String {
        var text = ""
        if let fill = style.fill {
            text += " fill=\"\(fill.hex)\""
            if style.fillOpacity < 1 { text += " fill-opacity=\"\(style.fillOpacity.short())\"" }
        } else {
            text += " fill=\"none\""
        }
        if let stroke = style.stroke {
            text += " stroke=\"\(stroke.hex)\" stroke-width=\"\(style.lineWidth.short())\""
            if style.strokeOpacity < 1 { text += " stroke-opacity=\"\(style.strokeOpacity.short())\"" }
            text += " stroke-linejoin=\"round\""
            if style.dash.isEmpty {
                text += " stroke-linecap=\"round\""
            } else {
                text += " stroke-dasharray=\"\(style.dash.map { $0.short() }.joined(separator: " "))\""
            }
        }
        return text
    }

    private static func data(_ path: Scene.Path) -> String {
        var text = ""
        func xy(_ p: Scene.Point) -> String { "\(p.x.short()) \(p.y.short())" }
        for segment in path.segments {
            switch segment {
            case .move(let p): text += "M\(xy(p))"
            case .line(let p): text += "L\(xy(p))"
            case .curve(let a, let b, let c): text += "C\(xy(a)) \(xy(b)) \(xy(c))"
            case .close: text += "Z"
            }
        }
        return text
    }

    private static func families(_ families: [String]) -> String {
        families.map { family in
            // A name of several words is in quotes; quotes and backslashes inside a name cannot be meant.
            let name = escaped(family.filter { $0 != "'" && $0 != "\"" && $0 != "\\" })
            return name == "sans-serif" || name == "serif" || name == "monospace" ? name : "'\(name)'"
        }.joined(separator: ", ")
    }

    /// Text for XML, in elements and in attributes.
    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x22].contains($0) }) else { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
