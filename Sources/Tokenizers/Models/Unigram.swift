import Dispatch
import FileFormats
import Synchronization

/// The unigram language model of Kudo 2018: of all ways to cut a word into pieces the one of highest probability (Viterbi).
struct Unigram: Sendable {
    let vocabulary: Vocabulary
    private let trie: DoubleArrayTrie
    /// Log probability for each id.
    private let scores: [Double]
    let unknownID: Int32
    /// The 256 byte tokens `<0x00>` …, −1 where the vocabulary lacks one; empty if unknown text is not spelled in bytes.
    private let byteIDs: [Int32]
    private let unknownScore: Double
    /// SentencePiece keeps path scores in single precision, Hugging Face tokenizers in double; near ties they differ.
    private let singlePrecision: Bool

    /// A piece as it takes part in segmentation.
    struct Piece {
        var token: String
        var score: Double
        /// Whether it may be found in text (control and byte pieces of SentencePiece may not).
        var isFound = true
    }

    /// - Parameter reading: turns the score of a piece into the one that counts.
    init(
        _ pieces: [Piece], unknownID: Int?, bytes: Bool, lowest: Double? = nil, singlePrecision: Bool = false,
        reading: @Sendable (Double) -> Double = { $0 }, file: String?
    ) throws {
        if let unknownID, !pieces.indices.contains(unknownID) {
            throw DataError(
                .badData, "Unigram: the unknown token's id is \(unknownID), but there are only \(pieces.count) pieces", file: file)
        }
        // A large vocabulary is ready sooner if the tables that do not depend on each other are made at once.
        let tables = Mutex<(vocabulary: Result<Vocabulary, any Error>?, scores: [Double], trie: DoubleArrayTrie?)>((nil, [], nil))
        DispatchQueue.concurrentPerform(iterations: 2) { part in
            if part == 0 {
                let trie = Self.trie(of: pieces)
                tables.withLock { $0.trie = trie }
            } else {
                let vocabulary = Result { try Vocabulary(pieces.indices.lazy.map { (token: pieces[$0].token, id: $0) }, file: file) }
                let scores = pieces.map { reading($0.score) }
                tables.withLock { ($0.vocabulary, $0.scores) = (vocabulary, scores) }
            }
        }
        let made = tables.withLock { $0 }
        guard let vocabulary = try made.vocabulary?.get(), let trie = made.trie else { preconditionFailure("every part runs") }
        (self.vocabulary, self.trie, scores) = (vocabulary, trie, made.scores)
        self.unknownID = unknownID.map { Int32(truncatingIfNeeded: $0) } ?? -1
        byteIDs = bytes ? ByteFallback.ids(vocabulary) : []
        let bottom = lowest ?? scores.min() ?? 0
        unknownScore = singlePrecision ? Double(Float(bottom) - 10) : bottom - 10
        self.singlePrecision = singlePrecision
    }

    /// Of equal pieces the last one counts; the empty one is never found.
    private static func trie(of pieces: [Piece]) -> DoubleArrayTrie {
        DoubleArrayTrie(
            pieces.indices.lazy.map {
                let piece = pieces[$0]
                return (key: piece.token.utf8, value: piece.isFound && !piece.token.isEmpty ? Int32(truncatingIfNeeded: $0) : -1)
            })
    }

    private struct Best {
        var score = 0.0
        var start: Int32 = -1
        var id: Int32 = 0
    }

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken], scratch: inout ModelScratch) {
        guard !word.isEmpty else { return }
        let size = word.count
        withUnsafeTemporaryAllocation(of: Best.self, capacity: size + 1) { best in
            best.initialize(repeating: Best())
            search(word, best)
            collect(word, UnsafeBufferPointer(best), &tokens, &scratch)
        }
    }

    @inline(__always)
    private func search(_ word: UnsafeBufferPointer<UInt8>, _ best: UnsafeMutableBufferPointer<Best>) {
        scores.withUnsafeBufferPointer { scores in
            var start = 0
            while start < word.count {
                if singlePrecision, abs(best[start].score) > Self.farFromZero { moveScores(best, from: start) }
                let scoreHere = best[start].score
                let character = UTF8Scalars.decode(word, at: start).length
                var hasSingle = false
                @inline(__always) func offer(_ end: Int, _ score: Double, _ id: Int32) {
                    let candidate = singlePrecision ? Double(Float(score + scoreHere)) : score + scoreHere
                    if best[end].start < 0 || candidate > best[end].score {
                        best[end] = Best(
                            score: candidate,
                            start: Int32(truncatingIfNeeded: start), id: id)
                    }
                }
                trie.forEachPrefix(of: word, from: start) { length, id in
                    offer(start &+ length, scores[Int(id)], id)
                    if length == character { hasSingle = true }
                }
                if !hasSingle { offer(start &+ character, unknownScore, unknownID) }
                start &+= character
            }
        }
    }

    /// From here on sums in single precision are too coarse: those of all open paths move by the same amount, as in sentencepiece.
    private static let farFromZero = 100_000.0

    private func moveScores(_ best: UnsafeMutableBufferPointer<Best>, from start: Int) {
        let offset = best[start].score
        for end in start..<best.count where end == start || best[end].start >= 0 {
            best[end].score = Double(Float(best[end].score - offset))
        }
    }

    private func collect(
        _ word: UnsafeBufferPointer<UInt8>, _ best: UnsafeBufferPointer<Best>, _ tokens: inout [ModelToken],
        _ scratch: inout ModelScratch
    ) {
        scratch.path.removeAll(keepingCapacity: true)
        var end = word.count
        while end > 0 {
            let node = best[end]
            guard node.start >= 0, Int(node.start) < end else { break }
            // Neighbouring unknown pieces are one.
            if node.id == unknownID, let last = scratch.path.last, last.id == unknownID {
                scratch.path[scratch.path.count - 1].start = node.start
            } else {
                scratch.path.append(ModelToken(id: node.id, start: Int(node.start), end: end, isSurface: true))
            }
            end = Int(node.start)
        }
        for var token in scratch.path.reversed() {
            guard token.id == unknownID else {
                tokens.append(token)
                continue
            }
            let piece = UnsafeBufferPointer(rebasing: word[Int(token.start)..<Int(token.end)])
            let id = vocabulary.id(of: piece)
            if id >= 0 {
                // Together the unknown characters spell a token that alone was less likely than they are.
                token.id = id
                tokens.append(token)
            } else if !ByteFallback.append(piece, byteIDs, whole: token, to: &tokens), unknownID >= 0 {
                tokens.append(token)
            }
        }
    }
}

/// Spelling text outside the vocabulary in tokens for its bytes.
enum ByteFallback {
    /// The ids of `<0x00>` … `<0xFF>`.
    static func ids(_ vocabulary: Vocabulary) -> [Int32] {
        let digits = Array("0123456789ABCDEF")
        return (0..<256).map { vocabulary.id(of: "<0x\(digits[$0 / 16])\(digits[$0 % 16])>") ?? -1 }
    }

    /// Whether all bytes have tokens; then they are appended, each standing for the whole piece.
    static func append(_ piece: UnsafeBufferPointer<UInt8>, _ ids: [Int32], whole: ModelToken, to tokens: inout [ModelToken]) -> Bool {
        guard !ids.isEmpty, piece.allSatisfy({ ids[Int($0)] >= 0 }) else { return false }
        for byte in piece {
            tokens.append(ModelToken(id: ids[Int(byte)], start: Int(whole.start), end: Int(whole.end)))
        }
        return true
    }
}
