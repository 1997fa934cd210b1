import FileFormats
import Foundation
import Testing

/// A folder that is gone with the test.
final class Scratch {
    let folder: String

    init() {
        folder = NSTemporaryDirectory() + "/words-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }
    func write(_ bytes: [UInt8], _ name: String = "input") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }
    func write(_ text: String, _ name: String = "input") throws -> String { try write(Array(text.utf8), name) }
    var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() }
}

func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// The data beside the checkout; tests that need it are shown as skipped where it is absent.
let sharedFolder: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let path = root.appendingPathComponent("../shared/data").standardized.path
    return FileManager.default.fileExists(atPath: path + "/words") ? path : nil
}()
let hasSharedData = sharedFolder != nil
func shared(_ name: String) throws -> String { try #require(sharedFolder) + "/" + name }

/// The error that `body` throws.
func failure(_ body: () throws -> Void) throws -> DataError {
    do { try body() } catch let error as DataError { return error }
    throw DataError(.badData, "nothing was thrown")
}

func littleEndian(_ values: [Float]) -> [UInt8] { values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) } }
