import Glibc
import Synchronization

/// A block of memory: of its own, or someone else's that `owner` keeps alive.
package final class MemoryBlock: @unchecked Sendable {
    // Sendable: nothing here changes after `init`. What lies at the pointer belongs to whoever holds the block, which is one
    // `TensorStorage`, one scratch call or the pool; a storage is written to only by a tensor that holds the only reference to it.
    let pointer: UnsafeMutableRawPointer
    let size: Int
    private let owner: AnyObject?
    /// Where `pointer` was found by aligning what the system gave.
    private let given: UnsafeMutableRawPointer?

    init(size: Int) {
        pointer = .allocate(byteCount: size, alignment: 64)
        self.size = size
        (owner, given) = (nil, nil)
    }

    /// Memory of zeros, which costs nothing until it is touched: parameters that a checkpoint fills a moment later never are.
    init(zeroed size: Int) {
        guard let given = calloc(1, size + 64) else { preconditionFailure("out of memory for \(size) bytes") }
        self.given = given
        pointer = given.alignedUp(toMultipleOf: 64)
        self.size = size
        owner = nil
    }

    init(viewing pointer: UnsafeRawPointer, owner: AnyObject) {
        self.pointer = UnsafeMutableRawPointer(mutating: pointer)
        size = 0
        self.owner = owner
        given = nil
    }

    var isView: Bool { owner != nil }

    deinit {
        if let given { free(given) } else if owner == nil { pointer.deallocate() }
    }
}

/// Memory of tensors. Freed blocks are kept and handed out again: a forward pass asks for the same sizes over and over,
/// and fresh pages from the system cost more than the small kernels that fill them.
package final class StoragePool: Sendable {
    package static let shared = StoragePool()

    private struct Shelves {
        var blocks: [Int: [MemoryBlock]] = [:]
        var bytes = 0
    }
    private let shelves = Mutex(Shelves())
    /// Above this, freed blocks go back to the system.
    private let capacity = 512 << 20

    /// Sizes are rounded up to an eighth of their power of two, so that nearly equal batches share blocks.
    private static func roundedSize(_ bytes: Int) -> Int {
        if bytes <= 4096 { return 4096 }
        let step = 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3)
        return (bytes + step - 1) / step * step
    }

    func take(_ bytes: Int) -> MemoryBlock {
        let size = Self.roundedSize(bytes)
        return kept(size) ?? MemoryBlock(size: size)
    }

    /// A block whose first `bytes` are zero.
    func takeZeroed(_ bytes: Int) -> MemoryBlock {
        let size = Self.roundedSize(bytes)
        // Below this zeros from the system are not cheaper.
        guard size >= 1 << 18 else {
            let block = take(bytes)
            block.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            return block
        }
        if let kept = kept(size) {
            kept.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            return kept
        }
        return MemoryBlock(zeroed: size)
    }

    private func kept(_ size: Int) -> MemoryBlock? {
        shelves.withLock { shelves in
            guard let block = shelves.blocks[size]?.popLast() else { return nil }
            shelves.bytes -= size
            return block
        }
    }

    /// Takes a block back; one that finds no place is freed when the caller lets go of it.
    func giveBack(_ block: MemoryBlock) {
        shelves.withLock { shelves in
            guard shelves.bytes + block.size <= capacity else { return }
            shelves.blocks[block.size, default: []].append(block)
            shelves.bytes += block.size
        }
    }
}

/// Uninitialized memory for the length of a call.
package enum Scratch {
    package static func with<Element: BitwiseCopyable, Result>(
        _ type: Element.Type, count: Int, _ body: (UnsafeMutablePointer<Element>) throws -> Result
    ) rethrows -> Result {
        let block = StoragePool.shared.take(max(1, count) * MemoryLayout<Element>.stride)
        defer { StoragePool.shared.giveBack(block) }
        return try body(block.pointer.bindMemory(to: Element.self, capacity: count))
    }
}

/// The elements behind a tensor: a block of its own, or a read-only view of memory that someone else owns.
package final class TensorStorage<Scalar: BitwiseCopyable>: Sendable {
    private let block: MemoryBlock
    package let count: Int

    package init(uninitializedCount count: Int) {
        block = StoragePool.shared.take(max(1, count) * MemoryLayout<Scalar>.stride)
        block.pointer.bindMemory(to: Scalar.self, capacity: count)
        self.count = count
    }

    /// Zeros.
    package init(zeroedCount count: Int) {
        block = StoragePool.shared.takeZeroed(max(1, count) * MemoryLayout<Scalar>.stride)
        block.pointer.bindMemory(to: Scalar.self, capacity: count)
        self.count = count
    }

    /// A copy of numbers that a kernel reads.
    package convenience init(_ numbers: [Scalar]) {
        self.init(uninitializedCount: numbers.count)
        elements.update(from: numbers, count: numbers.count)
    }

    package init(viewing pointer: UnsafePointer<Scalar>, count: Int, owner: AnyObject) {
        block = MemoryBlock(viewing: UnsafeRawPointer(pointer), owner: owner)
        self.count = count
    }

    /// Valid while the storage lives.
    package var elements: UnsafeMutablePointer<Scalar> { block.pointer.assumingMemoryBound(to: Scalar.self) }

    package var isReadOnlyView: Bool { block.isView }

    deinit { if !block.isView { StoragePool.shared.giveBack(block) } }
}
