import FileFormats
import Foundation

/// Rewrites a model's weights: from whatever files contain them (safetensors in one piece or several, `pytorch_model.bin`) into one
/// safetensors file.
package enum ModelConversion {
    package struct Summary: Sendable, Equatable {
        package var tensors = 0
        package var parameters = 0
        /// Tensors of whole numbers, which are buffers and no weights.
        package var leftOut: [String] = []

        package init() {}
    }

    /// The weights in a module's folder as one file.
    /// - Throws: `DataError` if they cannot be read or the file cannot be written; what was there before stays.
    package static func convertWeights(in folder: URL, to path: String, precision: SafetensorsWriter.Precision) throws -> Summary {
        let source = try ModelDirectory.tensors(in: folder)
        var writer = SafetensorsWriter(), summary = Summary()
        for name in source.names {
            guard let entry = source[name] else { continue }
            guard [.f32, .f16, .bf16, .f64].contains(entry.dtype) else {
                summary.leftOut.append(name)
                continue
            }
            summary.tensors += 1
            summary.parameters += entry.count
            writer.add(name, shape: entry.shape, precision: precision) { emit in try source.floats(name).withUnsafeBufferPointer(emit) }
        }
        try writer.write(to: path)
        return summary
    }

    /// A whole model: weights of every module converted, all else copied but for weights in other formats.
    /// - Parameters:
    ///   - target: the folder, which appears when it is complete.
    ///   - replaces: whether a model that is there may go; else the folder has to be missing or empty.
    package static func convert(
        _ directory: ModelDirectory, to target: URL, precision: SafetensorsWriter.Precision, replaces: Bool = false
    ) throws -> Summary {
        let manager = FileManager.default
        func names(_ folder: URL) throws -> [String] {
            do { return try manager.contentsOfDirectory(atPath: folder.path).sorted() } catch {
                throw DataError(.noInput, "this folder cannot be read: \(error.localizedDescription)", file: folder.path)
            }
        }
        if !replaces, manager.fileExists(atPath: target.path), try !names(target).isEmpty {
            throw DataError(.cannotCreate, "this folder exists and is not empty", file: target.path)
        }
        var summary = Summary()
        func convert(_ from: URL, to: URL, depth: Int) throws {
            do { try manager.createDirectory(at: to, withIntermediateDirectories: true) } catch {
                throw DataError(.cannotCreate, "this folder cannot be created: \(error.localizedDescription)", file: to.path)
            }
            var hasWeights = false
            for name in try names(from) where !name.hasPrefix(".") {
                let item = from.appendingPathComponent(name)
                var isFolder: ObjCBool = false
                guard manager.fileExists(atPath: item.path, isDirectory: &isFolder) else { continue }
                if isFolder.boolValue {
                    // Modules lie one floor down; onnx, openvino and the like are other formats of the same weights.
                    if depth == 0, manager.fileExists(atPath: item.appendingPathComponent("config.json").path),
                        !["onnx", "openvino"].contains(name)
                    {
                        try convert(item, to: to.appendingPathComponent(name), depth: 1)
                    }
                } else if name.hasSuffix(".safetensors") || name.hasPrefix("pytorch_model") || name == "model.safetensors.index.json" {
                    hasWeights = true
                } else if ![".bin", ".h5", ".msgpack", ".onnx", ".ot", ".gguf"].contains(where: name.hasSuffix) {
                    try copy(item, to: to.appendingPathComponent(name))
                }
            }
            guard hasWeights else { return }
            let part = try convertWeights(in: from, to: to.appendingPathComponent("model.safetensors").path, precision: precision)
            summary.tensors += part.tensors
            summary.parameters += part.parameters
            summary.leftOut += part.leftOut
        }
        try AtomicFolder.write(to: target.path, isOwn: ModelDirectory.isModelFile) {
            try convert(directory.folder, to: URL(fileURLWithPath: $0, isDirectory: true), depth: 0)
        }
        return summary
    }

    private static func copy(_ from: URL, to: URL) throws {
        let file = try MappedFile(path: from.resolvingSymlinksInPath().path)
        try AtomicFile.write(to: to.path) { output in try file.withUnsafeBytes { try output.write($0) } }
    }
}
