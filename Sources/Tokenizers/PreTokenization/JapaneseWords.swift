import FileFormats
import Foundation

/// Words of Japanese text by MeCab, as surface or dictionary forms, for programs that count and look up words.
public final class JapaneseWords: Sendable {
    /// The form in which words are given.
    public enum Form: String, Sendable, CaseIterable {
        /// As written.
        case surface
        /// The dictionary form, as 走っ → 走る; the surface where the dictionary has none.
        case base
    }

    /// The form of the words.
    package let form: Form
    private let model: MeCabModel

    /// - Parameter dictionary: a MeCab dictionary; nil takes `KOTONOHA_MECAB_DIC`, else Debian's IPA dictionary.
    public init(form: Form = .surface, dictionary: String? = nil) throws {
        let path = dictionary ?? ProcessInfo.processInfo.environment["KOTONOHA_MECAB_DIC"] ?? MeCabModel.defaultDictionary
        model = try MeCabModel(dictionary: URL(fileURLWithPath: path))
        self.form = form
    }

    /// Working memory of one thread.
    public struct Scratch {
        fileprivate var lattice: MeCabLattice?
        /// Empty; memory is allocated on first use.
        public init() {}
    }

    /// Calls back with each word of a text. Invalid UTF-8 is passed to MeCab, which skips it.
    public func forEachWord(in text: UnsafeRawBufferPointer, scratch: inout Scratch, _ word: (UnsafeRawBufferPointer) -> Void) {
        model.forEachNode(in: text.assumingMemoryBound(to: UInt8.self), lattice: &scratch.lattice) { start, end, feature in
            let surface = UnsafeRawBufferPointer(rebasing: text[start..<end])
            guard form == .base, let feature, let base = Self.base(feature) else { return word(surface) }
            word(base)
        }
    }

    /// Column 7 of IPADIC's features, 11 of UniDic's (orthBase); nil for `*` and if absent.
    private static func base(_ feature: UnsafePointer<CChar>) -> UnsafeRawBufferPointer? {
        let text = UnsafeRawBufferPointer(start: feature, count: strlen(feature))
        let columns = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let index = columns.count >= 17 ? 10 : 6
        guard columns.count > index else { return nil }
        let found = UnsafeRawBufferPointer(rebasing: columns[index])
        return found.isEmpty || (found.count == 1 && found[0] == UInt8(ascii: "*")) ? nil : found
    }
}
