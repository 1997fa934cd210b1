import CMeCab
import FileFormats
import Foundation

/// Words of Japanese text by MeCab (Kudo et al. 2004): one shared model, any number of threads with a lattice each.
final class MeCabModel: @unchecked Sendable {
    // MeCab documents model and tagger as safe to share once they exist, with one lattice for each thread; hence unchecked Sendable.
    private let model: OpaquePointer
    private let tagger: OpaquePointer

    /// The IPA dictionary that came with the program, else Debian's, which is the one that the Python package `ipadic` ships.
    static let defaultDictionary = InstalledFiles.find("mecab/ipadic-utf8")?.path ?? "/var/lib/mecab/dic/ipadic-utf8"

    /// - Parameter dictionary: a folder with a compiled dictionary (`sys.dic`, `matrix.bin`, …) in UTF-8.
    init(dictionary: URL) throws {
        let path = dictionary.path
        for name in ["sys.dic", "matrix.bin", "char.bin", "unk.dic", "dicrc"]
        where !FileManager.default.fileExists(atPath: dictionary.appendingPathComponent(name).path) {
            throw DataError(
                .noInput,
                "not a compiled MeCab dictionary: \(name) is missing (on Debian, mecab-ipadic-utf8 installs one in "
                    + "\(Self.defaultDictionary))", file: path)
        }
        // A resource file must be named, or MeCab reads the machine's, which may name another dictionary.
        let arguments = ["mecab", "-d", path, "-r", "/dev/null"]
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        guard let model = mecab_model_new(Int32(pointers.count), &pointers) else {
            throw DataError(.badData, "MeCab cannot read this dictionary: \(String(cString: mecab_strerror(nil)))", file: path)
        }
        guard let tagger = mecab_model_new_tagger(model) else {
            mecab_model_destroy(model)
            throw DataError(.badData, "MeCab cannot read this dictionary", file: path)
        }
        self.model = model
        self.tagger = tagger
        var information = mecab_model_dictionary_info(model)
        while let dictionary = information {
            let charset = dictionary.pointee.charset.map { String(cString: $0) } ?? "unknown"
            guard ["utf-8", "utf8"].contains(charset.lowercased()) else {
                throw DataError(.badData, "the MeCab dictionary is in \(charset), expected UTF-8", file: path)
            }
            information = dictionary.pointee.next.map { UnsafePointer($0) }
        }
    }

    deinit {
        mecab_destroy(tagger)
        mecab_model_destroy(model)
    }

    /// Calls `found` with the place of each word. A NUL ends the text, as it does for the reference.
    func forEachWord(in text: UnsafeBufferPointer<UInt8>, lattice: inout MeCabLattice?, _ found: (Int, Int) -> Void) {
        forEachNode(in: text, lattice: &lattice) { start, end, _ in found(start, end) }
    }

    /// As `forEachWord`, with the dictionary's features of each word, which are valid during the call.
    func forEachNode(in text: UnsafeBufferPointer<UInt8>, lattice: inout MeCabLattice?, _ found: (Int, Int, UnsafePointer<CChar>?) -> Void)
    {
        let length = text.firstIndex(of: 0) ?? text.count
        guard length > 0, let base = text.baseAddress else { return }
        if lattice == nil || lattice?.owner !== self { lattice = MeCabLattice(self, mecab_model_new_lattice(model)) }
        guard let pointer = lattice?.pointer else { return }
        base.withMemoryRebound(to: CChar.self, capacity: length) { sentence in
            mecab_lattice_set_sentence2(pointer, sentence, length)
            guard mecab_parse_lattice(tagger, pointer) != 0, let own = mecab_lattice_get_sentence(pointer) else { return }
            var node = mecab_lattice_get_bos_node(pointer)
            var done = 0
            while let current = node {
                node = current.pointee.next
                let kind = Int(current.pointee.stat)
                guard kind != Int(MECAB_BOS_NODE), kind != Int(MECAB_EOS_NODE), let surface = current.pointee.surface else { continue }
                let start = surface - own
                let end = start + Int(current.pointee.length)
                // MeCab counts lengths in 16 bits; runs of more spaces than that come out wrong and are passed over.
                guard start >= done, end > start, end <= length, UTF8Scalars.isBoundary(text, start), UTF8Scalars.isBoundary(text, end)
                else {
                    continue
                }
                done = end
                found(start, end, current.pointee.feature)
            }
            mecab_lattice_clear(pointer)
        }
    }
}

