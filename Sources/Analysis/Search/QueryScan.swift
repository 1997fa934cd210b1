import CKernels
import FileFormats
import Synchronization
import Tensors

/// A query or a few against every row as it lies: the same answers, to the bit, as blocks multiplied by oneDNN give, without laying out the
/// corpus.
///
/// Goals in order: those answers; one pass over memory. Each row gets a score with bounds on its error, in float or by codes; rows whose
/// upper bound reaches the k-th best lower bound are candidates, and their cosines are computed by the product that many queries get.
struct QueryScan<Queries: RowSource, Corpus: RowSource> {
    let queries: Queries, corpus: Corpus
    let top: Int
    let queryValid: [Bool]?, corpusValid: [Bool]?
    let codes: RowCodes?
    let threads: Int

    private var rows: Int { corpus.rows }
    private var width: Int { corpus.columns }
    /// A cosine in float is off by less than `width` roundings; so is that of the product.
    private var margin: Float { BlockedBest.rounding(width: width) }
    private static var pieceRows: Int { 2048 }

    /// Rows that may be among the best of each query.
    private typealias Candidates = [[Int32]]

    func run() throws -> BlockedBest {
        let n = queries.rows,
            prepared = PreparedRows(capacity: (n + BlockedBest.tile - 1) / BlockedBest.tile * BlockedBest.tile, width: width)
        try queries.withRows(0..<n) { try prepared.fill($0, rows: 0..<n, by: .cosine, valid: queryValid, what: "the queries", threads: 1) }
        let found: Candidates
        if let codes, width <= RowCodes.mostColumns, codes.rows == rows, codes.columns == width {
            switch codes.kind {
            case .int8: found = try (0..<n).map { prepared.usable[$0] ? try int8(codes, prepared.row($0)) : [] }
            case .binary: found = try (0..<n).map { prepared.usable[$0] ? try binary(codes, prepared.row($0)) : [] }
            }
        } else {
            found = try whole(prepared, count: n)
        }
        return try rescore(prepared, found)
    }

    // MARK: What can be among the best

    /// By all vectors.
    private func whole(_ prepared: PreparedRows, count n: Int) throws -> Candidates {
        let norms = try corpus.statedNorms(), width = width, margin = margin
        let bounds = ScanBounds(queries: n, top: top, threads: threads)
        // Where rows are read from a file in chunks, as many at a time as a block of the product takes.
        let span = corpus.isInMemory ? rows : BlockedBest.blockRows * BlockedBest.blocksInFlight
        for start in stride(from: 0, to: rows, by: max(1, span)) {
            let part = start..<min(rows, start + span), pieces = Parallel.chunks(part.count, size: Self.pieceRows)
            try corpus.withRows(part) { pointer in
                let from = Shared(pointer)
                try Parallel.forEach(pieces.count, threads: threads) { piece, worker in
                    let local = pieces[piece], first = start + local.lowerBound
                    try Scratch.with(Float.self, count: (n + 2) * local.count) { scores in
                        let bad = withFlags(first) { valid in
                            withNorms(norms, first) { norms in
                                kt_scan_cosines(
                                    prepared.row(0), Int64(n), from.pointer + local.lowerBound * width, Int64(local.count), Int64(width),
                                    norms, valid, scores)
                            }
                        }
                        guard bad < 0 else { throw notFinite(row: first + Int(bad), of: "the vectors") }
                        for query in 0..<n where prepared.usable[query] {
                            bounds.offer(
                                scores + query * local.count, errors: nil, a: 0, b: margin, first: first, count: local.count, query: query,
                                worker: worker,
                                scratch: scores + n * local.count)
                        }
                    }
                }
            }
        }
        return (0..<n).map { bounds.candidates(query: $0) }
    }

    private func int8(_ codes: RowCodes, _ query: UnsafePointer<Float>) throws -> [Int32] {
        let wide = WideQuery(query, width: width), bounds = ScanBounds(queries: 1, top: top, threads: threads)
        let pieces = Parallel.chunks(rows, size: Self.pieceRows), width = width, margin = margin
        guard let scales = codes.scales, let errors = codes.errors else { return [] }
        try codes.codes.withUnsafeBytes { codes in
            try scales.withUnsafeBytes { scales in
                try errors.withUnsafeBytes { errors in
                    guard let codes = codes.baseAddress, let scales = scales.baseAddress, let errors = errors.baseAddress else { return }
                    let c = Shared(codes.assumingMemoryBound(to: Int8.self)), s = Shared(scales.assumingMemoryBound(to: Float.self))
                    let e = Shared(errors.assumingMemoryBound(to: Float.self))
                    Parallel.forEach(pieces.count, threads: threads) { piece, worker in
                        let part = pieces[piece]
                        Scratch.with(Float.self, count: 3 * part.count) { scores in
                            withFlags(part.lowerBound) { valid in
                                kt_scan_int8(
                                    wide.numbers, wide.scale, c.pointer + part.lowerBound * width, Int64(part.count), Int64(width),
                                    s.pointer + part.lowerBound, valid, scores)
                            }
                            bounds.offer(
                                scores, errors: e.pointer + part.lowerBound, a: 1 + wide.error, b: wide.error + margin,
                                first: part.lowerBound, count: part.count,
                                query: 0, worker: worker, scratch: scores + part.count)
                        }
                    }
                }
            }
        }
        return bounds.candidates(query: 0)
    }

