import FileFormats
import Foundation

/// Where files leave this room: complete, or not at all.
enum Output {
    static func write(_ bytes: [UInt8], to file: URL) throws {
        try AtomicFile.write(to: file.relativePath) { try $0.write(bytes) }
    }
}
