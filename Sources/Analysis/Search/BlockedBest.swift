import CKernels
import FileFormats
import Tensors

// The engine under cosine search and nearest neighbours: for each query the k corpus rows with the highest score, exactly.
//
// Goals in order: the same answer whatever the number of threads; never an n × n matrix; speed. The corpus passes through memory in
// blocks laid out once for oneDNN; tiles of 64 queries are multiplied with a block and the products, still in the cache, are
// compared with each query's threshold, a vector register at a time. Equal scores go to the lower row.

/// What a higher score means.
enum BlockedScore: Sendable {
    /// Cosine of the angle between the rows; a row of zeros has none and takes no part.
    case cosine
    /// x·y − |y|²/2 of the rows less `center`, highest where the Euclidean distance is lowest.
    case euclidean(center: [Float])
}

/// Best candidates of every query: row `q` lies at `q * top ..< q * top + counts[q]`, best first.
struct BlockedBest: Sendable {
    let top: Int
    var rows: [Int32]
    var scores: [Float]
    var counts: [Int32]

    static let blockRows = 1024
    private static let blocksInFlight = 8
    private static let queriesInFlight = 16_384
    private static let tile = 64

    /// - Parameters:
    ///   - excludeSelf: queries and corpus are the same rows, and no row finds itself.
    ///   - queryValid, corpusValid: rows marked false neither find nor are found.
    static func search<Queries: RowSource, Corpus: RowSource>(
        queries: Queries, corpus: Corpus, by score: BlockedScore, top: Int, excludeSelf: Bool = false,
        queryValid: [Bool]? = nil, corpusValid: [Bool]? = nil, threads: Int
    ) throws -> BlockedBest {
        let n = queries.rows, width = queries.columns
        let top = min(top, max(1, corpus.rows))
        if case .cosine = score, n <= scanQueries, !excludeSelf, corpus.rows >= 2 * blockRows, top <= corpus.rows / 4 {
            return try scan(queries: queries, corpus: corpus, top: top, queryValid: queryValid, corpusValid: corpusValid, threads: threads)
        }
        var result = BlockedBest(top: top, rows: [Int32](repeating: -1, count: n * top), scores: [Float](repeating: -.infinity, count: n * top),
                                 counts: [Int32](repeating: 0, count: n))
        let capacity = 2 * top + Int(KT_BEST_SLACK)
        let group = max(tile, min(n + tile - 1, queriesInFlight) / tile * tile)
        let prepared = PreparedRows(capacity: group, width: width)
        let state = BestState(queries: group, capacity: capacity)
        var blocks: [CorpusBlock] = []
        for first in stride(from: 0, to: n, by: group) {
            let range = first..<min(n, first + group)
            try queries.withRows(range) { try prepared.fill($0, rows: range, by: score, valid: queryValid, what: "the queries", threads: threads) }
            state.reset()
            for start in stride(from: 0, to: corpus.rows, by: blockRows * blocksInFlight) {
                let span = start..<min(corpus.rows, start + blockRows * blocksInFlight)
                let pieces = Parallel.chunks(span.count, size: blockRows).map { $0.lowerBound + start..<$0.upperBound + start }
                blocks = try corpus.withRows(span) { pointer in
                    let rows = Shared(pointer)
                    let made = Shared(UnsafeMutablePointer<CorpusBlock?>.allocate(capacity: pieces.count))
                    made.pointer.initialize(repeating: nil, count: pieces.count)
                    defer { made.pointer.deinitialize(count: pieces.count); made.pointer.deallocate() }
                    let old = blocks
                    try Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                        let from = UnsafePointer(rows.pointer) + (pieces[piece].lowerBound - start) * width
                        made.pointer[piece] = try CorpusBlock(from, rows: pieces[piece], width: width, by: score, valid: corpusValid,
                                                              reusing: piece < old.count ? old[piece] : nil)
                    }
                    return (0..<pieces.count).compactMap { made.pointer[$0] }
                }
                let current = blocks, tiles = Parallel.chunks(range.count, size: tile)
                Parallel.forEach(tiles.count, threads: threads) { item, _ in
                    Scratch.with(Float.self, count: tile * blockRows) { products in
                        for block in current {
                            Float.multiply(prepared.row(tiles[item].lowerBound), rows: tiles[item].count, by: block.matrix, bias: block.bias, into: products)
                            if excludeSelf {
                                for query in tiles[item] where block.rows.contains(first + query) {
                                    products[(query - tiles[item].lowerBound) * block.rows.count + first + query - block.rows.lowerBound] = -.infinity
                                }
                            }
                            state.offer(products, queries: tiles[item], block: block.rows, top: top)
                        }
                    }
                }
            }
            state.finish(queries: range.count, top: top, threads: threads)
            for query in 0..<range.count where prepared.usable[query] {
                let count = Int(state.counts[query])
                result.counts[first + query] = Int32(count)
                for place in 0..<count {
                    let key = state.keys[query * capacity + place], to = (first + query) * top + place
                    result.rows[to] = Int32(kt_best_id(key))
                    result.scores[to] = kt_best_score(key)
                }
            }
        }
        return result
    }
}

