import FileFormats
import Foundation
import Tensors

/// An interrupted training run on the disk: both matrices, where to go on, and what the run was.
///
/// One file, `OUTPUT.partial`: eight letters, the length of a JSON header, the header, then the rows of both matrices as they lie in
/// memory.
package enum WordCheckpoint {
    private static let magic = Array("KTWORDS1".utf8)

    package static func path(for output: String) -> String { output + ".partial" }
    package static func exists(for output: String) -> Bool { FileManager.default.fileExists(atPath: path(for: output)) }
    package static func remove(for output: String) throws {
        if exists(for: output) { try FileManager.default.removeItem(atPath: path(for: output)) }
    }

    /// Everything that must be the same for a run to go on.
    static func fingerprint(_ trainer: WordTrainer, isHogwild: Bool) -> [(key: String, value: JSON)] {
        trainer.options.facts + [
            ("seed", .string(String(trainer.options.seed))), ("text_sha256", .string(trainer.text.sha256)),
            ("words", .integer(trainer.text.vocabulary.count)),
            ("hogwild", .bool(isHogwild)), ("stride", .integer(trainer.input.stride)),
        ]
    }

    /// Writes the state, in the place of an earlier one.
    /// - Throws: `DataError` if the disk is full.
    package static func save(_ trainer: WordTrainer, for output: String, isHogwild: Bool) throws {
        let header = JSON.object(
            fingerprint(trainer, isHogwild: isHogwild) + [
                ("epoch", .integer(trainer.position.epoch)), ("chunk", .integer(trainer.position.chunk)),
            ]
        ).serialized()
        try AtomicFile.write(to: path(for: output)) { file in
            try file.write(magic)
            try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { try file.write($0) }
            try file.write(header)
            try file.write(UnsafeRawBufferPointer(trainer.input.bytes))
            try file.write(UnsafeRawBufferPointer(trainer.output.bytes))
        }
    }

    /// Puts a trainer where the interrupted run stopped.
    /// - Throws: `DataError` if it is missing or damaged, or belongs to another text or other settings (which one is named).
    package static func resume(_ trainer: WordTrainer, for output: String, isHogwild: Bool) throws {
        let path = path(for: output)
        func damaged() -> DataError { DataError(.badData, "the interrupted run is damaged; delete this file and start over", file: path) }
        let file = try MappedFile(path: path)
        try file.withUnsafeBytes { bytes in
            guard bytes.count >= 16, bytes.starts(with: magic) else { throw damaged() }
            let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            guard length <= UInt64(min(bytes.count - 16, 1 << 20)) else { throw damaged() }
            let header = try JSON(parsing: String(decoding: bytes[16..<16 + Int(length)], as: UTF8.self), file: path)
            for (key, value) in fingerprint(trainer, isHogwild: isHogwild) where header[key]?.serialized() != value.serialized() {
                throw DataError(
                    .usage,
                    "the interrupted run had \(key) \(header[key]?.serialized() ?? "unknown"), this one has \(value.serialized()); "
                        + "give the same text and options, or leave out \(Setting.resume)", file: path)
            }
            guard let epoch = header["epoch"]?.int, let chunk = header["chunk"]?.int,
                trainer.canBegin(at: .init(epoch: epoch, chunk: chunk)),
                bytes.count == 16 + Int(length) + trainer.input.bytes.count + trainer.output.bytes.count
            else { throw damaged() }
            let start = 16 + Int(length)
            trainer.input.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + trainer.input.bytes.count]))
            trainer.output.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[(start + trainer.input.bytes.count)...]))
            trainer.begin(at: .init(epoch: epoch, chunk: chunk))
        }
    }
}
