import Autograd
import Synchronization
import Tensors

/// Gradients of a batch that is cut into shards, so that several threads work at once and the sum does not know how many they were.
///
/// Each shard has a tape of its own. Gradients are added up in a fixed number of lanes: lane l takes the shards l, l + lanes, l + 2 lanes …
/// one after the other, and the lanes are added in order. Neither the shards nor the lanes depend on the number of threads, and so
/// no bit of the result does.
///
/// Several processes share the lanes (`TrainingPeers`): outputs of shards are exchanged, and the sums go from process to process in the
/// order of the lanes, each adding its own, so that no bit depends on the number of processes either.
package final class ShardedGradients<Scalar: TensorScalar> {
    /// The parameters that get gradients.
    package let parameters: [Parameter<Scalar>]
    /// What matrix products compute in.
    package var precision: Precision
    /// Number of worker threads; results do not depend on it.
    package let threads: Int
    /// Sums kept apart: at most this many threads run a backward pass at once.
    package let lanes: Int
    /// Parameters that stay as they are.
    private let frozen: Set<ObjectIdentifier>
    /// Other processes that work on the same batches; nil for none.
    private let peers: (any TrainingPeers)?
    private var sums: [Tensor<Scalar>]
    /// Whether `sums` holds gradients of earlier parts of the same step.
    private var isAccumulating = false

    /// Sums of zero. Parameters in `frozen` get no gradients; `lanes` sums are kept apart.
    package init(
        _ parameters: [Parameter<Scalar>], frozen: Set<ObjectIdentifier> = [], lanes: Int = 8, precision: Precision = .f32,
        threads: Int = Parallel.availableThreads, peers: (any TrainingPeers)? = nil
    ) {
        self.peers = peers
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
    package func add(
        shards: Int, seed: UInt64, forward: @Sendable (_ shard: Int, _ tape: Tape<Scalar>) throws -> Variable<Scalar>?,
        loss: ([Tensor<Scalar>?]) throws -> [Tensor<Scalar>?]
    ) throws {
        let random = RandomSource(seed: seed), lanes = lanes, precision = precision, frozen = frozen
        let records = (0..<shards).map { _ in ShardRecord<Scalar>() }, peers = peers
        let owner = { (lane: Int) in peers?.owner(ofLane: lane, of: lanes) ?? 0 }
        let rank = peers?.rank ?? 0, own = (0..<shards).filter { owner($0 % lanes) == rank }
        var outputs = [Tensor<Scalar>?](repeating: nil, count: shards)
        for (shard, output) in try zip(
            own,
            Parallel.map(own.count, threads: threads) { index, _ -> Tensor<Scalar>? in
                let shard = own[index]
                var stream = random.split(UInt64(shard))
                return try records[shard].runForward(precision: precision, seed: stream.next(), frozen: frozen) { try forward(shard, $0) }
            })
        { outputs[shard] = output }
        if let peers { outputs = try peers.exchange(outputs) { owner($0 % lanes) } }
        let seeds = try loss(outputs)
        precondition(seeds.count == shards)
        let ownLanes = (0..<min(lanes, shards)).filter { owner($0) == rank }
        let stores = Parallel.map(ownLanes.count, threads: threads) { index, _ in
            var store = GradientStore<Scalar>()
            for shard in stride(from: ownLanes[index], to: shards, by: lanes) {
                if let seed = seeds[shard] { records[shard].runBackward(seed: seed, addingTo: &store) }
            }
            return store
        }
        if let peers { try collect(stores, with: peers) } else { collect(stores) }
    }

    /// Adds gradients that were computed elsewhere (of what a loss itself learns), in their order.
    package func add(_ extra: [GradientStore<Scalar>]) {
        let filled = extra.filter { !$0.isEmpty }
        if !filled.isEmpty { collect(filled) }
    }

    /// Gradients of single rows of a table, in the order in which they are added.
    private typealias Lookups = [(rows: [Int32], gradient: Tensor<Scalar>)]

    /// Adds stores to the sums.
    private func collect(_ stores: [GradientStore<Scalar>]) {
        let hasValues = [Bool](repeating: isAccumulating, count: parameters.count)
        addWhole(stores, hasValues: hasValues)
        addLookups(parameters.map { lookups(of: $0, in: stores) })
        isAccumulating = true
    }

    /// The same where other processes have the stores of the other lanes: the sums come from the process before, this one adds its own
    /// lanes, and they go on to the next; the last one has them all, and everybody gets them from it.
    private func collect(_ stores: [GradientStore<Scalar>], with peers: any TrainingPeers) throws {
        let rank = peers.rank, last = peers.count - 1
        var hasValues = [Bool](repeating: isAccumulating, count: parameters.count)
        if rank > 0 {
            var flags = [UInt8](repeating: 0, count: parameters.count)
            try flags.withUnsafeMutableBytes { try peers.receive($0, from: rank - 1) }
            hasValues = flags.map { $0 != 0 }
        }
        let after = parameters.indices.map { index in
            hasValues[index] || stores.contains { $0.whole[ObjectIdentifier(parameters[index])] != nil }
        }
        if rank < last { try after.map { UInt8($0 ? 1 : 0) }.withUnsafeBytes { try peers.send($0, to: rank + 1) } }
        // One parameter after the other, so that the next process adds while this one does.
        for index in parameters.indices where learns(parameters[index]) {
            let size = sums[index].count * MemoryLayout<Scalar>.stride
            if rank > 0, hasValues[index] {
                try sums[index].withUnsafeMutableElements {
                    try peers.receive(UnsafeMutableRawBufferPointer(start: $0, count: size), from: rank - 1)
                }
            }
            addWhole(stores, hasValues: hasValues, only: index)
            if rank < last, after[index] {
                try sums[index].withUnsafeElements { try peers.send(UnsafeRawBufferPointer(start: $0, count: size), to: rank + 1) }
            }
        }
        // If no process has a value, all have filled the sum with zeros.
        let isWhole = try peers.agree(after.map { $0 ? 1 : 0 }, from: last)
        for index in parameters.indices where learns(parameters[index]) && isWhole[index] != 0 {
            try peers.broadcast(&sums[index], from: last)
        }
        // Rows of tables are few next to the table: everybody adds those of everybody.
        var lookups = [Lookups](repeating: [], count: parameters.count)
        for index in parameters.indices where learns(parameters[index]) {
            let own = self.lookups(of: parameters[index], in: stores), width = max(1, parameters[index].shape.dropFirst().reduce(1, *))
            for sender in 0...last {
                let rows = try peers.agree(sender == rank ? own.flatMap { $0.rows.map(Int.init) } : [], from: sender)
                guard !rows.isEmpty else { continue }
                var gradient = Tensor<Scalar>(uninitialized: [rows.count, width])
                if sender == rank {
                    var first = 0
                    for part in own {
                        Scalar.copy(part.gradient.view, into: &gradient[rows: first..<first + part.rows.count])
                        first += part.rows.count
                    }
                }
                try peers.broadcast(&gradient, from: sender)
                lookups[index].append((rows.map { Int32(truncatingIfNeeded: $0) }, gradient))
            }
        }
        addLookups(lookups)
        isAccumulating = true
    }

    private func lookups(of parameter: Parameter<Scalar>, in stores: [GradientStore<Scalar>]) -> Lookups {
        stores.flatMap { $0.rows[ObjectIdentifier(parameter)] ?? [] }
    }

    /// Adds gradients of whole parameters, in parallel over stretches. A sum without values takes over the first gradient, or zeros.
    private func addWhole(_ stores: [GradientStore<Scalar>], hasValues: [Bool], only chosen: Int? = nil) {
        let sources = parameters.map { parameter in stores.compactMap { $0.whole[ObjectIdentifier(parameter)] } }
        let work = stretches(only: chosen)
        Parallel.forEachStretch(work, of: &sums, threads: threads) { index, target in
            let stretch = work[index]
            var left = sources[stretch.tensor][...]
            if !hasValues[stretch.tensor] {
                if let first = left.popFirst() {
                    Scalar.copy(first.view(of: stretch), into: &target)
                } else {
                    Scalar.fill(&target, with: 0)
                }
            }
            for source in left { Scalar.add(source.view(of: stretch), to: &target) }
        }
    }

    private func addLookups(_ lookups: [Lookups]) {
        let work = stretches().filter { !lookups[$0.tensor].isEmpty }
        Parallel.forEachStretch(work, of: &sums, threads: threads) { index, target in
            let stretch = work[index]
            for (rows, gradient) in lookups[stretch.tensor] {
                Scalar.scatterRows(gradient.view, rows, within: stretch.rows, addingTo: &target)
            }
        }
    }

    /// Whole rows, so that every row of a table belongs to one stretch.
    private func stretches(only chosen: Int? = nil) -> [Stretch] {
        parameters.indices.filter { learns(parameters[$0]) && (chosen ?? $0) == $0 }.flatMap { index in
            let shape = parameters[index].shape, width = max(1, shape.dropFirst().reduce(1, *)), rows = shape.reduce(1, *) / width
            return Parallel.chunks(rows, size: max(1, 4096 / width)).map { Stretch(tensor: index, rows: $0, width: width) }
        }
    }

    /// The sums since the last `clear`, one a parameter in order, nil for a frozen one.
    package var gradients: [Tensor<Scalar>?] {
        zip(parameters, sums).map { parameter, sum in learns(parameter) ? sum : nil }
    }

    /// ‖all gradients‖, summed in Double over fixed chunks.
    package func norm() -> Double {
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

    /// Resets the sums; the next `add` starts over.
    package func clear() { isAccumulating = false }
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
