import CMeCab
import FileFormats
import Foundation

/// Word classes and readings from MeCab's IPA dictionary (Kudo et al. 2004): what slips of words keep to.
final class WordAnalysis {
    struct Word: Hashable {
        var surface: String
        /// Content words of one class can stand for each other: nouns, verbs and adjectives in the same form, adverbs. Nil for particles,
        /// endings and the like.
        var category: String?
        /// Phonemes of the reading; empty where the dictionary has none.
        var sounds: [String]
    }

    private let tagger: OpaquePointer
    /// Words looked up by themselves.
    private var known: [String: Word] = [:]

    /// - Parameter dictionary: a folder with a compiled IPA dictionary in UTF-8.
    init(dictionary: String) throws {
        // A resource file must be named, or MeCab reads the machine's, which may name another dictionary.
        let arguments = ["mecab", "-d", dictionary, "-r", "/dev/null"]
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        guard let tagger = mecab_new(Int32(pointers.count), &pointers) else {
            throw DataError(.noInput, "MeCab cannot read a dictionary here; on Debian, mecab-ipadic-utf8 installs one", file: dictionary)
        }
        self.tagger = tagger
    }

    deinit { mecab_destroy(tagger) }

    /// The words of a text.
    func words(of text: String) -> [Word] {
        var words: [Word] = []
        text.withCString { begin in
            var node = mecab_sparse_tonode(tagger, begin)
            while let current = node?.pointee {
                node = UnsafePointer(current.next)
                let kind = Int(current.stat)
                guard kind != Int(MECAB_BOS_NODE), kind != Int(MECAB_EOS_NODE), let start = current.surface, let feature = current.feature
                else { continue }
                let surface = String(decoding: UnsafeRawBufferPointer(start: start, count: Int(current.length)), as: UTF8.self)
                words.append(
                    Self.word(surface, String(cString: feature).split(separator: ",", omittingEmptySubsequences: false).map(String.init)))
            }
        }
        return words
    }

    /// One word of a text that is already cut; a word of several parts for the dictionary has no class.
    func word(_ surface: String) -> Word {
        if let word = known[surface] { return word }
        let parts = words(of: surface)
        let word = parts.count == 1 ? parts[0] : Word(surface: surface, category: nil, sounds: parts.flatMap(\.sounds))
        known[surface] = word
        return word
    }

    /// IPA features: class, three subclasses, conjugation, form, base form, reading, pronunciation.
    private static func word(_ surface: String, _ features: [String]) -> Word {
        func feature(_ index: Int) -> String { index < features.count ? features[index] : "*" }
        let category: String? =
            switch (feature(0), feature(1)) {
            case ("名詞", "一般"), ("名詞", "固有名詞"), ("名詞", "サ変接続"), ("名詞", "形容動詞語幹"), ("名詞", "副詞可能"), ("名詞", "代名詞"): "名詞"
            case ("動詞", "自立"), ("形容詞", "自立"): feature(0) + " " + feature(5)
            case ("副詞", _): "副詞"
            default: nil
            }
        return Word(surface: surface, category: category, sounds: feature(7) == "*" ? [] : phonemes(ofKana: feature(7)) ?? [])
    }
}
