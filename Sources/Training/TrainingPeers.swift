import FileFormats
import Tensors

/// Processes that train one model together (MPI's ranks). Each owns whole lanes of `ShardedGradients`; everything else every process does
/// for itself, with the same bits, so that nothing but outputs and sums travels.
///
/// Calls are made from one thread, by all processes in the same order.
public protocol TrainingPeers: Sendable {
    /// This process, from 0.
    var rank: Int { get }
    /// The number of processes.
    var count: Int { get }
    func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) throws
    func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws
    /// Everybody gets the bytes that `rank` has.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws
}

extension TrainingPeers {
    /// The process that owns a lane: consecutive lanes belong to one process, so that sums in the order of lanes go from process to process
    /// once.
    func owner(ofLane lane: Int, of lanes: Int) -> Int { lane * count / lanes }

    /// A number that `rank` has.
    func agree(_ number: Int, from rank: Int = 0) throws -> Int {
        var number = number
        try withUnsafeMutableBytes(of: &number) { try broadcast($0, from: rank) }
        return number
    }

    /// A list of numbers that `rank` has.
    func agree(_ numbers: [Int], from rank: Int) throws -> [Int] {
        var numbers = numbers
        let size = try agree(numbers.count, from: rank)
        if rank != self.rank { numbers = [Int](repeating: 0, count: size) }
        if size > 0 { try numbers.withUnsafeMutableBytes { try broadcast($0, from: rank) } }
        return numbers
    }

    /// Everybody gets all tensors, each of which one process has.
    func exchange<Scalar: TensorScalar>(_ tensors: [Tensor<Scalar>?], owner: (Int) -> Int) throws -> [Tensor<Scalar>?] {
        var tensors = tensors
        let owners = tensors.indices.map(owner)
        for rank in 0..<count {
            let own = tensors.indices.filter { owners[$0] == rank }
            guard !own.isEmpty else { continue }
            // -1 for none, else the number of axes and the axes.
            let shapes = try agree(own.flatMap { index in tensors[index].map { [$0.shape.count] + $0.shape } ?? [-1] }, from: rank)
            var place = 0
            for index in own {
                defer { place += 1 + max(0, shapes[place]) }
                guard shapes[place] >= 0 else { continue }
                let shape = Array(shapes[place + 1..<place + 1 + shapes[place]])
                var tensor = tensors[index] ?? Tensor<Scalar>(uninitialized: shape)
                try broadcast(&tensor, from: rank)
                tensors[index] = tensor
            }
        }
        return tensors
    }

    func broadcast<Scalar: TensorScalar>(_ tensor: inout Tensor<Scalar>, from rank: Int) throws {
        let size = tensor.count * MemoryLayout<Scalar>.stride
        guard size > 0 else { return }
        try tensor.withUnsafeMutableElements { try broadcast(UnsafeMutableRawBufferPointer(start: $0, count: size), from: rank) }
    }
}
