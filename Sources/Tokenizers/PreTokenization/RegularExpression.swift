import COniguruma
import FileFormats

/// A regular expression as the reference compiles it: Oniguruma, Ruby syntax, UTF-8.
final class RegularExpression: @unchecked Sendable {
    // Searching does not change a compiled expression; each search has a region of its own. Hence unchecked Sendable.
    private let compiled: OnigRegex
    let pattern: String

    private static let library: Bool = {
        var encodings: [OnigEncoding?] = [kn_onig_utf8()]
        return onig_initialize(&encodings, 1) == ONIG_NORMAL
    }()

    // The Oniguruma of the reference knows a later Unicode than Debian's: to it, letters are letters that here are not yet assigned.
    // So the properties by which tokenizers split are spelled out as ranges from the generated tables.

    /// General categories in the order of the tables.
    private static let categories = [
        "Cn", "Cc", "Cf", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No", "Pc", "Pd",
        "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs",
    ]

    /// Long names of the groups of categories, as `folded` has them.
    private static let groups = ["letter": "L", "mark": "M", "number": "N", "punctuation": "P", "symbol": "S", "separator": "Z"]

    /// A property's name without case, spaces, hyphens and underscores, none of which count.
    private static func folded(_ name: String) -> String { name.lowercased().filter { $0 != " " && $0 != "-" && $0 != "_" } }

    /// The scalars of a general category (`Lu`, or `L` for all of them) or of `\w` as the inside of a character class.
    private static func ranges(_ name: String) -> String? {
        let isWord = name == "w"
        let name = groups[folded(name)] ?? name
        let wanted = categories.map { $0 == name || $0.prefix(1) == name }
        guard isWord || wanted.contains(true), name != "Cs" else { return nil }
        var result = ""
        var start: UInt32?
        for scalar in UInt32(0)...0x110000 {
            let isIn: Bool
            if scalar == 0x110000 || (0xD800...0xDFFF).contains(scalar) {
                isIn = false  // no text has a surrogate
            } else {
                let properties = ScalarProperties(scalar)
                isIn = isWord ? properties.flags.contains(.patternWord) : wanted[Int(properties.category)]
            }
            if isIn, start == nil { start = scalar }
            guard !isIn, let from = start else { continue }
            start = nil
            result += "\\x{\(String(from, radix: 16))}-\\x{\(String(scalar - 1, radix: 16))}"
        }
        return result
    }

    /// The pattern with general categories, `\w` and `\d` spelled out, and scripts completed. Ruby's syntax nests character classes, so that
    /// they can be put wherever the escape was.
    private static func rewritten(_ pattern: String) -> String {
        var result = ""
        var rest = pattern.unicodeScalars[...]
        while let first = rest.popFirst() {
            guard first == "\\", let kind = rest.popFirst() else {
                result.unicodeScalars.append(first)
                continue
            }
            var name: String?
            var isNegated = kind == "W" || kind == "D" || kind == "P"
            var spelling = "\\\(kind)"
            switch kind {
            case "w", "W": name = "w"
            case "d", "D": name = "Nd"
            case "p" where rest.first == "{", "P" where rest.first == "{":
                let inside = rest.dropFirst().prefix { $0 != "}" }
                if inside.first == "^" { isNegated.toggle() }
                name = String(String.UnicodeScalarView(inside.first == "^" ? inside.dropFirst() : inside))
                spelling += "{" + String(String.UnicodeScalarView(inside)) + "}"
                rest = rest.dropFirst(2 + inside.count)
            default: break
            }
            if let ranges = name.flatMap(Self.ranges) {
                result += "[\(isNegated ? "^" : "")\(ranges)]"
            } else if let name, let later = laterScripts[folded(name)] {
                result += "[\(isNegated ? "^" : "")\\p{\(name)}\(later)]"
            } else {
                result += spelling
            }
        }
        return result
    }

    init(_ pattern: String) throws {
        guard Self.library else { throw DataError(.badData, "the regular-expression library (Oniguruma) did not start") }
        var regex: OnigRegex?
        var info = OnigErrorInfo()
        let bytes = Array(Self.rewritten(pattern).utf8)
        let status = bytes.withUnsafeBufferPointer { buffer -> Int32 in
            // An empty array may have no base address, and Oniguruma wants one.
            var nothing: UInt8 = 0
            let base = buffer.baseAddress ?? withUnsafePointer(to: &nothing) { $0 }
            return kn_onig_new(&regex, base, base + buffer.count, &info)
        }
        guard status == ONIG_NORMAL, let regex else {
            throw DataError(
                .badData,
                "the regular expression \(pattern.debugDescription) cannot be compiled "
                    + "(Oniguruma error \(status)); tokenizer patterns are in Oniguruma's Ruby syntax")
        }
        compiled = regex
        self.pattern = pattern
    }

    deinit { onig_free(compiled) }

    /// Every match in order, as the reference iterates: an empty match right behind the last match does not count.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Int, Int) -> Void) {
        guard let base = text.baseAddress, let region = onig_region_new() else { return }
        defer { onig_region_free(region, 1) }
        let end = base + text.count
        var from = 0
        var lastEnd = -1
        while from <= text.count {
            onig_region_clear(region)
            guard onig_search(compiled, base, end, base + from, end, region, 0) >= 0, region.pointee.num_regs > 0 else { return }
            let start = Int(region.pointee.beg[0])
            let stop = Int(region.pointee.end[0])
            guard start >= 0, stop >= start, stop <= text.count else { return }
            if start == stop, stop == lastEnd {
                from += from < text.count ? UTF8Scalars.decode(text, at: from).length : 1
                continue
            }
            from = stop
            lastEnd = stop
            body(start, stop)
        }
    }
}
