import FileFormats
import Foundation

/// Where files leave this room.
enum Output {
    static func write(_ bytes: [UInt8], to file: URL) throws {
        do {
            try Data(bytes).write(to: file, options: .atomic)
        } catch {
            throw DataError(.cannotCreate, "cannot be written: \(error.localizedDescription)", file: file.relativePath)
        }
    }
}
