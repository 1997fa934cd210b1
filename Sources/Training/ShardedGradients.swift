import Autograd
import Synchronization
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
    /// Parameters that stay as they are.
    private let frozen: Set<ObjectIdentifier>
    private var sums: [Tensor<Scalar>]
    /// Whether `sums` holds gradients of earlier parts of the same step.
    private var isAccumulating = false

    public init(
        _ parameters: [Parameter<Scalar>], frozen: Set<ObjectIdentifier> = [], lanes: Int = 8, precision: Precision = .f32,
        threads: Int = Parallel.availableThreads
    ) {
        self.parameters = parameters
        self.lanes = max(1, lanes)
        self.precision = precision
        self.threads = threads
        self.frozen = frozen
        sums = parameters.map { Tensor(uninitialized: [$0.isTrainable && !frozen.contains(ObjectIdentifier($0)) ? $0.value.count : 0]) }
    }

    private func learns(_ parameter: Parameter<Scalar>) -> Bool { parameter.isTrainable && !frozen.contains(ObjectIdentifier(parameter)) }

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
        let random = RandomSource(seed: seed), lanes = lanes, precision = precision, frozen = frozen
        let records = (0..<shards).map { _ in ShardRecord<Scalar>() }
        let outputs = try Parallel.map(shards, threads: threads) { shard, _ -> Tensor<Scalar>? in
            var stream = random.split(UInt64(shard))
            return try records[shard].runForward(precision: precision, seed: stream.next(), frozen: frozen) { try forward(shard, $0) }
        }
        let seeds = try loss(outputs)
        precondition(seeds.count == shards)
        collect(Parallel.map(min(lanes, shards), threads: threads) { lane, _ in
            var store = GradientStore<Scalar>()
            for shard in stride(from: lane, to: shards, by: lanes) {
                if let seed = seeds[shard] { records[shard].runBackward(seed: seed, addingTo: &store) }
            }
            return store
        })
    }

    /// Adds gradients that were computed elsewhere (of what a loss itself learns), in their order.
    public func add(_ extra: [GradientStore<Scalar>]) {
        let filled = extra.filter { !$0.isEmpty }
        if !filled.isEmpty { collect(filled) }
    }

    /// Adds stores to the sums, in parallel over stretches of parameters.
    private func collect(_ stores: [GradientStore<Scalar>]) {
        var stretches: [Stretch] = []
        /// Of each parameter its gradients as a whole, one a lane, and those of single rows.
        let sources = parameters.map { parameter in stores.compactMap { $0.whole[ObjectIdentifier(parameter)] } }
        let lookups = parameters.map { parameter in stores.flatMap { $0.rows[ObjectIdentifier(parameter)] ?? [] } }
        for (index, parameter) in parameters.enumerated() where learns(parameter) {
            let width = max(1, parameter.shape.dropFirst().reduce(1, *)), rows = parameter.shape.reduce(1, *) / width
            // Whole rows, so that every row of a table belongs to one stretch.
            stretches += Parallel.chunks(rows, size: max(1, 4096 / width)).map { Stretch(tensor: index, rows: $0, width: width) }
        }
        let work = stretches, isFirst = !isAccumulating
        Parallel.forEachStretch(work, of: &sums, threads: threads) { index, target in
            let stretch = work[index]
            var left = sources[stretch.tensor][...]
            if isFirst {
                if let first = left.popFirst() { Scalar.copy(first.view(of: stretch), into: &target) } else { Scalar.fill(&target, with: 0) }
            }
            for source in left { Scalar.add(source.view(of: stretch), to: &target) }
            for (rows, gradient) in lookups[stretch.tensor] {
                Scalar.scatterRows(gradient.view, rows, within: stretch.rows, addingTo: &target)
            }
        }
        isAccumulating = true
    }

    /// The sums since the last `clear`, one a parameter in order, nil for a frozen one.
    public var gradients: [Tensor<Scalar>?] {
        zip(parameters, sums).map { parameter, sum in learns(parameter) ? sum : nil }
    }

    /// ‖all gradients‖, summed in Double over fixed chunks.
    public func norm() -> Double {
        guard isAccumulating else { return 0 }
        let sums = sums
        let stretches = sums.indices.flatMap { index in
            Parallel.chunks(sums[index].count, size: Optimizer<Scalar>.chunk).map { Stretch(tensor: index, rows: $0) }
        }
        let squares = Parallel.map(stretches.count, threads: threads) { index, _ in
            let part = sums[stretches[index].tensor].view(of: stretches[index])
            return Scalar.dot(part, part)
        }
        return squares.reduce(0, +).squareRoot()
    }

    /// Forgets the sums; the next `add` begins anew.
    public func clear() { isAccumulating = false }
}

/// A shard between its forward and its backward pass: a tape goes from the thread that recorded it to the one that runs it backward.
private final class ShardRecord<Scalar: TensorScalar>: Sendable {
    private struct Held {
        var tape: Tape<Scalar>
        var output: Variable<Scalar>
    }
    private let held = Mutex<Held?>(nil)

    /// Records on a new tape, and keeps it.
    func runForward(
        precision: Precision, seed: UInt64, frozen: Set<ObjectIdentifier>, _ forward: @Sendable (Tape<Scalar>) throws -> Variable<Scalar>?
    ) throws -> Tensor<Scalar>? {
        try held.withLock { held in
            let tape = Tape<Scalar>(precision: precision, seed: seed, frozen: frozen)
            guard let output = try forward(tape) else { return nil }
            held = Held(tape: tape, output: output)
            return output.value
        }
    }

    /// Runs the tape and forgets it, so that its memory goes to the next shard.
    func runBackward(seed: Tensor<Scalar>, addingTo store: inout GradientStore<Scalar>) {
        var gradients = store
        store = GradientStore()
        store = held.withLock { held in
            guard let record = held else { return gradients }
            swap(&record.tape.store, &gradients)
            record.tape.backward(from: record.output, seed: seed)
            swap(&record.tape.store, &gradients)
            held = nil
            return gradients
        }
    }
}
