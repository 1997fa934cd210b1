import Foundation
import TestTools
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A real browser without a window, driven over its debugging pipe (Chrome DevTools Protocol).
final class Chromium {
    struct Failure: Error, CustomStringConvertible { var description: String }

    private let process: pid_t
    private let input: Int32
    private let output: Int32
    private let profile: URL
    private var received: [UInt8] = []
    private var nextID = 1
    private var session: String?
    /// Errors that the page wrote to its console, and exceptions nobody caught.
    private(set) var errors: [String] = []
    private var events: [String] = []

    init(arguments: [String] = [], width: Int = 1200, height: Int = 800) throws {
        let path = try TestTool.chromium.required()
        profile = FileManager.default.temporaryDirectory.appendingPathComponent("kotonoha-chromium-\(UUID().uuidString)")
        func pipe() throws -> (read: Int32, write: Int32) {
            var ends: [Int32] = [0, 0]
            guard Glibc.pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
            // Away from 3 and 4, which the browser expects.
            let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 20) }
            ends.forEach { close($0) }
            return (moved[0], moved[1])
        }
        let (toBrowser, fromBrowser) = (try pipe(), try pipe())
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toBrowser.read, 3)
        posix_spawn_file_actions_adddup2(&actions, fromBrowser.write, 4)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let all =
            [
                path, "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run", "--enable-unsafe-swiftshader",
                "--disable-extensions",
                "--disable-background-networking", "--hide-scrollbars", "--force-prefers-reduced-motion",
                "--window-size=\(width),\(height)",
                "--user-data-dir=\(profile.path)",
            ] + arguments + ["about:blank"]
        var pointers = all.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, path, &actions, nil, &pointers, environ)
        posix_spawn_file_actions_destroy(&actions)
        close(toBrowser.read)
        close(fromBrowser.write)
        guard status == 0 else { throw Failure(description: "the browser did not start") }
        (process, input, output) = (child, toBrowser.write, fromBrowser.read)

        let target = try send("Target.createTarget", ["url": "about:blank"])
        let attached = try send("Target.attachToTarget", ["targetId": target["targetId"] ?? "", "flatten": true])
        session = attached["sessionId"] as? String
        for domain in ["Page", "Runtime", "Log"] { try send("\(domain).enable") }
        try send("Emulation.setDeviceMetricsOverride", ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false])
    }

    deinit {
        close(input)
        close(output)
        kill(process, SIGTERM)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        try? FileManager.default.removeItem(at: profile)
    }

    // MARK: What a user does

    func open(_ file: URL) throws {
        events = []
        try send("Page.navigate", ["url": file.absoluteString])
        try wait(for: "Page.loadEventFired")
    }

    /// The value of an expression, awaited where it is a promise.
    @discardableResult
    func evaluate(_ expression: String) throws -> Any? {
        let answer = try send("Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        if let exception = answer["exceptionDetails"] { throw Failure(description: "\(expression): \(exception)") }
        return (answer["result"] as? [String: Any])?["value"]
    }

    func mouse(_ type: String, _ x: Double, _ y: Double, button: String = "none", shift: Bool = false, wheel: Double = 0) throws {
        var parameters: [String: Any] = ["type": type, "x": x, "y": y, "button": button, "modifiers": shift ? 8 : 0]
        if type == "mouseWheel" {
            parameters["deltaX"] = 0
            parameters["deltaY"] = wheel
        }
        if button != "none" {
            parameters["clickCount"] = 1
            parameters["buttons"] = type == "mouseReleased" ? 0 : 1
        }
        try send("Input.dispatchMouseEvent", parameters)
    }

    func click(_ x: Double, _ y: Double) throws {
        try mouse("mouseMoved", x, y)
        try mouse("mousePressed", x, y, button: "left")
        try mouse("mouseReleased", x, y, button: "left")
    }

    func drag(_ path: [(Double, Double)], shift: Bool = false) throws {
        try mouse("mousePressed", path[0].0, path[0].1, button: "left", shift: shift)
        for (x, y) in path.dropFirst() { try mouse("mouseMoved", x, y, button: "left", shift: shift) }
        try mouse("mouseReleased", path[path.count - 1].0, path[path.count - 1].1, button: "left", shift: shift)
    }

    func key(_ key: String, shift: Bool = false) throws {
        for type in ["keyDown", "keyUp"] {
            try send("Input.dispatchKeyEvent", ["type": type, "key": key, "code": key, "modifiers": shift ? 8 : 0])
        }
    }

    func type(_ text: String) throws { try send("Input.insertText", ["text": text]) }

    func pause(_ seconds: Double) throws { try evaluate("new Promise(r => setTimeout(r, \(seconds * 1000)))") }

    func screenshot() throws -> Data {
        let answer = try send("Page.captureScreenshot", ["format": "png"])
        return Data(base64Encoded: answer["data"] as? String ?? "") ?? Data()
    }

    // MARK: The protocol

    @discardableResult
    func send(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        let id = nextID
        nextID += 1
        var message: [String: Any] = ["id": id, "method": method, "params": parameters]
        if let session { message["sessionId"] = session }
        let bytes = Array(try JSONSerialization.data(withJSONObject: message)) + [0]
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { write(input, $0.baseAddress! + done, bytes.count - done) }
            guard written > 0 else { throw Failure(description: "the browser hung up") }
            done += written
        }
        while true {
            let answer = try receive()
            guard answer["id"] as? Int == id else { continue }
            if let error = answer["error"] { throw Failure(description: "\(method): \(error)") }
            return answer["result"] as? [String: Any] ?? [:]
        }
    }

    private func wait(for event: String) throws {
        while !events.contains(event) { _ = try receive() }
    }

    private func receive() throws -> [String: Any] {
        while true {
            if let end = received.firstIndex(of: 0) {
                let data = Data(received[..<end])
                received.removeSubrange(...end)
                guard let message = try JSONSerialization.jsonObject(with: data) as? [String: Any] else { continue }
                note(message)
                return message
            }
            var ready = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 120_000) > 0 else { throw Failure(description: "the browser does not answer") }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { throw Failure(description: "the browser ended") }
            received += buffer[..<count]
        }
    }

    private func note(_ message: [String: Any]) {
        guard let method = message["method"] as? String else { return }
        events.append(method)
        let parameters = message["params"] as? [String: Any] ?? [:]
        switch method {
        case "Runtime.exceptionThrown": errors.append("\(parameters)")
        case "Runtime.consoleAPICalled" where parameters["type"] as? String == "error": errors.append("\(parameters)")
        case "Log.entryAdded":
            let entry = parameters["entry"] as? [String: Any] ?? [:]
            if entry["level"] as? String == "error" { errors.append("\(entry)") }
        default: break
        }
    }
}
