import FileFormats
import Networks
import Tensors

/// A file of tensors as an archive of weights: Float tensors are views of the file where it is mapped, halves are widened.
package struct SafetensorsArchive: WeightArchive {
    private let source: any TensorSource

    package init(_ source: any TensorSource) { self.source = source }

    package var fileName: String { source.path }
    package var names: [String] { source.names }
    package func shape(of name: String) -> [Int]? { source[name]?.shape }

    package func tensor(_ name: String) throws -> Tensor<Float> {
        guard let entry = source[name] else { throw DataError(.badData, "no tensor '\(name)'", file: fileName) }
        let view: Tensor<Float>? = try source.withBytes(of: name) { bytes in
            guard source.isMapped, entry.dtype == .f32, let base = bytes.baseAddress,
                Int(bitPattern: base) % MemoryLayout<Float>.alignment == 0
            else { return nil }
            return Tensor(viewing: base.assumingMemoryBound(to: Float.self), shape: entry.shape, owner: Owner(source: source))
        }
        if let view { return view }
        return try Tensor(filling: entry.shape) { try source.read(name, into: $0) }
    }

    package var isLasting: Bool { source.isMapped }

    package func rowReader(_ name: String) -> (@Sendable (Range<Int>) throws -> Tensor<Float>)? {
        guard let entry = source[name], source.isMapped, [.f16, .bf16].contains(entry.dtype), entry.shape.count == 2 else { return nil }
        return { [source] rows in try Tensor(filling: [rows.count, entry.shape[1]]) { try source.read(name, rows: rows, into: $0) } }
    }

    package func integers(_ name: String) throws -> [Int] { try source.integers(name) }

    /// Keeps the mapping alive as long as a view of it.
    private final class Owner: Sendable {
        let source: any TensorSource
        init(source: any TensorSource) { self.source = source }
    }
}
