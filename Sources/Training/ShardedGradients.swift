import Autograd
import Tensors

/// Gradients of a batch that is cut into shards, so that several threads work at once and the sum does not know how many they were.
///
/// Each shard has a tape of its own. Gradients are added up in a fixed number of lanes: lane l takes the shards l, l + lanes, l + 2 lanes …
/// one after the other, and the lanes are added in order. Neither the shards nor the lanes depend on the number of threads, and so
/// no bit of the result does.
public final class ShardedGradients<Scalar: TensorScalar> {
    public let parameters: [Parameter<Scalar>]
    public var precision: Precision
    public let threads: Int
    /// Sums kept apart: at most this many threads run a backward pass at once.
    public let lanes: Int
    private let stores: [GradientStore<Scalar>]
    private var sums: [Tensor<Scalar>]
    /// Whether `sums` holds gradients of earlier parts of the same step.
    private var isAccumulating = false

    public init(_ parameters: [Parameter<Scalar>], lanes: Int = 8, precision: Precision = .f32, threads: Int = Parallel.availableThreads) {
        self.parameters = parameters
        self.lanes = max(1, lanes)
        self.precision = precision
        self.threads = threads
        stores = (0..<self.lanes).map { _ in GradientStore() }
        sums = parameters.map { Tensor(uninitialized: [$0.isTrainable ? $0.value.count : 0]) }
    }

    /// Adds the gradients of one batch, in two passes: the outputs of all shards are computed and kept, the loss looks at all of them at
    /// once and says how it changes with each, and the tapes then run backward from there. A loss within the batch (in-batch
    /// negatives) thus sees the whole batch though no tape does.
    ///
    /// - Parameters:
    ///   - shards: their number.
    ///   - seed: dropout's; shard s draws from stream s.
    ///   - forward: the output of a shard, on its tape; nil for an empty shard.
    ///   - loss: from the outputs of all shards their gradients (nil for none).
    public func add(
        shards: Int, seed: UInt64, forward: @Sendable (_ shard: Int, _ tape: Tape<Scalar>) throws -> Variable<Scalar>?,
        loss: ([Tensor<Scalar>?]) throws -> [Tensor<Scalar>?]
    ) throws {
        let random = RandomSource(seed: seed), lanes = self.lanes
        let records = (0..<shards).map { shard in
            var stream = random.split(UInt64(shard))
            return ShardRecord(Tape(precision: precision, seed: stream.next(), store: stores[shard % lanes]))
        }
        try Parallel.forEach(shards, threads: threads) { shard, _ in records[shard].output = try forward(shard, records[shard].tape) }
        let seeds = try loss(records.map { $0.output?.value })
        precondition(seeds.count == shards)
        Parallel.forEach(min(lanes, shards), threads: threads) { lane, _ in
            for shard in stride(from: lane, to: shards, by: lanes) {
                guard let output = records[shard].output, let seed = seeds[shard] else { continue }
                records[shard].tape?.backward(from: output, seed: seed)
                records[shard].tape = nil
                records[shard].output = nil
            }
        }
        collect(stores)
    }

    /// Adds gradients that were computed elsewhere (of what a loss itself learns), in their order.
    public func add(_ extra: [GradientStore<Scalar>]) {
        let filled = extra.filter { !$0.whole.isEmpty || !$0.rows.isEmpty }
        if !filled.isEmpty { collect(filled) }
    }

    /// Adds stores to the sums, in parallel over stretches of parameters, and empties them.
    private func collect(_ stores: [GradientStore<Scalar>]) {
        var work: [Stretch<Scalar>] = []
        for (index, parameter) in parameters.enumerated() where parameter.isTrainable {
            let key = ObjectIdentifier(parameter), width = max(1, parameter.value.columns)
            let sources = stores.compactMap { $0.whole[key]?.withUnsafeElements { $0 } }
            let lookups = stores.flatMap { store in
                (store.rows[key] ?? []).map { Lookup(rows: $0.rows, gradient: $0.gradient.withUnsafeElements { $0 }) }
            }
            let target = sums[index].withUnsafeMutableElements { $0 }
            let rows = parameter.value.count / width
            // Whole rows, so that every row of a table belongs to one stretch.
            for range in Parallel.chunks(rows, size: max(1, 4096 / width)) {
                let first = range.lowerBound * width
                work.append(Stretch(target: target + first, count: range.count * width, sources: sources.map { $0 + first },
                                    lookups: lookups, rows: range, width: width))
            }
        }
        let stretches = work, isFirst = !isAccumulating
        Parallel.forEach(stretches.count, threads: threads) { index, _ in
            let part = stretches[index]
            var sources = part.sources[...]
            if isFirst {
                if let first = sources.popFirst() { part.target.update(from: first, count: part.count) } else {
                    Scalar.fill(part.target, with: 0, count: part.count)
                }
            }
            for source in sources { Scalar.add(source, count: part.count, to: part.target) }
            for lookup in part.lookups {
                Scalar.scatterRows(lookup.gradient, width: part.width, lookup.rows, within: part.rows, addingTo: part.target)
            }
        }
        for store in stores { store.removeAll() }
        isAccumulating = true
    }

    /// The sums since the last `clear`, one a parameter in order, nil for a frozen one.
    public var gradients: [Tensor<Scalar>?] {
        zip(parameters, sums).map { parameter, sum in parameter.isTrainable ? sum : nil }
    }

    /// ‖all gradients‖, summed in Double over fixed chunks.
    public func norm() -> Double {
        var pieces: [(pointer: Shared<Scalar>, count: Int)] = []
        for sum in sums where isAccumulating {
            let pointer = sum.withUnsafeElements { $0 }
            for range in Parallel.chunks(sum.count, size: Optimizer<Scalar>.chunk) { pieces.append((Shared(pointer + range.lowerBound), range.count)) }
        }
        var squares = [Double](repeating: 0, count: pieces.count)
        squares.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = Shared(base), pieces = pieces
            Parallel.forEach(pieces.count, threads: threads) { index, _ in
                let pointer = pieces[index].pointer.pointer
                out.pointer[index] = Scalar.dot(pointer, pointer, count: pieces[index].count)
            }
        }
        return squares.reduce(0, +).squareRoot()
    }

    /// Forgets the sums; the next `add` begins anew.
    public func clear() { isAccumulating = false }
}

/// Gradients of single rows of a table.
private struct Lookup<Scalar: TensorScalar> {
    var rows: [Int32]
    var gradient: UnsafePointer<Scalar>
}

/// Rows of one parameter, and everything that is to be added into them.
private struct Stretch<Scalar: TensorScalar>: @unchecked Sendable {
    var target: UnsafeMutablePointer<Scalar>
    var count: Int
    /// Gradients of the whole parameter, one a lane, each from the first element of these rows.
    var sources: [UnsafePointer<Scalar>]
    /// Gradients of single rows of the parameter.
    var lookups: [Lookup<Scalar>]
    var rows: Range<Int>
    var width: Int
}

/// A shard between its forward and its backward pass; one thread at a time touches it.
private final class ShardRecord<Scalar: TensorScalar>: @unchecked Sendable {
    // Optional, so that a finished shard's memory goes to the next.
    var tape: Tape<Scalar>!
    var output: Variable<Scalar>?
    init(_ tape: Tape<Scalar>) { self.tape = tape }
}
