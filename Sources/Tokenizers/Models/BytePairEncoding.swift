import FileFormats

/// Byte-pair encoding (Sennrich et al. 2016): neighbouring symbols are merged, the pair that was learnt first before all others.
/// A training-time dropout in the file is ignored.
struct BytePairEncoding: Sendable {
    struct Options: Sendable {
        var unknownToken: String?
        var continuingPrefix = ""
        var endOfWordSuffix = ""
        /// Neighbouring unknown characters become one token.
        var fusesUnknown = false
        var bytes = false
        /// A word that is in the vocabulary is a token, whatever the merges make of it.
        var ignoresMerges = false
    }

    let vocabulary: Vocabulary
    private let merges: PairTable
    private let options: Options
    private let prefix: [UInt8]
    private let suffix: [UInt8]
    let unknownID: Int32
    private let byteIDs: [Int32]

    /// - Parameter merges: pairs of tokens, the first learnt first. Both and what they make together must be in the vocabulary.
    init(vocabulary: Vocabulary, merges: [(String, String)], options: Options, file: String?) throws {
        self.vocabulary = vocabulary
        self.options = options
        prefix = Array(options.continuingPrefix.utf8)
        suffix = Array(options.endOfWordSuffix.utf8)
        if let unknown = options.unknownToken {
            guard let id = vocabulary.id(of: unknown) else {
                throw DataError(.badData, "BPE: the unknown token \(unknown.debugDescription) is not in the vocabulary", file: file)
            }
            unknownID = id
        } else {
            unknownID = -1
        }
        byteIDs = options.bytes ? ByteFallback.ids(vocabulary) : []
        var table = PairTable(capacity: merges.count)
        for (rank, (left, right)) in merges.enumerated() {
            // The prefix of continuing pieces is cut by length, as the reference does it.
            let joined = Array(left.utf8) + right.utf8.dropFirst(prefix.count)
            guard let a = vocabulary.id(of: left), let b = vocabulary.id(of: right),
                let merged = vocabulary.id(of: String(decoding: joined, as: UTF8.self))
            else {
                throw DataError(
                    .badData,
                    "BPE: merge \(rank + 1) (\(left.debugDescription) + \(right.debugDescription)) has a part or a "
                        + "result that is not in the vocabulary", file: file)
            }
            table.insert(a, b, rank: Int32(truncatingIfNeeded: rank), merged: merged)
        }
        self.merges = table
    }

    func appendTokens(of word: UnsafeBufferPointer<UInt8>, to tokens: inout [ModelToken], scratch: inout ModelScratch) {
        guard !word.isEmpty else { return }
        if options.ignoresMerges {
            let id = vocabulary.id(of: word)
            if id >= 0 {
                tokens.append(ModelToken(id: id, start: 0, end: word.count))
                return
            }
        }
        scratch.symbols.removeAll(keepingCapacity: true)
        appendSymbols(of: word, to: &scratch.symbols, &scratch.bytes)
        SymbolMerging.merge(&scratch.symbols, &scratch.queue) { a, b in merges.find(a.id, b.id) }
        // Places count up by the lengths of the symbols, even where a character was dropped.
        var start = 0
        for symbol in scratch.symbols where symbol.length > 0 {
            tokens.append(ModelToken(id: symbol.id, start: start, end: start + Int(symbol.length)))
            start += Int(symbol.length)
        }
    }

    private func appendSymbols(of word: UnsafeBufferPointer<UInt8>, to symbols: inout [SymbolMerging.Symbol], _ buffer: inout [UInt8]) {
        var unknownLength = 0
        var i = 0
        while i < word.count {
            let length = UTF8Scalars.decode(word, at: i).length
            let character = UnsafeBufferPointer(rebasing: word[i..<i + length])
            let isFirst = i == 0
            i += length
            let isLast = i >= word.count
            var id: Int32
            let spelled = (!isFirst && !prefix.isEmpty) || (isLast && !suffix.isEmpty)
            if spelled {
                buffer.removeAll(keepingCapacity: true)
                if !isFirst { buffer.append(contentsOf: prefix) }
                buffer.append(contentsOf: character)
                if isLast { buffer.append(contentsOf: suffix) }
                id = buffer.withUnsafeBufferPointer { vocabulary.id(of: $0) }
            } else {
                id = vocabulary.id(of: character)
            }
            if id >= 0 {
                if unknownLength > 0 { symbols.append(.init(id: unknownID, length: unknownLength)) }
                unknownLength = 0
                symbols.append(.init(id: id, length: length))
                continue
            }
            if !byteIDs.isEmpty {
                let bytes = spelled ? buffer : Array(character)
                if bytes.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
                    // A pending unknown run stays pending, as in the reference.
                    for byte in bytes { symbols.append(.init(id: byteIDs[Int(byte)], length: 1)) }
                    continue
                }
            }
            guard unknownID >= 0 else { continue }
            if unknownLength > 0, !options.fusesUnknown {
                symbols.append(.init(id: unknownID, length: unknownLength))
                unknownLength = 0
            }
            unknownLength += length
        }
        if unknownLength > 0 { symbols.append(.init(id: unknownID, length: unknownLength)) }
    }
}