extension BlockedBest {
    /// Queries up to which the corpus is read as it lies: a tile of 64 would be mostly zeros, and laying out the corpus is most of the work.
    static let scanQueries = 2

    /// The same answer, to the bit, for a query or two: cosines of all rows by dot products, then those that can be among the best once more by
    /// the product that many queries get. A cosine in float is off by less than `width` roundings, so a row below the margin cannot be.
    static func scan<Queries: RowSource, Corpus: RowSource>(
        queries: Queries, corpus: Corpus, top: Int, queryValid: [Bool]?, corpusValid: [Bool]?, threads: Int
    ) throws -> BlockedBest {
        let n = queries.rows, rows = corpus.rows, width = queries.columns
        let prepared = PreparedRows(capacity: tile, width: width)
        try queries.withRows(0..<n) { try prepared.fill($0, rows: 0..<n, by: .cosine, valid: queryValid, what: "the queries", threads: 1) }
        var cosines = [Float](repeating: -.infinity, count: n * rows)
        let span = blockRows * blocksInFlight
        for start in stride(from: 0, to: rows, by: span) {
            let part = start..<min(rows, start + span), pieces = Parallel.chunks(part.count, size: 256)
            try corpus.withRows(part) { pointer in
                try cosines.withUnsafeMutableBufferPointer { cosines in
                    guard let base = cosines.baseAddress else { return }
                    let from = Shared(pointer), to = Shared(base)
                    try Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                        for i in pieces[piece] where corpusValid?[start + i] != false {
                            let row = UnsafePointer(from.pointer) + i * width, squares = Float.dot(row, row, count: width)
                            guard squares.isFinite else { throw notFinite(row: start + i, of: "the vectors") }
                            guard squares > 0 else { continue }
                            let reciprocal = 1 / squares.squareRoot()
                            for query in 0..<n where prepared.usable[query] {
                                to.pointer[query * rows + start + i] = Float(Float.dot(prepared.row(query), row, count: width) * reciprocal)
                            }
                        }
                    }
                }
            }
        }
        // The best by these cosines, and the rows within the margin of the last of them.
        let capacity = 2 * top + Int(KT_BEST_SLACK), margin = 4e-7 * Float(width + 16)
        let first = BestState(queries: n, capacity: capacity)
        first.reset()
        var candidates: Set<Int32> = []
        var indices = [Int32](repeating: 0, count: rows)
        for query in 0..<n where prepared.usable[query] {
            cosines.withUnsafeBufferPointer { cosines in
                guard let line = cosines.baseAddress.map({ $0 + query * rows }) else { return }
                first.offer(line, queries: query..<query + 1, block: 0..<rows, top: top)
                first.finish(queries: query + 1, top: top, threads: 1)
                let found = Int(first.counts[query])
                guard found > 0 else { return }
                let least = found < top ? -2 : kt_best_score(first.keys[query * capacity + found - 1]) - margin
                let count = indices.withUnsafeMutableBufferPointer { kt_at_least(line, Int64(rows), least, $0.baseAddress) }
                candidates.formUnion(indices[..<Int(count)])
            }
        }
        let state = BestState(queries: tile, capacity: capacity), chosen = candidates.sorted()
        state.reset()
        try Scratch.with(Float.self, count: blockRows * width) { gathered in
            try Scratch.with(Float.self, count: tile * blockRows) { products in
                var old: CorpusBlock?
                for start in stride(from: 0, to: chosen.count, by: blockRows) {
                    let part = chosen[start..<min(chosen.count, start + blockRows)]
                    // A whole block, filled up with zeros, whose product has the shape that a block of the corpus has.
                    gathered.update(repeating: 0, count: blockRows * width)
                    for (place, row) in part.enumerated() {
                        try corpus.withRows(Int(row)..<Int(row) + 1) { (gathered + place * width).update(from: $0, count: width) }
                    }
                    let block = try CorpusBlock(gathered, rows: start..<start + blockRows, width: width, by: .cosine, valid: nil, reusing: old)
                    Float.multiply(prepared.row(0), rows: n, by: block.matrix, bias: block.bias, into: products)
                    state.offer(products, queries: 0..<n, block: block.rows, top: top)
                    old = block
                }
            }
        }
        state.finish(queries: n, top: top, threads: 1)
        var result = BlockedBest(top: top, rows: [Int32](repeating: -1, count: n * top), scores: [Float](repeating: -.infinity, count: n * top),
                                 counts: [Int32](repeating: 0, count: n))
        for query in 0..<n where prepared.usable[query] {
            result.counts[query] = state.counts[query]
            for place in 0..<Int(state.counts[query]) {
                let key = state.keys[query * capacity + place]
                result.rows[query * top + place] = chosen[Int(kt_best_id(key))]
                result.scores[query * top + place] = kt_best_score(key)
            }
        }
        return result
    }
}

