/// The steps that split normalized text into words, as `tokenizer.json` names them.
indirect enum PreTokenizer: Sendable {
    case bert
    case whitespace
    case whitespaceSplit
    case metaspace(Metaspace)
    case byteLevel(ByteLevelSplit)
    case split(TextPattern, SplitBehavior, inverted: Bool)
    case punctuation(SplitBehavior)
    case digits(individual: Bool)
    case unicodeScripts
    case delimiter(UInt32)
    case fixedLength(Int)
    case mecab(MeCabWords)
    case sequence([PreTokenizer])

    /// - Parameter lattice: MeCab's working memory, kept from text to text.
    func split(_ text: inout PreTokenizedText, lattice: inout MeCabLattice?) {
        switch self {
        case .bert:
            text.split(Self.whiteSpace, .removed)
            text.split(Self.punctuation, .isolated)
        case .whitespace: text.split(.scanner(Self.scanWords), .removed, inverted: true)
        case .whitespaceSplit: text.split(Self.whiteSpace, .removed)
        case .metaspace(let metaspace): metaspace.split(&text)
        case .byteLevel(let byteLevel): byteLevel.split(&text)
        case .split(let pattern, let behavior, let inverted): text.split(pattern, behavior, inverted: inverted)
        case .punctuation(let behavior): text.split(Self.punctuation, behavior)
        case .digits(let individual):
            text.split(.scalars { ScalarProperties($0).flags.contains(.numeric) }, individual ? .isolated : .contiguous)
        // What is before the first script is dropped, as the reference does.
        case .unicodeScripts: text.split(.scanner(Self.scanScripts), .removed, inverted: true)
        case .delimiter(let delimiter): text.split(.scalars { $0 == delimiter }, .removed)
        case .fixedLength(let length): text.split(.scanner { Self.scanChunks($0, length, $1) }, .isolated)
        case .mecab(let words): words.split(&text, lattice: &lattice)
        case .sequence(let steps): for step in steps { step.split(&text, lattice: &lattice) }
        }
    }

    static let whiteSpace = TextPattern.scalars { ScalarProperties($0).flags.contains(.whitespace) }
    static let punctuation = TextPattern.scalars { ScalarProperties($0).flags.contains(.punctuation) }

    /// `\w+|[^\w\s]+`
    private static func scanWords(_ text: UnsafeBufferPointer<UInt8>, _ found: (Int, Int) -> Void) {
        var start = 0
        var kind = 0  // 0: space, 1: word, 2: neither
        var i = 0
        while i < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: i)
            let flags = ScalarProperties(scalar).flags
            let next = flags.contains(.word) ? 1 : flags.contains(.whitespace) ? 0 : 2
            if next != kind {
                if kind != 0 { found(start, i) }
                start = i
                kind = next
            }
            i += length
        }
        if kind != 0 { found(start, text.count) }
    }

    /// Runs of one script; what joins with every script stays with what it follows.
    private static func scanScripts(_ text: UnsafeBufferPointer<UInt8>, _ found: (Int, Int) -> Void) {
        var last: UInt8?
        var start: Int?
        var i = 0
        while i < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: i)
            let script = ScalarProperties(scalar).script
            if script != 0, last != script {
                if let start { found(start, i) }
                start = i
            }
            if script != 0 { last = script }
            i += length
        }
        if let start { found(start, text.count) }
    }

    private static func scanChunks(_ text: UnsafeBufferPointer<UInt8>, _ length: Int, _ found: (Int, Int) -> Void) {
        var start = 0
        var i = 0
        var characters = 0
        while i < text.count {
            i += UTF8Scalars.decode(text, at: i).length
            characters += 1
            if characters == length || i >= text.count {
                found(start, i)
                start = i
                characters = 0
            }
        }
    }
}

/// SentencePiece's way with spaces: each becomes a visible character, which also begins the text, and words begin with it.
struct Metaspace: Sendable {
    enum PrependScheme: String, Sendable, CaseIterable {
        case always, first, never
    }
    var replacement: [UInt8]
    var prependScheme: PrependScheme
    var splits: Bool

