import Synchronization

/// Memory of tensors. Freed blocks are kept and handed out again: a forward pass asks for the same sizes over and over,
/// and fresh pages from the system cost more than the small kernels that fill them.
package final class StoragePool: Sendable {
    package static let shared = StoragePool()

    // The pointers are only ever held here or by one storage.
    private struct Guarded: @unchecked Sendable { var blocks: [Int: [UnsafeMutableRawPointer]] = [:]; var bytes = 0 }
    private let shelves = Mutex(Guarded())
    /// Above this, freed blocks go back to the system.
    private let capacity = 512 << 20

    /// Sizes are rounded up to an eighth of their power of two, so that nearly equal batches share blocks.
    private static func roundedSize(_ bytes: Int) -> Int {
        if bytes <= 4096 { return 4096 }
        let step = 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3)
        return (bytes + step - 1) / step * step
    }

    package func take(_ bytes: Int) -> (UnsafeMutableRawPointer, size: Int) {
        let size = Self.roundedSize(bytes)
        let kept: SendablePointer? = shelves.withLock { shelves in
            guard let block = shelves.blocks[size]?.popLast() else { return nil }
            shelves.bytes -= size
            return SendablePointer(block)
        }
        return (kept?.pointer ?? .allocate(byteCount: size, alignment: 64), size)
    }

    package func giveBack(_ block: UnsafeMutableRawPointer, size: Int) {
        let given = SendablePointer(block)
        let keep = shelves.withLock { shelves in
            guard shelves.bytes + size <= capacity else { return false }
            shelves.blocks[size, default: []].append(given.pointer)
            shelves.bytes += size
            return true
        }
        if !keep { block.deallocate() }
    }
}

private struct SendablePointer: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }
}

/// Uninitialized memory for the length of a call.
package enum Scratch {
    package static func with<Element: BitwiseCopyable, Result>(
        _ type: Element.Type, count: Int, _ body: (UnsafeMutablePointer<Element>) throws -> Result
    ) rethrows -> Result {
        let (block, size) = StoragePool.shared.take(max(1, count) * MemoryLayout<Element>.stride)
        defer { StoragePool.shared.giveBack(block, size: size) }
        return try body(block.bindMemory(to: Element.self, capacity: count))
    }
}

/// The elements behind a tensor: a block of its own, or a read-only view of memory that `owner` keeps alive.
package final class TensorStorage<Scalar: BitwiseCopyable>: @unchecked Sendable {
    package let elements: UnsafeMutablePointer<Scalar>
    package let count: Int
    private let blockSize: Int
    private let owner: AnyObject?

    package init(uninitializedCount count: Int) {
        let (block, size) = StoragePool.shared.take(max(1, count) * MemoryLayout<Scalar>.stride)
        elements = block.bindMemory(to: Scalar.self, capacity: count)
        blockSize = size
        owner = nil
        self.count = count
    }

    package init(viewing pointer: UnsafePointer<Scalar>, count: Int, owner: AnyObject) {
        elements = UnsafeMutablePointer(mutating: pointer)
        self.count = count
        self.owner = owner
        blockSize = 0
    }

    package var isReadOnlyView: Bool { owner != nil }

    deinit {
        if owner == nil { StoragePool.shared.giveBack(elements, size: blockSize) }
    }
}