/// Which pairs of ids merge, when and into what: an open hash table.
struct PairTable: Sendable {
    private struct Slot {
        var key: UInt64 = .max
        var rank: Int32 = 0
        var merged: Int32 = 0
    }
    private var slots: [Slot]
    private let mask: Int

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        mask = size - 1
    }

    @inline(__always)
    private static func hash(_ key: UInt64) -> Int {
        let product = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: (product ^ product >> 32) & 0x7FFF_FFFF_FFFF_FFFF)
    }

    /// A pair that comes twice keeps what came last.
    mutating func insert(_ a: Int32, _ b: Int32, rank: Int32, merged: Int32) {
        let key = UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b))
        var slot = Self.hash(key) & mask
        while slots[slot].key != .max, slots[slot].key != key { slot = (slot + 1) & mask }
        slots[slot] = Slot(key: key, rank: rank, merged: merged)
    }

    @inline(__always)
    func find(_ a: Int32, _ b: Int32) -> (rank: Int64, merged: Int32)? {
        let key = UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b))
        return slots.withUnsafeBufferPointer { slots in
            var slot = Self.hash(key) & mask
            while slots[slot].key != .max {
                if slots[slot].key == key { return (Int64(slots[slot].rank), slots[slot].merged) }
                slot = (slot + 1) & mask
            }
            return nil
        }
    }
}

/// Merging neighbours by rank, lowest first, of equals the leftmost.
enum SymbolMerging {
    struct Symbol {
        var id: Int32
        /// Bytes of the word; 0 once it is part of the symbol before it.
        var length: Int32
        /// Where it begins in the word, for models that look merged text up.
        var start: Int32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
        /// Never merged (a user-defined symbol of SentencePiece).
        var isFrozen = false

        init(id: Int32, length: Int, start: Int = 0, isFrozen: Bool = false) {
            self.id = id
            self.length = Int32(truncatingIfNeeded: length)
            self.start = Int32(truncatingIfNeeded: start)
            self.isFrozen = isFrozen
        }
    }

    struct Candidate {
        var rank: Int64
        var position: Int32
        var merged: Int32
        /// The length of both together: tells whether the pair is still the one that was queued.
        var length: Int32
    }

    /// - Parameter find: rank and result of merging two neighbours, nil if they do not merge.
    @inline(__always)
    static func merge(_ symbols: inout [Symbol], _ queue: inout [Candidate], _ find: (Symbol, Symbol) -> (rank: Int64, merged: Int32)?) {
        let count = symbols.count
        guard count > 1 else { return }
        for i in 0..<count {
            symbols[i].previous = Int32(truncatingIfNeeded: i) - 1
            symbols[i].next = i + 1 < count ? Int32(truncatingIfNeeded: i) + 1 : -1
        }
        queue.removeAll(keepingCapacity: true)
        @inline(__always) func offer(_ left: Int32, _ right: Int32, _ symbols: [Symbol], _ queue: inout [Candidate]) {
            guard left >= 0, right >= 0 else { return }
            let (a, b) = (symbols[Int(left)], symbols[Int(right)])
            guard !a.isFrozen, !b.isFrozen, let (rank, merged) = find(a, b) else { return }
            push(Candidate(rank: rank, position: left, merged: merged, length: a.length &+ b.length), &queue)
        }
        for i in 0..<Int32(truncatingIfNeeded: count - 1) { offer(i, i + 1, symbols, &queue) }
        while let top = pop(&queue) {
            let position = Int(top.position)
            let symbol = symbols[position]
            guard symbol.length > 0, symbol.next >= 0 else { continue }
            let right = symbols[Int(symbol.next)]
            guard symbol.length &+ right.length == top.length, let (_, merged) = find(symbol, right), merged == top.merged else { continue }
            symbols[position].id = merged
            symbols[position].length = top.length
            symbols[position].next = right.next
            symbols[Int(symbol.next)].length = 0
            if right.next >= 0 { symbols[Int(right.next)].previous = top.position }
            offer(symbol.previous, top.position, symbols, &queue)
            offer(top.position, right.next, symbols, &queue)
        }
    }

    @inline(__always)
    private static func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
        a.rank != b.rank ? a.rank < b.rank : a.position < b.position
    }

    @inline(__always)
    private static func push(_ candidate: Candidate, _ heap: inout [Candidate]) {
        heap.append(candidate)
        var i = heap.count - 1
        while i > 0 {
            let parent = (i - 1) / 2
            guard precedes(heap[i], heap[parent]) else { break }
            heap.swapAt(i, parent)
            i = parent
        }
    }

    @inline(__always)
    private static func pop(_ heap: inout [Candidate]) -> Candidate? {
        guard let top = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var i = 0
        while true {
            let left = 2 * i + 1
            guard left < heap.count else { break }
            let child = left + 1 < heap.count && precedes(heap[left + 1], heap[left]) ? left + 1 : left
            guard precedes(heap[child], heap[i]) else { break }
            heap.swapAt(child, i)
            i = child
        }
        return top
    }
}