    private func binary(_ codes: RowCodes, _ query: UnsafePointer<Float>) throws -> [Int32] {
        let planed = PlanedQuery(query, width: width), width = codes.width, pieces = Parallel.chunks(rows, size: 2 * Self.pieceRows)
        let wanted = min(rows, max(Int(Double(rows) * RowCodes.binaryShare), RowCodes.binaryLeast, top))
        // Keys above the lowest of the best so far, from all workers; now and then all but the best go.
        let state = Mutex<[UInt64]>([])
        let bounds = Mutex(-Float.infinity)
        try codes.codes.withUnsafeBytes { codes in
            guard let base = codes.baseAddress else { return }
            let c = Shared(base.assumingMemoryBound(to: UInt8.self))
            Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                let part = pieces[piece]
                Scratch.with(Float.self, count: part.count) { scores in
                    Scratch.with(Int32.self, count: part.count) { hits in
                        withFlags(part.lowerBound) { valid in
                            kt_scan_bits(
                                planed.words, Int32(PlanedQuery.planes), planed.least, planed.step, planed.sum,
                                c.pointer + part.lowerBound * width, Int64(part.count),
                                Int64(width), valid, scores)
                        }
                        let least = bounds.withLock { $0 }
                        let count = Int(kt_at_least(scores, Int64(part.count), max(least, -.greatestFiniteMagnitude), hits))
                        let keys = (0..<count).map { kt_best_key(scores[Int(hits[$0])], UInt32(part.lowerBound) + UInt32(hits[$0])) }
                        state.withLock { all in
                            all += keys
                            guard all.count > 2 * wanted + 65_536 else { return }
                            Self.keep(&all, best: wanted)
                            let bound = all.min().map(kt_best_score) ?? -.infinity
                            bounds.withLock { $0 = max($0, bound) }
                        }
                    }
                }
            }
        }
        var rowsFound = state.withLock { all in
            if all.count > wanted { Self.keep(&all, best: wanted) }
            return all.map { Int32(bitPattern: kt_best_id($0)) }
        }
        rowsFound.sort()
        return try narrowed(rowsFound, query)
    }

    private static func keep(_ keys: inout [UInt64], best: Int) {
        let count = keys.count
        keys.withUnsafeMutableBufferPointer { keys in
            var counts = Int32(clamping: count)
            if let base = keys.baseAddress { kt_best_keep(Int64(best), base, &counts) }
        }
        keys.removeLast(count - best)
    }

    /// Of some rows, those that can be among the best by their cosines in float.
    private func narrowed(_ chosen: [Int32], _ query: UnsafePointer<Float>) throws -> [Int32] {
        let bounds = ScanBounds(queries: 1, top: top, threads: threads), pieces = Parallel.chunks(chosen.count, size: 256), width = width,
            margin = margin
        let query = Shared(query)
        try Parallel.forEach(pieces.count, threads: corpus.isInMemory ? threads : 1) { piece, worker in
            let part = pieces[piece]
            try Scratch.with(Float.self, count: part.count * (width + 3)) { gathered in
                for place in part {
                    let row = Int(chosen[place])
                    try corpus.withRows(row..<row + 1) { (gathered + (place - part.lowerBound) * width).update(from: $0, count: width) }
                }
                let scores = gathered + part.count * width
                let bad = kt_scan_cosines(query.pointer, 1, gathered, Int64(part.count), Int64(width), nil, nil, scores)
                guard bad < 0 else { throw notFinite(row: Int(chosen[part.lowerBound + Int(bad)]), of: "the vectors") }
                bounds.offer(
                    scores, errors: nil, a: 0, b: margin, first: part.lowerBound, count: part.count, query: 0, worker: worker,
                    scratch: scores + part.count)
            }
        }
        return bounds.candidates(query: 0).map { chosen[Int($0)] }
    }

    // MARK: Their cosines

    private func rescore(_ prepared: PreparedRows, _ found: Candidates) throws -> BlockedBest {
        let n = queries.rows, capacity = 2 * top + Int(KT_BEST_SLACK)
        var result = BlockedBest(
            top: top, rows: [Int32](repeating: -1, count: n * top), scores: [Float](repeating: -.infinity, count: n * top),
            counts: [Int32](repeating: 0, count: n))
        for first in stride(from: 0, to: n, by: BlockedBest.tile) {
            let group = first..<min(n, first + BlockedBest.tile), state = BestState(queries: BlockedBest.tile, capacity: capacity)
            let chosen = Set(found[group].joined()).sorted()
            state.reset()
            try Scratch.with(Float.self, count: BlockedBest.blockRows * width) { gathered in
                try Scratch.with(Float.self, count: BlockedBest.tile * BlockedBest.blockRows) { products in
                    var old: CorpusBlock?
                    for start in stride(from: 0, to: chosen.count, by: BlockedBest.blockRows) {
                        let part = chosen[start..<min(chosen.count, start + BlockedBest.blockRows)]
                        // A whole block, filled up with zeros, whose product has the shape that a block of the corpus has.
                        gathered.update(repeating: 0, count: BlockedBest.blockRows * width)
                        for (place, row) in part.enumerated() {
                            try corpus.withRows(Int(row)..<Int(row) + 1) { (gathered + place * width).update(from: $0, count: width) }
                        }
                        let block = try CorpusBlock(
                            gathered, rows: start..<start + BlockedBest.blockRows, width: width, by: .cosine, valid: nil, reusing: old)
                        Float.multiply(prepared.row(first), rows: group.count, by: block.matrix, bias: block.bias, into: products)
                        state.offer(products, queries: 0..<group.count, block: block.rows, top: top)
                        old = block
                    }
                }
            }
            state.finish(queries: group.count, top: top, threads: 1)
            for query in group where prepared.usable[query] {
                let own = query - first
                result.counts[query] = state.counts[own]
                for place in 0..<Int(state.counts[own]) {
                    let key = state.keys[own * capacity + place]
                    result.rows[query * top + place] = chosen[Int(kt_best_id(key))]
                    result.scores[query * top + place] = kt_best_score(key)
                }
            }
        }
        return result
    }

    // MARK: Pointers that may be absent

    private func withFlags<Result>(_ first: Int, _ body: (UnsafePointer<UInt8>?) -> Result) -> Result {
        guard let corpusValid else { return body(nil) }
        return corpusValid.withUnsafeBytes { body($0.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + first }) }
    }

    private func withNorms<Result>(_ norms: [Float]?, _ first: Int, _ body: (UnsafePointer<Float>?) -> Result) -> Result {
        guard let norms else { return body(nil) }
        return norms.withUnsafeBufferPointer { body($0.baseAddress.map { $0 + first }) }
    }
}

