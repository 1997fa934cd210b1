import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tensors

/// The whole state of a training run at one step: tensors by name, and a few words about them.
///
/// Two files take turns, each replaced by rename when it is complete: whatever happens while one is written (a full disk, a kill, a power
/// cut), the other one is there.
public struct Checkpoint {
    /// Steps taken.
    package var step: Int
    /// Everything that is not a tensor.
    package var state: JSON
    package var tensors: [(name: String, tensor: Tensor<Float>)]

    /// The state of a training run after `step` steps.
    package init(step: Int, state: JSON, tensors: [(name: String, tensor: Tensor<Float>)]) {
        self.step = step
        self.state = state
        self.tensors = tensors
    }

    private static let names = ["checkpoint-a.safetensors", "checkpoint-b.safetensors"]
    static let format = "kotonoha/checkpoint"

    /// Writes over the older of the two files.
    ///
    /// - Returns: the file's path.
    /// - Throws: `DataError` if the disk is full or the folder not writable; the newer file is then untouched.
    @discardableResult
    package func write(to folder: URL) throws -> String {
        let steps = Self.names.map { Self.step(in: folder.appendingPathComponent($0).path) ?? -1 }
        // A file of this very step comes from the same run before it was interrupted.
        let target = steps.firstIndex(of: step) ?? (steps[0] <= steps[1] ? 0 : 1)
        let path = folder.appendingPathComponent(Self.names[target]).path
        var writer = SafetensorsWriter(metadata: [
            ("format", Self.format), ("step", String(step)), ("state", state.serialized()),
        ])
        for (name, tensor) in tensors {
            writer.add(name, shape: tensor.shape) { emit in
                try tensor.withUnsafeElements { try emit(UnsafeBufferPointer(start: $0, count: tensor.count)) }
            }
        }
        try writer.write(to: path)
        return path
    }

    /// The step of a complete checkpoint file, nil if it is missing or damaged.
    private static func step(in path: String) -> Int? {
        guard let file = try? SafetensorsFile(path: path) else { return nil }
        let metadata = Dictionary(file.header.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        guard metadata["format"] == format else { return nil }
        return metadata["step"].flatMap(Int.init)
    }

    /// Forgets the checkpoints and best weights in a folder.
    public static func removeAll(in folder: URL) throws {
        for name in names + ["best.safetensors"] {
            let file = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: file.path) else { continue }
            do { try FileManager.default.removeItem(at: file) } catch {
                throw DataError(.cannotCreate, "an old checkpoint cannot be removed: \(error.localizedDescription)", file: file.path)
            }
        }
    }

    /// The newest complete checkpoint in a folder, nil if there are none.
    public static func newest(in folder: URL) throws -> StoredCheckpoint? {
        let found = names.map { folder.appendingPathComponent($0).path }.compactMap { path in step(in: path).map { (path, $0) } }
        guard let newest = found.max(by: { $0.1 < $1.1 }) else { return nil }
        return try StoredCheckpoint(path: newest.0)
    }
}

/// A checkpoint on disk.
public struct StoredCheckpoint {
    /// The file's path.
    package let path: String
    /// Steps taken.
    public let step: Int
    package let state: JSON
    private let archive: SafetensorsArchive

    init(path: String) throws {
        self.path = path
        let file = try SafetensorsFile(path: path)
        let metadata = Dictionary(file.header.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        guard metadata["format"] == Checkpoint.format, let step = metadata["step"].flatMap(Int.init), let state = metadata["state"] else {
            throw DataError(.badData, "not a training checkpoint of kotonoha", file: path)
        }
        self.step = step
        self.state = try JSON(parsing: state, file: path)
        archive = SafetensorsArchive(file)
    }

    /// A tensor of a known shape, in memory of its own.
    ///
    /// - Throws: `DataError` if it is missing or of another shape: the checkpoint belongs to another architecture.
    package func tensor(_ name: String, shape: [Int]) throws -> Tensor<Float> {
        guard let found = archive.shape(of: name) else {
            throw DataError(
                .badData,
                "the checkpoint has no tensor '\(name)'; it was written with another architecture or "
                    + "optimizer", file: path)
        }
        guard found == shape else {
            throw DataError(
                .badData,
                "tensor '\(name)' has shape \(found), but this configuration expects \(shape); the checkpoint is "
                    + "from another architecture", file: path)
        }
        // A copy: the file may be replaced while the run goes on.
        let mapped = try archive.tensor(name)
        var own = Tensor<Float>(uninitialized: shape)
        Float.copy(mapped.view, into: &own.target)
        return own
    }
}
