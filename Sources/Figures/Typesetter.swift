import CCairo
import CPango
import FileFormats
import Glibc

/// Measures text and draws it through Pango, with the fonts installed on this machine.
///
/// Not Sendable: a typesetter belongs to the picture being laid out.
package final class Typesetter {
    /// Sans-serif families with Latin and Japanese letters of one design first, then what other systems have.
    package static let defaultFamilies = [
        "Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "Hiragino Sans", "Yu Gothic", "Helvetica", "Arial", "Liberation Sans",
        "DejaVu Sans", "sans-serif",
    ]

    package struct Metrics: Sendable {
        /// The advance, in points.
        package var width: Double
        /// Above and below the baseline, in points, both positive.
        package var ascent: Double, descent: Double
    }

    private struct Key: Hashable {
        var text: String
        var size: Double
        var bold: Bool
        var italic: Bool
    }

    private let context: OpaquePointer
    private let families: [String]
    private var cache: [Key: Metrics] = [:]

    package init(families: [String] = Typesetter.defaultFamilies) {
        self.families = families
        // The font map belongs to Pango, one a thread.
        context = pango_font_map_create_context(Self.fontMap())
        pango_context_set_language(context, pango_language_from_string("ja"))
        // Positions to fractions of a point, so that the layout is the same at every resolution.
        pango_context_set_round_glyph_positions(context, 0)
        let options = cairo_font_options_create()
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
        pango_cairo_context_set_font_options(context, options)
        cairo_font_options_destroy(options)
    }

    deinit { g_object_unref(UnsafeMutableRawPointer(context)) }

    /// Fonts that came with the program are found next to the machine's own.
    private static let installedFonts: Void = {
        guard getenv("FONTCONFIG_FILE") == nil, let configuration = InstalledFiles.find("fonts/fonts.conf") else { return }
        setenv("FONTCONFIG_FILE", configuration.path, 0)
    }()

    private static func fontMap() -> OpaquePointer? {
        _ = installedFonts
        return pango_cairo_font_map_get_default()
    }

    /// Text for one line of a picture: control characters and line ends become spaces, byte-order marks vanish.
    package static func oneLine(_ text: String) -> String {
        func isControl(_ s: Unicode.Scalar) -> Bool {
            s.value < 0x20 || (0x7F...0x9F).contains(s.value) || (0x2028...0x2029).contains(s.value) || s.value == 0xFEFF
                || s.value & 0xFFFE == 0xFFFE
        }
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var scalars = String.UnicodeScalarView()
        for s in text.unicodeScalars {
            if isControl(s) { if s.value != 0xFEFF { scalars.append(" ") } } else { scalars.append(s) }
        }
        return String(scalars)
    }

    /// The extents of one line.
    package func measure(_ text: String, size: Double, bold: Bool = false, italic: Bool = false) -> Metrics {
        let key = Key(text: text, size: size, bold: bold, italic: italic)
        if let known = cache[key] { return known }
        let metrics = withLine(text, size: size, bold: bold, italic: italic) { line, _ in
            var logical = PangoRectangle()
            pango_layout_line_get_extents(line, nil, &logical)
            let scale = Double(PANGO_SCALE)
            return Metrics(
                width: Double(logical.width) / scale, ascent: Double(-logical.y) / scale,
                descent: Double(logical.height + logical.y) / scale)
        }
        // Line spacing is roomier than letters need: for placing, a line is as high as kana and accents are.
        let tight = Metrics(width: metrics.width, ascent: min(metrics.ascent, size * 0.88), descent: min(metrics.descent, size * 0.22))
        cache[key] = tight
        return tight
    }

    package func width(_ text: String, size: Double, bold: Bool = false) -> Double { measure(text, size: size, bold: bold).width }

    /// The box a text takes on the page; for turned texts the box around the turned one (quarter turns only).
    package func bounds(_ text: Scene.Text) -> Scene.Rectangle {
        let m = measure(text.string, size: text.size, bold: text.bold, italic: text.italic)
        let start =
            switch text.anchor {
            case .start: 0.0
            case .middle: -m.width / 2
            case .end: -m.width
            }
        let p = text.position
        return switch Int(text.rotation) {
        case 90: Rectangle(x: p.x - m.ascent, y: p.y - start - m.width, width: m.ascent + m.descent, height: m.width)
        case -90: Rectangle(x: p.x - m.descent, y: p.y + start, width: m.ascent + m.descent, height: m.width)
        default: Rectangle(x: p.x + start, y: p.y - m.ascent, width: m.width, height: m.ascent + m.descent)
        }
    }

    /// The text cut so that it fits `width`, with an ellipsis where it was cut.
    package func fitted(_ text: String, width: Double, size: Double, bold: Bool = false) -> String {
        let text = Self.oneLine(text)
        guard measure(text, size: size, bold: bold).width > width else { return text }
        let characters = Array(text)
        var (low, high) = (0, characters.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if measure(String(characters[..<middle]) + "…", size: size, bold: bold).width <= width {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return String(characters[..<low]) + "…"
    }

    /// The text in lines no wider than `width`, broken where its language allows.
    package func wrapped(_ text: String, width: Double, size: Double, bold: Bool = false) -> [String] {
        let text = Self.oneLine(text)
        guard width > 0, measure(text, size: size, bold: bold).width > width else { return [text] }
        return withLayout(text, size: size, bold: bold, italic: false) { layout in
            pango_layout_set_width(layout, Int32(min(width, 1e5) * Double(PANGO_SCALE)))
            pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
            let bytes = Array(text.utf8)
            var lines: [String] = []
            for i in 0..<pango_layout_get_line_count(layout) {
                guard let line = pango_layout_get_line_readonly(layout, i) else { continue }
                let start = min(max(Int(line.pointee.start_index), 0), bytes.count)
                let end = min(start + max(Int(line.pointee.length), 0), bytes.count)
                var part = Substring(String(decoding: bytes[start..<end], as: UTF8.self))
                while part.last == " " { part.removeLast() }
                lines.append(String(part))
            }
            return lines
        }
    }

    /// The family that will be used first, where it is installed.
    package static func isInstalled(family: String) -> Bool {
        let wanted = family.lowercased()
        if ["sans", "sans-serif", "serif", "monospace"].contains(wanted) { return true }
        var list: UnsafeMutablePointer<OpaquePointer?>?
        var count: Int32 = 0
        pango_font_map_list_families(fontMap(), &list, &count)
        defer { g_free(list) }
        guard let list else { return false }
        return (0..<Int(count)).contains { i in
            guard let name = list[i].flatMap({ pango_font_family_get_name($0) }) else { return false }
            return String(cString: name).lowercased() == wanted
        }
    }

    /// Throws for Japanese, Chinese or Korean text that no installed font can show, which would be drawn as boxes.
    ///
    /// - Throws: `DataError` that names the Debian package with such a font.
    func requireGlyphs(for texts: [Scene.Text]) throws {
        let wanted = Set(texts.flatMap { $0.string.unicodeScalars.filter(Self.isEastAsian) })
        guard !wanted.isEmpty else { return }
        let missing = wanted.sorted { $0.value < $1.value }.first { scalar in
            withLayout(String(scalar), size: 10, bold: false, italic: false) { pango_layout_get_unknown_glyphs_count($0) } > 0
        }
        if let missing {
            throw DataError(
                .unavailable,
                """
                no installed font has the character \(missing); install a Japanese font (on Debian: apt-get install fonts-noto-cjk) \
                or write the figure as SVG, which leaves the font to the viewer
                """)
        }
    }

    private static func isEastAsian(_ s: Unicode.Scalar) -> Bool {
        switch s.value {
        case 0x3041...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xFF66...0xFF9D: true
        default: false
        }
    }

    // MARK: Pango

    private func withLayout<Result>(
        _ text: String, size: Double, bold: Bool, italic: Bool, _ body: (OpaquePointer) -> Result
    ) -> Result {
        let layout: OpaquePointer = pango_layout_new(context)
        let description = pango_font_description_new()
        pango_font_description_set_family(description, families.joined(separator: ","))
        pango_font_description_set_absolute_size(description, size * Double(PANGO_SCALE))
        if bold { pango_font_description_set_weight(description, PANGO_WEIGHT_BOLD) }
        if italic { pango_font_description_set_style(description, PANGO_STYLE_ITALIC) }
        pango_layout_set_font_description(layout, description)
        pango_font_description_free(description)
        pango_layout_set_single_paragraph_mode(layout, 1)
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { pango_layout_set_text(layout, $0.baseAddress, Int32($0.count)) }
        }
        defer { g_object_unref(UnsafeMutableRawPointer(layout)) }
        return body(layout)
    }

    private func withLine<Result>(
        _ text: String, size: Double, bold: Bool, italic: Bool,
        _ body: (UnsafeMutablePointer<PangoLayoutLine>?, OpaquePointer) -> Result
    ) -> Result {
        withLayout(text, size: size, bold: bold, italic: italic) { body(pango_layout_get_line_readonly($0, 0), $0) }
    }

    /// Draws a text on a cairo context whose unit is the point.
    func draw(_ text: Scene.Text, on cairo: OpaquePointer) {
        let width = text.anchor == .start ? 0 : measure(text.string, size: text.size, bold: text.bold, italic: text.italic).width
        cairo_save(cairo)
        cairo_translate(cairo, text.position.x, text.position.y)
        if text.rotation != 0 { cairo_rotate(cairo, -text.rotation * .pi / 180) }
        let start = text.anchor == .middle ? -width / 2 : text.anchor == .end ? -width : 0
        withLine(text.string, size: text.size, bold: text.bold, italic: text.italic) { line, _ in
            if let halo = text.halo {
                cairo_move_to(cairo, start, 0)
                pango_cairo_layout_line_path(cairo, line)
                cairo_set_line_width(cairo, text.haloWidth)
                cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND)
                let (r, g, b) = halo.components
                cairo_set_source_rgb(cairo, r, g, b)
                cairo_stroke(cairo)
            }
            let (r, g, b) = text.color.components
            cairo_set_source_rgb(cairo, r, g, b)
            cairo_move_to(cairo, start, 0)
            pango_cairo_show_layout_line(cairo, line)
        }
        cairo_restore(cairo)
    }

    /// The letters' outlines, in page coordinates.
    func outlines(_ text: Scene.Text) -> Scene.Path {
        let width = measure(text.string, size: text.size, bold: text.bold, italic: text.italic).width
        let start = text.anchor == .middle ? -width / 2 : text.anchor == .end ? -width : 0
        let surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1)
        let cairo: OpaquePointer = cairo_create(surface)
        defer {
            cairo_destroy(cairo)
            cairo_surface_destroy(surface)
        }
        withLine(text.string, size: text.size, bold: text.bold, italic: text.italic) { line, _ in
            cairo_move_to(cairo, start, 0)
            pango_cairo_layout_line_path(cairo, line)
        }
        // Turned here and not by cairo, which would round the points to device units twice.
        let angle = -text.rotation * .pi / 180
        let (c, s) = (cosine(angle), sine(angle))
        func place(_ d: cairo_path_data_t) -> Point {
            Point(text.position.x + d.point.x * c - d.point.y * s, text.position.y + d.point.x * s + d.point.y * c)
        }
        var path = Path()
        guard let copied = cairo_copy_path(cairo) else { return path }
        defer { cairo_path_destroy(copied) }
        guard let data = copied.pointee.data else { return path }
        var i = 0
        while i < Int(copied.pointee.num_data) {
            let header = data[i].header
            switch header.type {
            case CAIRO_PATH_MOVE_TO: path.move(place(data[i + 1]))
            case CAIRO_PATH_LINE_TO: path.line(place(data[i + 1]))
            case CAIRO_PATH_CURVE_TO: path.curve(place(data[i + 1]), place(data[i + 2]), place(data[i + 3]))
            default: path.close()
            }
            i += max(Int(header.length), 1)
        }
        return path
    }
}

extension Scene.Text {
    /// How wide the rim around the letters is drawn, both sides together.
    var haloWidth: Double { max(size * 0.28, 1.2) }
}
