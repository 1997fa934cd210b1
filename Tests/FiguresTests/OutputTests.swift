import Figures
import FileFormats
import Foundation
import TestTools
import Testing

@Suite struct OutputTests {
    private let figure: ScatterMap

    init() throws {
        var options = ScatterMap.Options()
        options.title = "言の葉 Kotonoha"
        options.labels = .points(["浜辺を歩く", "two dogs", "夜の市場 🍜"])
        figure = try ScatterMap(points: Samples.spiral(3), options: options)
    }

    private func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("kotonoha-maps-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private func run(_ tool: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func pngHasTheSizeOfThePage() throws {
        let png = try figure.png(dotsPerInch: 300)
        #expect(Array(png[0..<8]) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        func word(_ at: Int) -> Int { png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        // 85 mm at 300 dots an inch.
        #expect(word(16) == 1004)
        #expect(String(decoding: png[37..<41], as: UTF8.self) == "pHYs")
        #expect(word(41) == 11_811 && word(45) == 11_811 && png[49] == 1)
        #expect(throws: DataError.self) { try figure.png(dotsPerInch: 1e6) }
    }

    @Test func equalFiguresAreEqualFiles() throws {
        #expect(try figure.pdf() == figure.pdf())
        #expect(try figure.png() == figure.png())
        #expect(try figure.svg() == figure.svg())
    }

    @Test(
        .enabled(
            if: TestTool.pdffonts.isExpected && TestTool.pdftoppm.isExpected && TestTool.pdftotext.isExpected,
            "needs poppler-utils; tools/test installs it"))
    func pdfOpensAndEmbedsItsFonts() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("map.pdf")
        try figure.write(to: file)
        let fonts = try run(try TestTool.pdffonts.required(), [file.path])
        let rows = fonts.output.split(separator: "\n").dropFirst(2)
        #expect(fonts.status == 0 && !rows.isEmpty)
        // Columns: name, type, encoding, emb, sub, uni, object.
        for row in rows { #expect(Array(row.split(separator: " ").suffix(5).prefix(3)) == ["yes", "yes", "yes"], "\(row)") }
        let text = try run(try TestTool.pdftotext.required(), [file.path, "-"]).output
        for word in ["言の葉 Kotonoha", "浜辺を歩く", "two dogs"] { #expect(text.contains(word), "\(text)") }
        #expect(
            try run(try TestTool.pdftoppm.required(), ["-png", "-r", "72", file.path, folder.appendingPathComponent("page").path]).status
                == 0)
        let date = try run(try TestTool.pdfinfo.required(), [file.path]).output
        #expect(!date.contains("CreationDate:    2"))
    }

    @Test func outlinesNeedNoFont() throws {
        let svg = try ParsedSVG(figure.svg(outlined: true))
        // Only what has an emoji, which is a picture and no outline, stays text.
        #expect(svg.texts == ["夜の市場 🍜"])
        #expect(svg.elements[0].attributes["font-family"] == nil)
    }

    @Test func theExtensionChoosesTheFormat() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, start) in [("a.svg", "<svg"), ("a.PDF", "%PDF"), ("a.png", "\u{89}PNG")] {
            let file = folder.appendingPathComponent(name)
            try figure.write(to: file)
            let head = try Data(contentsOf: file).prefix(4)
            #expect(head == start.unicodeScalars.map { UInt8($0.value) }.reduce(into: Data()) { $0.append($1) })
        }
        // What cannot be written leaves the old file.
        let old = folder.appendingPathComponent("old.jpg")
        try Data("old".utf8).write(to: old)
        #expect(throws: DataError.self) { try figure.write(to: old) }
        #expect(try Data(contentsOf: old) == Data("old".utf8))
        #expect(throws: DataError.self) { try figure.write(to: folder.appendingPathComponent("missing/a.svg")) }
        #expect(throws: DataError.self) { try figure.write(to: folder.appendingPathComponent("noextension")) }
    }

    @Test func lengths() throws {
        #expect(abs(try Length(parsing: "85mm").points - 240.945) < 0.001)
        #expect(try Length(parsing: "8.5cm") == Length(points: 8.5 * 720 / 25.4))
        #expect(try Length(parsing: "3in").points == 216)
        #expect(try Length(parsing: "240 pt").points == 240)
        #expect(try Length(parsing: "600PX").points == 450)
        for text in ["", "85", "mm", "-3mm", "1mm", "9999cm", "1e3mm", "８５mm", "8..5mm"] {
            #expect(throws: DataError.self, "\(text)") { try Length(parsing: text) }
        }
    }

    @Test func fonts() throws {
        #expect(throws: DataError.self) { try PageStyle.requiring(font: "No Such Font At All") }
        #expect(try PageStyle.requiring(font: "sans-serif").fonts == ["sans-serif"])
        let typesetter = Typesetter()
        #expect(typesetter.width("浜辺浜辺", size: 10) > typesetter.width("浜辺", size: 10) * 1.9)
        #expect(typesetter.fitted("浜辺を男女が歩く", width: 40, size: 10).hasSuffix("…"))
        #expect(typesetter.width(typesetter.fitted("浜辺を男女が歩く", width: 40, size: 10), size: 10) <= 40)
        #expect(typesetter.wrapped("夕日に染まる浜辺を、男女が手をつないで歩いている。", width: 100, size: 10).joined() == "夕日に染まる浜辺を、男女が手をつないで歩いている。")
        #expect(typesetter.wrapped("two dogs play in the snow", width: 50, size: 10).joined(separator: " ") == "two dogs play in the snow")
    }

    @Test func colours() {
        #expect(Color(0xFFAA00).hex == "#fa0" && Color(0x0072B2).hex == "#0072b2")
        #expect(abs(Color.white.contrast(with: .black) - 21) < 1e-9)
        for color in Palette.groups { #expect(color.readableOnWhite.contrast(with: .white) >= 4.5) }
        // Lightness runs one way along the scales made for it.
        for scale in [Palette.Scale.sequential, .blues] {
            let steps = (0...20).map { scale.color(at: Double($0) / 20).luminance }
            #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 } || zip(steps, steps.dropFirst()).allSatisfy { $0 > $1 })
        }
        #expect(Palette.Scale.sequential.color(at: .nan) == Palette.Scale.sequential.color(at: 0))
    }
}

@Suite struct NumberTextTests {
    @Test func shortNumbers() {
        #expect([1.005, -0.001, 12, 1.5, -2.25, 0.07, 100].map { $0.short() } == ["1", "0", "12", "1.5", "-2.25", "0.07", "100"])
        #expect([Double.nan, .infinity, -.infinity].map { $0.short() } == ["NaN", "∞", "−∞"])
        #expect(1e300.short() == "1e+300")
        #expect([0.5, 1, -3.25].map { $0.fixed(2) } == ["0.50", "1.00", "−3.25"])
    }
}