    func split(_ text: inout PreTokenizedText) {
        text.rewrite { bytes, word, newBytes, sources in
            let begins = (bytes.first == 0x20) || bytes.starts(with: replacement)
            let prepends = prependScheme == .always || (prependScheme == .first && word.originalStart == 0)
            if prepends, !begins {
                // What is put in front stands for the first character, and so, by the reference's reckoning, does that.
                newBytes.append(contentsOf: replacement)
                for _ in replacement { sources.append(0) }
            }
            for (i, byte) in bytes.enumerated() {
                if byte == 0x20 {
                    newBytes.append(contentsOf: replacement)
                    for _ in replacement { sources.append(Int32(truncatingIfNeeded: i)) }
                } else {
                    newBytes.append(byte)
                    sources.append(Int32(truncatingIfNeeded: i))
                }
            }
        }
        if splits { text.split(.literal(replacement), .mergedWithNext) }
    }
}

/// GPT-2's way: words by a fixed pattern, then each byte as a visible character.
struct ByteLevelSplit: Sendable {
    var addsPrefixSpace: Bool
    var usesPattern: Bool

    func split(_ text: inout PreTokenizedText) {
        if addsPrefixSpace {
            text.rewrite { bytes, _, newBytes, sources in
                if bytes.first != 0x20 {
                    newBytes.append(0x20)
                    sources.append(0)
                }
                newBytes.append(contentsOf: bytes)
                for i in bytes.indices { sources.append(Int32(truncatingIfNeeded: i)) }
            }
        }
        if usesPattern { text.split(.scanner(Self.scanGPT2), .isolated) }
        text.rewrite { bytes, _, newBytes, sources in
            ByteLevelAlphabet.utf8.withUnsafeBufferPointer { alphabet in
                for (i, byte) in bytes.enumerated() {
                    let (first, second) = alphabet[Int(byte)]
                    newBytes.append(first)
                    sources.append(Int32(truncatingIfNeeded: i))
                    if second != 0 {
                        newBytes.append(second)
                        sources.append(Int32(truncatingIfNeeded: i))
                    }
                }
            }
        }
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, scanned by hand: it is the pattern of
    /// every byte-level tokenizer of the GPT-2 line, and a backtracking matcher costs ten times as much.
    static func scanGPT2(_ text: UnsafeBufferPointer<UInt8>, _ found: (Int, Int) -> Void) {
        let n = text.count
        // 0 space, 1 letter, 2 number, 3 other
        func kind(_ i: Int) -> (Int, Int) {
            let (scalar, length) = UTF8Scalars.decode(text, at: i)
            let flags = ScalarProperties(scalar).flags
            return (flags.contains(.letter) ? 1 : flags.contains(.number) ? 2 : flags.contains(.patternSpace) ? 0 : 3, length)
        }
        var i = 0
        while i < n {
            if text[i] == 0x27, i + 1 < n {
                let a = text[i + 1]
                let b = i + 2 < n ? text[i + 2] : 0
                if a == 0x73 || a == 0x74 || a == 0x6D || a == 0x64 {
                    found(i, i + 2)
                    i += 2
                    continue
                }
                if (a == 0x72 && b == 0x65) || (a == 0x76 && b == 0x65) || (a == 0x6C && b == 0x6C) {
                    found(i, i + 3)
                    i += 3
                    continue
                }
            }
            let start = i
            var (wanted, length) = kind(i)
            if text[i] == 0x20, i + 1 < n {
                let next = kind(i + 1)
                if next.0 != 0 { (wanted, length) = (next.0, 1 + next.1) }
            }
            i += length
            var beforeLast = start  // where the last character of the run begins
            if wanted == 0 { beforeLast = start }
            while i < n {
                let (next, length) = kind(i)
                guard next == wanted else { break }
                beforeLast = i
                i += length
            }
            // White space before a word leaves its last character to that word.
            if wanted == 0, i < n, beforeLast > start { i = beforeLast }
            found(start, i)
        }
    }
}
