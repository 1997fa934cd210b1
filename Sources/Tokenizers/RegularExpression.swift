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

    init(_ pattern: String) throws {
        guard Self.library else { throw DataError(.badData, "the regular-expression library (Oniguruma) did not start") }
        var regex: OnigRegex?
        var info = OnigErrorInfo()
        let bytes = Array(pattern.utf8)
        let status = bytes.withUnsafeBufferPointer { buffer -> Int32 in
            // An empty array may have no base address, and Oniguruma wants one.
            var nothing: UInt8 = 0
            let base = buffer.baseAddress ?? withUnsafePointer(to: &nothing) { $0 }
            return kn_onig_new(&regex, base, base + buffer.count, &info)
        }
        guard status == ONIG_NORMAL, let regex else {
            throw DataError(.badData, "the regular expression \(pattern.debugDescription) cannot be compiled "
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