/// Queries made ready for the product: unit length, or less the center.
final class PreparedRows: Sendable {
    let width: Int
    private let storage: TensorStorage<Float>
    private let flags: TensorStorage<Bool>

    init(capacity: Int, width: Int) {
        self.width = width
        storage = TensorStorage(uninitializedCount: capacity * width)
        flags = TensorStorage(uninitializedCount: capacity)
    }

    /// False for rows that have no direction or are marked as left out; as many as were filled.
    var usable: UnsafePointer<Bool> { UnsafePointer(flags.elements) }
    func row(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(storage.elements + index * width) }

    func fill(_ source: UnsafePointer<Float>, rows: Range<Int>, by score: BlockedScore, valid: [Bool]?, what: String, threads: Int) throws {
        let from = Shared(source), width = width, storage = storage, flags = flags
        let pieces = Parallel.chunks(rows.count, size: 256)
        try Parallel.forEach(pieces.count, threads: threads) { piece, _ in
            for i in pieces[piece] {
                flags.elements[i] = try prepareRow(UnsafePointer(from.pointer) + i * width, number: rows.lowerBound + i, width: width, by: score,
                                                  valid: valid, what: what, into: storage.elements + i * width) != nil
            }
        }
    }
}

/// Writes the row as the product needs it; returns its squared norm, or nil for a row that takes no part (then written as zeros).
private func prepareRow(
    _ row: UnsafePointer<Float>, number: Int, width: Int, by score: BlockedScore, valid: [Bool]?, what: String, into out: UnsafeMutablePointer<Float>
) throws -> Double? {
    var part: Double?
    if valid?[number] != false {
        switch score {
        case .cosine:
            let squares = Float.dot(row, row, count: width)
            guard squares.isFinite else { throw notFinite(row: number, of: what) }
            if squares > 0 {
                scaleToUnit(row, squaredNorm: squares, width: width, into: out)
                part = 1
            }
        case .euclidean(let center):
            center.withUnsafeBufferPointer { kt_center_scale(row, $0.baseAddress, 1, Int64(width), out) }
            let squares = Float.dot(out, out, count: width)
            guard squares.isFinite else { throw notFinite(row: number, of: what) }
            part = squares
        }
    }
    if part == nil { out.update(repeating: 0, count: width) }
    return part
}