/// Scores with bounds on their errors, of several queries, from several workers.
private final class ScanBounds: Sendable {
    private struct Found: Sendable {
        var rows: [Int32] = []
        var highs: [Float] = []
    }
    private final class Bin: Sendable { let found = Mutex(Found()) }
    private let top: Int, workers: Int, queries: Int
    private let states: [BestState]
    private let bins: [Bin]

    init(queries: Int, top: Int, threads: Int) {
        (self.top, self.queries, workers) = (top, queries, max(1, threads))
        states = (0..<max(1, threads)).map { _ in BestState(queries: queries, capacity: 2 * top + Int(KT_BEST_SLACK)) }
        for state in states { state.reset() }
        bins = (0..<queries * max(1, threads)).map { _ in Bin() }
    }

    /// Takes the scores of rows first ..< first + count. One worker's calls do not overlap. `scratch` has room for twice as many numbers.
    func offer(
        _ scores: UnsafePointer<Float>, errors: UnsafePointer<Float>?, a: Float, b: Float, first: Int, count: Int, query: Int, worker: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let low = scratch, high = scratch + count
        kt_scan_bounds(scores, errors, a, b, Int64(count), low, high)
        states[worker].offer(low, queries: query..<query + 1, block: first..<first + count, top: top)
        let bound = states[worker].bound(query: query, top: top)
        Scratch.with(Int32.self, count: count) { hits in
            let hitCount = Int(kt_at_least(high, Int64(count), max(bound, -.greatestFiniteMagnitude), hits))
            bins[worker * queries + query].found.withLock { found in
                for hit in 0..<hitCount {
                    found.rows.append(Int32(first) + hits[hit])
                    found.highs.append(high[Int(hits[hit])])
                }
            }
        }
    }

    /// Rows whose upper bound reaches the k-th best lower bound of all, in order.
    func candidates(query: Int) -> [Int32] {
        var lows: [Float] = []
        for state in states {
            _ = state.bound(query: query, top: top)
            lows += (0..<Int(state.counts[query])).map { kt_best_score(state.keys[query * state.capacity + $0]) }
        }
        lows.sort(by: >)
        let bound = lows.count >= top ? lows[top - 1] : -.infinity
        var rows: [Int32] = []
        for worker in 0..<workers {
            bins[worker * queries + query].found.withLock { found in
                for (row, high) in zip(found.rows, found.highs) where high >= bound { rows.append(row) }
            }
        }
        return rows.sorted()
    }
}
