import CCairo
import FileFormats

/// Scenes to PNG and PDF through cairo: text is set in real fonts, which the PDF embeds as subsets.
enum CairoWriter {
    /// A PNG of `dotsPerInch`, which the file records, so that it has the right size on a printed page.
    static func png(_ scene: Scene, dotsPerInch: Double) throws -> [UInt8] {
        let scale = dotsPerInch / 72
        let surface = try image(of: scene.elements, size: scene.size, scale: scale, scene: scene, background: scene.background)
        defer { cairo_surface_destroy(surface) }
        return withPhysicalSize(try bytes(ofPNG: surface), dotsPerInch: dotsPerInch)
    }

    static func pdf(_ scene: Scene) throws -> [UInt8] {
        let typesetter = Typesetter(families: scene.fontFamilies)
        try typesetter.requireGlyphs(for: scene.texts)
        let sink = Sink()
        let surface = cairo_pdf_surface_create_for_stream(
            Sink.append, Unmanaged.passUnretained(sink).toOpaque(), scene.size.width, scene.size.height)
        defer { cairo_surface_destroy(surface) }
        cairo_pdf_surface_restrict_to_version(surface, CAIRO_PDF_VERSION_1_5)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, Typesetter.oneLine(scene.title))
        // No date of creation: equal figures are equal files.
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "")
        let cairo: OpaquePointer = cairo_create(surface)
        if let background = scene.background {
            set(background, 1, on: cairo)
            cairo_paint(cairo)
        }
        draw(scene.elements, on: cairo, scene: scene, typesetter: typesetter, rasterizes: true)
        cairo_show_page(cairo)
        let status = cairo_status(cairo)
        cairo_destroy(cairo)
        cairo_surface_finish(surface)
        try check(status)
        try check(cairo_surface_status(surface))
        return sink.bytes
    }

    /// A group of a scene as a PNG with transparent ground, for vector files that carry it as an image.
    static func raster(_ group: Scene.Group, of scene: Scene, dotsPerInch: Double) throws -> [UInt8] {
        let surface = try image(
            of: [.group(Scene.Group(group.elements, clip: group.clip))], size: scene.size, scale: dotsPerInch / 72, scene: scene,
            background: nil)
        defer { cairo_surface_destroy(surface) }
        return try bytes(ofPNG: surface)
    }

    // MARK: Surfaces

    private final class Sink {
        var bytes: [UInt8] = []
        static let append: cairo_write_func_t = { closure, data, count in
            guard let closure, let data else { return CAIRO_STATUS_WRITE_ERROR }
            let sink = Unmanaged<Sink>.fromOpaque(closure).takeUnretainedValue()
            sink.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
            return CAIRO_STATUS_SUCCESS
        }
    }

    private static func check(_ status: cairo_status_t) throws {
        guard status != CAIRO_STATUS_SUCCESS else { return }
        throw DataError(.cannotCreate, "the picture could not be drawn: \(String(cString: cairo_status_to_string(status)))")
    }

    private static func image(
        of elements: [Scene.Element], size: Scene.Size, scale: Double, scene: Scene, background: Color?
    ) throws -> OpaquePointer {
        let (width, height) = ((size.width * scale).rounded(.up), (size.height * scale).rounded(.up))
        // Beyond this cairo refuses.
        guard width >= 1, height >= 1, width <= 32_767, height <= 32_767 else {
            throw DataError(
                .usage,
                "a picture of \(width.short(0)) × \(height.short(0)) pixels cannot be made: at most 32767 a side; use fewer dots per inch")
        }
        let typesetter = Typesetter(families: scene.fontFamilies)
        try typesetter.requireGlyphs(for: scene.texts)
        let surface: OpaquePointer = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(width), Int32(height))
        let cairo: OpaquePointer = cairo_create(surface)
        defer { cairo_destroy(cairo) }
        if let background {
            set(background, 1, on: cairo)
            cairo_paint(cairo)
        }
        cairo_scale(cairo, scale, scale)
        draw(elements, on: cairo, scene: scene, typesetter: typesetter, rasterizes: false)
        do { try check(cairo_status(cairo)) } catch {
            cairo_surface_destroy(surface)
            throw error
        }
        return surface
    }

    private static func bytes(ofPNG surface: OpaquePointer) throws -> [UInt8] {
        let sink = Sink()
        try check(cairo_surface_write_to_png_stream(surface, Sink.append, Unmanaged.passUnretained(sink).toOpaque()))
        return sink.bytes
    }

    /// Adds the `pHYs` chunk, which cairo does not write, right after the header.
    private static func withPhysicalSize(_ png: [UInt8], dotsPerInch: Double) -> [UInt8] {
        let headerEnd = 33
        guard png.count > headerEnd else { return png }
        func bigEndian(_ v: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: v >> (24 - 8 * UInt32($0))) } }
        let dotsPerMetre = bigEndian(UInt32((dotsPerInch / 0.0254).rounded()))
        let content = Array("pHYs".utf8) + dotsPerMetre + dotsPerMetre + [1]
        var crc: UInt32 = .max
        for byte in content {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return png[..<headerEnd] + bigEndian(9) + content + bigEndian(~crc) + png[headerEnd...]
    }

    // MARK: Elements

    private static func set(_ color: Color, _ opacity: Double, on cairo: OpaquePointer) {
        let (r, g, b) = color.components
        cairo_set_source_rgba(cairo, r, g, b, opacity)
    }

    private static func draw(
        _ elements: [Scene.Element], on cairo: OpaquePointer, scene: Scene, typesetter: Typesetter, rasterizes: Bool
    ) {
        for element in elements {
            switch element {
            case .path(let path, let style):
                trace(path, on: cairo)
                paint(style, on: cairo)
            case .rectangle(let r, let style):
                cairo_rectangle(cairo, r.x, r.y, r.width, r.height)
                // Cells of a matrix share edges; smoothing both would leave a seam between them.
                if style.stroke == nil { cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE) }
                paint(style, on: cairo)
                cairo_set_antialias(cairo, CAIRO_ANTIALIAS_DEFAULT)
            case .line(let a, let b, let style):
                cairo_move_to(cairo, a.x, a.y)
                cairo_line_to(cairo, b.x, b.y)
                paint(style, on: cairo)
            case .markers(let marker, let points, let size, let style):
                let corners = marker.corners?.map { Point($0.x * size, $0.y * size) }
                for p in points {
                    if let corners {
                        for (i, c) in corners.enumerated() {
                            if i == 0 { cairo_move_to(cairo, p.x + c.x, p.y + c.y) } else { cairo_line_to(cairo, p.x + c.x, p.y + c.y) }
                        }
                        cairo_close_path(cairo)
                    } else {
                        cairo_new_sub_path(cairo)
                        cairo_arc(cairo, p.x, p.y, size / 2, 0, 2 * .pi)
                    }
                    paint(style, on: cairo)
                }
            case .text(let text): typesetter.draw(text, on: cairo)
            case .group(let group):
                cairo_save(cairo)
                if let clip = group.clip {
                    cairo_rectangle(cairo, clip.x, clip.y, clip.width, clip.height)
                    cairo_clip(cairo)
                }
                if rasterizes, group.isRaster {
                    drawRaster(group, on: cairo, scene: scene)
                } else {
                    draw(group.elements, on: cairo, scene: scene, typesetter: typesetter, rasterizes: rasterizes)
                }
                cairo_restore(cairo)
            }
        }
    }

    private static func drawRaster(_ group: Scene.Group, on cairo: OpaquePointer, scene: Scene) {
        let scale = Scene.rasterDotsPerInch / 72
        guard
            let surface = try? image(
                of: group.elements, size: scene.size, scale: scale, scene: scene, background: nil)
        else {
            // Too large a page for an image of this resolution: draw the shapes after all.
            draw(group.elements, on: cairo, scene: scene, typesetter: Typesetter(families: scene.fontFamilies), rasterizes: false)
            return
        }
        defer { cairo_surface_destroy(surface) }
        cairo_save(cairo)
        cairo_scale(cairo, 1 / scale, 1 / scale)
        cairo_set_source_surface(cairo, surface, 0, 0)
        cairo_paint(cairo)
        cairo_restore(cairo)
    }

    private static func trace(_ path: Scene.Path, on cairo: OpaquePointer) {
        for segment in path.segments {
            switch segment {
            case .move(let p): cairo_move_to(cairo, p.x, p.y)
            case .line(let p): cairo_line_to(cairo, p.x, p.y)
            case .curve(let a, let b, let c): cairo_curve_to(cairo, a.x, a.y, b.x, b.y, c.x, c.y)
            case .close: cairo_close_path(cairo)
            }
        }
    }

    private static func paint(_ style: Scene.Style, on cairo: OpaquePointer) {
        if let fill = style.fill {
            set(fill, style.fillOpacity, on: cairo)
            if style.stroke == nil { cairo_fill(cairo) } else { cairo_fill_preserve(cairo) }
        }
        if let stroke = style.stroke {
            set(stroke, style.strokeOpacity, on: cairo)
            cairo_set_line_width(cairo, style.lineWidth)
            cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND)
            cairo_set_line_cap(cairo, style.dash.isEmpty ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT)
            cairo_set_dash(cairo, style.dash, Int32(style.dash.count), 0)
            cairo_stroke(cairo)
        }
        cairo_new_path(cairo)
    }
}

extension Scene {
    /// The resolution of `isRaster` groups inside SVG and PDF.
    static let rasterDotsPerInch = 400.0
}
