import Foundation

/// A program of others that some tests need; `tools/test` installs them all.
public enum TestTool: String, Sendable, CaseIterable {
    case python3, h5dump, pdffonts, pdfinfo, pdftoppm, pdftotext, chromium
    /// Python with the module h5py; Debian's own Python, as modules belong to one.
    case h5py

    /// Where it is, nil where it is not installed.
    public var path: String? {
        func isThere(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }
        switch self {
        case .h5py: return isThere("/usr/bin/python3") && Self.hasH5py ? "/usr/bin/python3" : nil
        case .chromium:
            let names = ["chromium", "chromium-browser", "google-chrome"]
            return names.flatMap { ["/usr/bin/" + $0, "/usr/local/bin/" + $0] }.first(where: isThere)
        default: return ["/usr/bin/" + rawValue, "/usr/local/bin/" + rawValue].first(where: isThere)
        }
    }

    private static let hasH5py: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", "import h5py"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Whether tests that need it are run: elsewhere they are shown as skipped. In continuous integration (`CI=true`) they are run, and
    /// fail where it is missing.
    public var isExpected: Bool { path != nil || Self.isContinuousIntegration }

    public static var isContinuousIntegration: Bool { ["true", "1"].contains(ProcessInfo.processInfo.environment["CI"] ?? "") }

    public struct Missing: Error, CustomStringConvertible { public var description: String }

    /// Where it is.
    public func required() throws -> String {
        guard let path else { throw Missing(description: "\(rawValue) is not installed; tools/test installs it") }
        return path
    }
}

/// Data beside the checkout that may not be copied into it. Its absence alone may skip a test, in continuous integration too.
public enum SharedData {
    /// A file of `../shared/data`, nil where it is absent.
    public static func path(_ name: String) -> String? {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("../shared/data/" + name).standardized.path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}

/// Folders for tests, all within one that is gone when the tests end.
public enum TestFolder {
    private static let root: URL = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "kotonoha-tests-\(ProcessInfo.processInfo.processIdentifier)")
        atexit { TestFolder.remove() }
        return folder
    }()

    private static func remove() { try? FileManager.default.removeItem(at: root) }

    /// A name in it that is free.
    public static func name(_ prefix: String) throws -> URL {
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        return root.appendingPathComponent("\(prefix)-\(UUID().uuidString)")
    }

    /// A new folder.
    public static func make(_ prefix: String) throws -> URL {
        let folder = try name(prefix)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
