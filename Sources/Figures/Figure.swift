import FileFormats
import Foundation

/// A picture that can be laid out and written as SVG, PDF or PNG, with the same layout in all three.
public protocol Figure: Sendable {
    func scene() throws -> Scene
}

extension Scene: Figure {
    /// The picture as shapes and text.
    public func scene() -> Scene { self }
}

extension Figure {
    /// - Parameter outlined: letters as shapes instead of text, for places without the font.
    public func svg(outlined: Bool = false) throws -> String { try SVGWriter.svg(scene(), outlined: outlined) }

    /// One page with embedded fonts. Equal figures give equal bytes.
    public func pdf() throws -> [UInt8] { try CairoWriter.pdf(scene()) }

    /// The picture as a PNG file.
    ///
    /// - Throws: `DataError` if the fonts for a text are missing.
    public func png(dotsPerInch: Double = 300) throws -> [UInt8] { try CairoWriter.png(scene(), dotsPerInch: dotsPerInch) }

    /// Writes the picture in the format that the file's extension names. The file appears when it is complete.
    ///
    /// - Throws: `DataError` for another extension, a missing Japanese font (PDF, PNG, outlined SVG) or a folder that cannot be written.
    public func write(to file: URL, dotsPerInch: Double = 300, outlined: Bool = false) throws {
        switch file.pathExtension.lowercased() {
        case "svg": try Output.write(Array(svg(outlined: outlined).utf8), to: file)
        case "pdf": try Output.write(pdf(), to: file)
        case "png": try Output.write(png(dotsPerInch: dotsPerInch), to: file)
        case let other:
            throw DataError(
                .usage, "figures are written as .svg, .pdf or .png\(other.isEmpty ? "" : ", not .\(other)")", file: file.relativePath)
        }
    }
}

/// A length on paper.
public struct Length: Sendable, Equatable {
    /// Points of 1/72 inch.
    package var points: Double
    /// A length in points of 1/72 inch.
    public init(points: Double) { self.points = points }

    /// A length in millimetres.
    public static func millimetres(_ value: Double) -> Length { Length(points: value * 72 / 25.4) }

    /// Reads `85mm`, `8.5cm`, `3.3in`, `240pt` or `600px` (96 a inch).
    ///
    /// - Throws: `DataError` for anything else and for lengths outside 10 mm to 2 m.
    package init(parsing text: String) throws {
        let units = ["mm": 72 / 25.4, "cm": 720 / 25.4, "in": 72, "pt": 1, "px": 0.75]
        let number = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces).lowercased()
        guard let value = Double(number), let scale = units[unit] else {
            throw DataError(.usage, "\"\(text)\" is not a length; expected for example 85mm, 8.5cm, 3.3in, 240pt or 600px")
        }
        points = value * scale
        guard points >= 28, points <= 5670 else {
            throw DataError(.usage, "\(text) is outside 10 mm to 2 m")
        }
    }
}

/// The words of axes and legends.
public enum FigureLanguage: String, Sendable, CaseIterable {
    case japanese = "ja"
    case english = "en"

    /// The one of two wordings that is in this language.
    package func says(_ english: String, _ japanese: String) -> String { self == .japanese ? japanese : english }

    /// The name of a principal component's axis, with its share of the variance where known: `第1主成分 (32.1 %)`, `PC 1 (32.1 %)`.
    ///
    /// - Parameter index: from 1.
    package func principalComponent(_ index: Int, explainedVarianceRatio: Double? = nil) -> String {
        let name = says("PC \(index)", "第\(index)主成分")
        return explainedVarianceRatio.map { "\(name) (\(($0 * 100).fixed(1)) %)" } ?? name
    }
}

/// What all figures share: the page and the letters.
public struct PageStyle: Sendable {
    /// 85 mm is one column of most journals.
    package var width: Length = .millimetres(85)
    /// Chosen by the picture where nil.
    package var height: Length?
    /// Preferred font families; the built-in list follows them.
    package var fonts: [String] = []
    /// Body size in points.
    package var fontSize = 7.0
    /// The language of axes and legends.
    package var language: FigureLanguage = .english

    /// A page one journal column (85 mm) wide with 7-point text, unless stated otherwise.
    public init(
        width: Length = .millimetres(85), height: Length? = nil, fonts: [String] = [], fontSize: Double = 7,
        language: FigureLanguage = .english
    ) {
        self.width = width
        self.height = height
        self.fonts = fonts
        self.fontSize = fontSize
        self.language = language
    }

    /// A style with one font chosen by name.
    ///
    /// - Throws: `DataError` if the font is not installed.
    package static func requiring(font name: String) throws -> PageStyle {
        guard Typesetter.isInstalled(family: name) else {
            throw DataError(.usage, "the font \"\(name)\" is not installed; `fc-list : family` lists those that are")
        }
        return PageStyle(fonts: [name])
    }

    var families: [String] { fonts + Typesetter.defaultFamilies.filter { !fonts.contains($0) } }
}