/// MeCab's working memory for one sentence; belongs to one thread.
final class MeCabLattice {
    fileprivate let pointer: OpaquePointer?
    fileprivate let owner: MeCabModel

    fileprivate init(_ owner: MeCabModel, _ pointer: OpaquePointer?) {
        self.owner = owner
        self.pointer = pointer
    }

    deinit { if let pointer { mecab_lattice_destroy(pointer) } }
}

/// MeCab's words as BertJapaneseTokenizer takes them: lower case if asked for, split once more at what Python calls white space.
struct MeCabWords: Sendable {
    let model: MeCabModel
    let lowercases: Bool
    /// Words that stay as they are.
    let neverLowercased: Set<[UInt8]>
    /// WordPiece splits words at white space; character subwords do not.
    let splitsAtSpace: Bool

    func split(_ text: inout PreTokenizedText, lattice: inout MeCabLattice?) {
        var own = lattice
        text.split(isolating: { bytes, found in model.forEachWord(in: bytes, lattice: &own, found) })
        lattice = own
        if lowercases {
            text.rewrite { bytes, _, newBytes, sources in
                let lowered = neverLowercased.contains(Array(bytes)) ? nil : PythonText.lowercased(bytes)
                guard let lowered else {
                    newBytes.append(contentsOf: bytes)
                    for i in bytes.indices { sources.append(Int32(truncatingIfNeeded: i)) }
                    return
                }
                newBytes.append(contentsOf: lowered.bytes)
                sources.append(contentsOf: lowered.sources)
            }
        }
        if splitsAtSpace {
            text.split(.scalars { ScalarProperties($0).pythonFlags.contains(.space) }, .removed)
        }
    }
}

/// Text as Python's `str` treats it.
enum PythonText {
    /// `str.lower()` of UTF-8 and, for each new byte, the old byte that its character begins at.
    static func lowercased(_ text: UnsafeBufferPointer<UInt8>) -> (bytes: [UInt8], sources: [Int32]) {
        var bytes: [UInt8] = []
        var sources: [Int32] = []
        bytes.reserveCapacity(text.count)
        var i = 0
        while i < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: i)
            var lower = lowercaseMapping(scalar)
            if ScalarProperties(scalar).pythonFlags.contains(.lowercaseUnknown) { lower = scalar }
            if scalar == 0x3A3, isFinalSigma(text, at: i, after: i + length) { lower = 0x3C2 }
            UTF8Scalars.append(lower, to: &bytes)
            if scalar == 0x130 { UTF8Scalars.append(0x307, to: &bytes) }
            while sources.count < bytes.count { sources.append(Int32(truncatingIfNeeded: i)) }
            i += length
        }
        return (bytes, sources)
    }

    /// Whether a capital sigma ends a word: a cased letter before it, none after it, whatever is case-ignorable passed over.
    private static func isFinalSigma(_ text: UnsafeBufferPointer<UInt8>, at start: Int, after end: Int) -> Bool {
        var before = start
        var isCased = false
        while before > 0 {
            let (scalar, length) = UTF8Scalars.decodeBackward(text, before: before)
            let flags = ScalarProperties(scalar).pythonFlags
            before -= length
            if flags.contains(.caseIgnorable) { continue }
            isCased = flags.contains(.cased)
            break
        }
        guard isCased else { return false }
        var next = end
        while next < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: next)
            let flags = ScalarProperties(scalar).pythonFlags
            next += length
            if flags.contains(.caseIgnorable) { continue }
            return !flags.contains(.cased)
        }
        return true
    }
}
