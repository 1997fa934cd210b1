import Foundation
import TestTools

/// A hub of our own on this machine, in Python; nil where there is no python3.
public final class LocalHub {
    /// For `HF_ENDPOINT`.
    public let address: String
    let folder: URL
    private let process = Process()
    private let portFile: String

    public init?(serving model: URL) throws {
        folder = try TestFolder.make("hub")
        portFile = folder.appending(path: "port").path
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "hub.py").path
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script, model.path, portFile]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        for _ in 0..<600 {
            if let port = try? String(contentsOfFile: portFile, encoding: .utf8), !port.isEmpty {
                address = "http://127.0.0.1:\(port)"
                return
            }
            guard process.isRunning else { return nil }
            usleep(50_000)
        }
        Self.stop(process)
        return nil
    }

    // Not `terminate`: tests run on threads that block SIGTERM, and a child process inherits that.
    private static func stop(_ process: Process) {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    deinit {
        Self.stop(process)
        try? FileManager.default.removeItem(at: folder)
    }

    /// What was asked for, a line each.
    public var requests: [String] {
        ((try? String(contentsOfFile: portFile + ".log", encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }
    /// Everything in this hub's folder that is neither its own nor the cache's.
    public var filesOutsideOfCache: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !["cache", "port", "port.log"].contains($0) }
    }
    /// A place for a cache.
    public var cache: URL { folder.appending(path: "cache") }
}
