/// An sRGB colour.
package struct Color: Sendable, Equatable, Hashable {
    package var red: UInt8, green: UInt8, blue: UInt8

    package init(_ hex: UInt32) {
        red = UInt8(truncatingIfNeeded: hex >> 16)
        green = UInt8(truncatingIfNeeded: hex >> 8)
        blue = UInt8(truncatingIfNeeded: hex)
    }
    package init(red: Double, green: Double, blue: Double) {
        func byte(_ v: Double) -> UInt8 { UInt8((min(max(v.isNaN ? 0 : v, 0), 1) * 255).rounded()) }
        (self.red, self.green, self.blue) = (byte(red), byte(green), byte(blue))
    }

    package static let white = Color(0xFFFFFF)
    package static let black = Color(0x000000)
    /// Text and axes: nearly black, softer than black beside colours.
    package static let ink = Color(0x1A1A1A)
    /// Secondary text; 5.7 : 1 against white.
    package static let grey = Color(0x666666)
    package static let lightGrey = Color(0xC8C8C8)
    package static let paleGrey = Color(0xE8E8E8)

    /// `#rrggbb`, shortened to `#rgb` where that says the same.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        let parts = [red, green, blue].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        let isShort = parts[0] == parts[1] && parts[2] == parts[3] && parts[4] == parts[5]
        return "#" + String(decoding: isShort ? [parts[0], parts[2], parts[4]] : parts, as: UTF8.self)
    }

    var components: (Double, Double, Double) { (Double(red) / 255, Double(green) / 255, Double(blue) / 255) }

    /// A step from this colour (0) to another (1), in sRGB values.
    package func mixed(with other: Color, _ share: Double) -> Color {
        let (a, b) = (components, other.components)
        return Color(
            red: a.0 + (b.0 - a.0) * share, green: a.1 + (b.1 - a.1) * share, blue: a.2 + (b.2 - a.2) * share)
    }

    /// Relative luminance, 0 to 1 (WCAG 2.2).
    package var luminance: Double {
        func linear(_ v: Double) -> Double { v <= 0.04045 ? v / 12.92 : power((v + 0.055) / 1.055, 2.4) }
        let (r, g, b) = components
        return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    /// Contrast ratio against another colour, 1 to 21 (WCAG 2.2).
    package func contrast(with other: Color) -> Double {
        let (a, b) = (luminance, other.luminance)
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    /// This hue, darkened until text in it can be read on white (contrast at least 4.5).
    package var readableOnWhite: Color {
        var share = 0.0
        while share < 1 {
            let color = mixed(with: .black, share)
            if color.contrast(with: .white) >= 4.5 { return color }
            share += 0.05
        }
        return .black
    }
}

/// Colours for groups and for values, distinguishable with any of the common colour-vision deficiencies.
package enum Palette {
    /// Twelve group colours: Okabe & Ito's eight ("Color Universal Design", 2008), ordered for white paper and their yellow darkened for
    /// it, and four dark or earthy ones that differ from them in lightness.
    package static let groups: [Color] = [
        Color(0x0072B2), Color(0xE69F00), Color(0x009E73), Color(0xCC79A7), Color(0x56B4E9), Color(0xD55E00),
        Color(0x222222), Color(0x882255), Color(0x999933), Color(0x332288), Color(0x8B5A2B), Color(0xD6C21A),
    ]

    /// The colour of points that belong to no group.
    package static let noGroup = Color(0xB5B5B5)

    /// From low to high; both run evenly in lightness.
    package enum Scale: Sendable {
        /// Anchors of cividis (Nuñez, Anderton & Renslow 2018): dark blue to yellow.
        case sequential
        /// White to dark blue: for matrices on paper.
        case blues
        /// Blue through white to vermilion, for values around a middle.
        case diverging

        var anchors: [Color] {
            switch self {
            case .sequential:
                [0x00224E, 0x123570, 0x3B496C, 0x575D6D, 0x707173, 0x8A8678, 0xA59C74, 0xC3B369, 0xE1CC55, 0xFEE838].map { Color($0) }
            case .blues: [0xFFFFFF, 0xE3EDF6, 0xC2D8EB, 0x93BEDC, 0x5F9FCB, 0x3480B9, 0x1561A0, 0x08437D, 0x062B57].map { Color($0) }
            case .diverging: [0x0B3C6F, 0x2F79B5, 0x8FC0DE, 0xDDEBF3, 0xFFFFFF, 0xFBE3D3, 0xF3A67C, 0xD55E00, 0x7C2F00].map { Color($0) }
            }
        }

        /// The colour at a share from 0 to 1; outside values take the end colours.
        package func color(at share: Double) -> Color {
            let anchors = anchors
            let place = min(max(share.isNaN ? 0 : share, 0), 1) * Double(anchors.count - 1)
            let index = min(Int(place), anchors.count - 2)
            return anchors[index].mixed(with: anchors[index + 1], place - Double(index))
        }
    }
}