/// out = row / |row|, also where |row| or its reciprocal is no float.
func scaleToUnit(_ row: UnsafePointer<Float>, squaredNorm: Double, width: Int, into out: UnsafeMutablePointer<Float>) {
    let reciprocal = 1 / squaredNorm.squareRoot()
    if reciprocal > 1e-30 && reciprocal < 1e30 {
        kt_center_scale(row, nil, Float(reciprocal), Int64(width), out)
    } else {
        for i in 0..<width { out[i] = Float(Double(row[i]) * reciprocal) }
    }
}

/// Corpus rows in the product's own layout.
final class CorpusBlock: @unchecked Sendable {
    // Sendable: one thread makes a block, all read it, and the thread that makes the next block in its memory is the only one that still
    // knows it then; `matrix` does not change, but loses its last other owner (`isKnownUniquelyReferenced`).
    let rows: Range<Int>
    private(set) var matrix: PackedMatrix<Float>
    private let shift: TensorStorage<Float>
    var bias: UnsafeMutablePointer<Float> { shift.elements }

    /// - Parameter old: a block of before, whose memory this one takes over; nobody may multiply by it any more.
    init(_ source: UnsafePointer<Float>, rows: Range<Int>, width: Int, by score: BlockedScore, valid: [Bool]?, reusing old: CorpusBlock?) throws {
        self.rows = rows
        let shift = TensorStorage<Float>(uninitializedCount: rows.count)
        self.shift = shift
        matrix = try Scratch.with(Float.self, count: rows.count * width) { prepared in
            for i in 0..<rows.count {
                let part = try prepareRow(source + i * width, number: rows.lowerBound + i, width: width, by: score, valid: valid, what: "the vectors",
                                          into: prepared + i * width)
                switch score {
                case .cosine: shift.elements[i] = part == nil ? -.infinity : 0
                case .euclidean: shift.elements[i] = part.map { Float(-$0 / 2) } ?? -.infinity
                }
            }
            if let old, old.rows.count == rows.count, isKnownUniquelyReferenced(&old.matrix) {
                Float.repack(&old.matrix, UnsafePointer(prepared))
                return old.matrix
            }
            return Float.pack(prepared, inputs: width, outputs: rows.count, inputStride: 1, outputStride: width, precision: .f32)
        }
    }
}

/// The keys found so far for a group of queries.
private final class BestState: Sendable {
    let capacity: Int
    private let queries: Int
    private let ofKeys: TensorStorage<UInt64>
    private let ofCounts: TensorStorage<Int32>
    private let ofThresholds: TensorStorage<Float>
    var keys: UnsafeMutablePointer<UInt64> { ofKeys.elements }
    var counts: UnsafeMutablePointer<Int32> { ofCounts.elements }
    private var thresholds: UnsafeMutablePointer<Float> { ofThresholds.elements }

    init(queries: Int, capacity: Int) {
        self.queries = queries
        self.capacity = capacity
        ofKeys = TensorStorage(uninitializedCount: queries * capacity)
        ofCounts = TensorStorage(uninitializedCount: queries)
        ofThresholds = TensorStorage(uninitializedCount: queries)
    }

    func reset() {
        counts.update(repeating: 0, count: queries)
        thresholds.update(repeating: -.infinity, count: queries)
    }

    func offer(_ products: UnsafePointer<Float>, queries: Range<Int>, block: Range<Int>, top: Int) {
        let q = queries.lowerBound
        kt_best_offer(products, Int64(queries.count), Int64(block.count), Int64(block.count), UInt32(block.lowerBound), Int64(top), Int64(capacity),
                      keys + q * capacity, counts + q, thresholds + q)
    }

    func finish(queries: Int, top: Int, threads: Int) {
        let pieces = Parallel.chunks(queries, size: 256)
        Parallel.forEach(pieces.count, threads: threads) { piece, _ in
            let q = pieces[piece].lowerBound
            kt_best_finish(Int64(pieces[piece].count), Int64(top), Int64(self.capacity), self.keys + q * self.capacity, self.counts + q)
        }
    }
}
