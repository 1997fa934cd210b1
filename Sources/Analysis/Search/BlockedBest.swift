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
    /// How far a score may be from that of a product in f32, for each query; empty where that was used.
    var errors: [Float] = []

    static let blockRows = 1024
    static let blocksInFlight = 8
    /// Queries that one reading of the corpus serves.
    static let queriesInFlight = 16_384
    static let tile = 64
    /// Queries up to which rows are looked at where they lie; with more, the product of tiles is quicker although it lays out the corpus.
    /// Measured: docs/benchmarks.md.
    static let scanQueries = 16
    /// Answers up to which that holds.
    private static let scanAnswers = 4096
    /// How far products of unit vectors in float, summed in different orders, may be apart: less than `width` roundings.
    static func rounding(width: Int) -> Float { 4e-7 * Float(width + 16) }

    /// - Parameters:
    ///   - range: the queries that are wanted, all by default; the result has only theirs.
    ///   - precision: f32, or int8, whose scores are off by at most `errors`.
    ///   - excludeSelf: queries and corpus are the same rows, and no row finds itself.
    ///   - queryValid, corpusValid: rows marked false neither find nor are found.
    static func search<Queries: RowSource, Corpus: RowSource>(
        queries: Queries, in range: Range<Int>? = nil, corpus: Corpus, by score: BlockedScore, top: Int, precision: Precision = .f32,
        excludeSelf: Bool = false, queryValid: [Bool]? = nil, corpusValid: [Bool]? = nil, codes: RowCodes? = nil, threads: Int
    ) throws -> BlockedBest {
        let all = range ?? 0..<queries.rows, n = all.count, width = queries.columns
        let top = min(top, max(1, corpus.rows))
        let isSmall = corpus.rows < 2 * blockRows || top > min(corpus.rows / 4, scanAnswers)
        if case .cosine = score, range == nil, n > 0, n <= scanQueries || codes?.kind == .binary, !excludeSelf, !isSmall {
            return try QueryScan(
                queries: queries, corpus: corpus, top: top, queryValid: queryValid, corpusValid: corpusValid, codes: codes, threads: threads
            ).run()
        }
        var result = BlockedBest(
            top: top, rows: [Int32](repeating: -1, count: n * top), scores: [Float](repeating: -.infinity, count: n * top),
            counts: [Int32](repeating: 0, count: n))
        let capacity = 2 * top + Int(KT_BEST_SLACK)
        let group = max(tile, min(n + tile - 1, queriesInFlight) / tile * tile)
        let prepared = PreparedRows(capacity: group, width: width)
        let state = BestState(queries: group, capacity: capacity)
        var blocks: [CorpusBlock] = []
        for first in stride(from: all.lowerBound, to: all.upperBound, by: group) {
            let range = first..<min(all.upperBound, first + group), place = first - all.lowerBound
            var length: Float = 0, loss: Float = 0
            try queries.withRows(range) {
                try prepared.fill($0, rows: range, by: score, valid: queryValid, what: "the queries", threads: threads)
            }
            state.reset()
            for start in stride(from: 0, to: corpus.rows, by: blockRows * blocksInFlight) {
                let span = start..<min(corpus.rows, start + blockRows * blocksInFlight)
                let pieces = Parallel.chunks(span.count, size: blockRows).map { $0.lowerBound + start..<$0.upperBound + start }
                blocks = try corpus.withRows(span) { pointer in
                    let rows = Shared(pointer)
                    let made = Shared(UnsafeMutablePointer<CorpusBlock?>.allocate(capacity: pieces.count))
                    made.pointer.initialize(repeating: nil, count: pieces.count)
                    defer {
                        made.pointer.deinitialize(count: pieces.count)
                        made.pointer.deallocate()
                    }
                    let old = blocks
                    try Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                        let from = UnsafePointer(rows.pointer) + (pieces[piece].lowerBound - start) * width
                        made.pointer[piece] = try CorpusBlock(
                            from, rows: pieces[piece], width: width, by: score, valid: corpusValid, precision: precision,
                            reusing: piece < old.count ? old[piece] : nil)
                    }
                    return (0..<pieces.count).compactMap { made.pointer[$0] }
                }
                for block in blocks { (length, loss) = (max(length, block.largestLength), max(loss, block.largestLoss)) }
                let current = blocks, tiles = Parallel.chunks(range.count, size: tile)
                Parallel.forEach(tiles.count, threads: threads) { item, _ in
                    Scratch.with(Float.self, count: tile * blockRows) { products in
                        for block in current {
                            Float.multiply(
                                prepared.row(tiles[item].lowerBound), rows: tiles[item].count, by: block.matrix, bias: block.bias,
                                into: products)
                            if excludeSelf {
                                for query in tiles[item] where block.rows.contains(first + query) {
                                    products[(query - tiles[item].lowerBound) * block.rows.count + first + query - block.rows.lowerBound] =
                                        -.infinity
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
                result.counts[place + query] = Int32(count)
                for best in 0..<count {
                    let key = state.keys[query * capacity + best], to = (place + query) * top + best
                    result.rows[to] = Int32(kt_best_id(key))
                    result.scores[to] = kt_best_score(key)
                }
            }
            if precision == .int8 {
                result.errors += prepared.errors(range.count, corpusLength: length, corpusLoss: loss, threads: threads)
            }
        }
        return result
    }
}

/// Queries prepared for the product: of unit length, or centered.
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

    /// How far the scores of the first `count` rows, computed in int8, may be from those in f32, where no vector of the corpus is longer than
    /// `corpusLength` and none loses more than a vector of length `corpusLoss`.
    func errors(_ count: Int, corpusLength: Float, corpusLoss: Float, threads: Int) -> [Float] {
        let pieces = Parallel.chunks(count, size: 256), width = width
        return Parallel.map(pieces.count, threads: threads) { piece, _ in
            pieces[piece].map { index in
                let length = Float(Float.dot(self.row(index), self.row(index), count: width).squareRoot())
                let loss = RoundingLoss.row(self.row(index), columns: width)
                // What the sums of either way lose besides.
                let rounding = BlockedBest.rounding(width: width) * (length + corpusLength) * (length + corpusLength)
                return loss * corpusLength + (length + loss) * corpusLoss + rounding
            }
        }.flatMap(\.self)
    }

    func fill(_ source: UnsafePointer<Float>, rows: Range<Int>, by score: BlockedScore, valid: [Bool]?, what: String, threads: Int) throws {
        let from = Shared(source), width = width, storage = storage, flags = flags
        let pieces = Parallel.chunks(rows.count, size: 256)
        try Parallel.forEach(pieces.count, threads: threads) { piece, _ in
            for i in pieces[piece] {
                flags.elements[i] =
                    try prepareRow(
                        UnsafePointer(from.pointer) + i * width, number: rows.lowerBound + i, width: width, by: score,
                        valid: valid, what: what, into: storage.elements + i * width) != nil
            }
        }
    }
}

/// Writes the row as the product needs it; returns its squared norm, or nil for a row that takes no part (then written as zeros).
private func prepareRow(
    _ row: UnsafePointer<Float>, number: Int, width: Int, by score: BlockedScore, valid: [Bool]?, what: String,
    into out: UnsafeMutablePointer<Float>
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

/// out = row / |row|, even if |row| or its reciprocal is not representable.
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
    /// For int8: the length of the longest row as it is multiplied, and the length of the most that rounding takes from one.
    private(set) var largestLength: Float = 0, largestLoss: Float = 0

    /// - Parameter old: a block of before, whose memory this one takes over; it must not be used any more.
    init(
        _ source: UnsafePointer<Float>, rows: Range<Int>, width: Int, by score: BlockedScore, valid: [Bool]?, precision: Precision = .f32,
        reusing old: CorpusBlock?
    ) throws {
        self.rows = rows
        let shift = TensorStorage<Float>(uninitializedCount: rows.count)
        self.shift = shift
        var length = 0.0, loss: Float = 0
        matrix = try Scratch.with(Float.self, count: rows.count * width) { prepared in
            for i in 0..<rows.count {
                let part = try prepareRow(
                    source + i * width, number: rows.lowerBound + i, width: width, by: score, valid: valid, what: "the vectors",
                    into: prepared + i * width)
                length = max(length, part ?? 0)
                switch score {
                case .cosine: shift.elements[i] = part == nil ? -.infinity : 0
                case .euclidean: shift.elements[i] = part.map { Float(-$0 / 2) } ?? -.infinity
                }
            }
            if precision == .f32, let old, old.rows.count == rows.count, isKnownUniquelyReferenced(&old.matrix) {
                Float.repack(&old.matrix, UnsafePointer(prepared))
                return old.matrix
            }
            let matrix = Float.pack(prepared, inputs: width, outputs: rows.count, inputStride: 1, outputStride: width, precision: precision)
            if precision == .int8 {
                for i in 0..<rows.count { loss = max(loss, RoundingLoss.weights(prepared + i * width, output: i, of: matrix)) }
            }
            return matrix
        }
        (largestLength, largestLoss) = (Float(length.squareRoot()).nextUp, loss)
    }
}

/// The keys found so far for a group of queries.
final class BestState: Sendable {
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
        kt_best_offer(
            products, Int64(queries.count), Int64(block.count), Int64(block.count), UInt32(block.lowerBound), Int64(top), Int64(capacity),
            keys + q * capacity, counts + q, thresholds + q)
    }

    /// Keeps the best `top` keys of one query; returns the lowest of their scores, -infinity if there are fewer.
    func bound(query: Int, top: Int) -> Float {
        kt_best_finish(1, Int64(top), Int64(capacity), keys + query * capacity, counts + query)
        if Int(counts[query]) == top { thresholds[query] = kt_best_score(keys[query * capacity + top - 1]) }
        return thresholds[query]
    }

    func finish(queries: Int, top: Int, threads: Int) {
        let pieces = Parallel.chunks(queries, size: 256)
        Parallel.forEach(pieces.count, threads: threads) { piece, _ in
            let q = pieces[piece].lowerBound
            kt_best_finish(Int64(pieces[piece].count), Int64(top), Int64(self.capacity), self.keys + q * self.capacity, self.counts + q)
        }
    }
}
