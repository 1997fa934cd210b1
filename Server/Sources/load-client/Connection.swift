import Foundation
import Glibc

/// One connection that stays open from request to request, read and written by one thread.
final class Connection {
    enum Target: Sendable {
        case port(String, Int)
        case socket(String)
    }

    private let target: Target
    private var descriptor: Int32 = -1
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(_ target: Target) { self.target = target }
    deinit { close() }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    struct Reply {
        var status: Int
        var body: [UInt8]
        var closes: Bool
    }

    /// Sends a request and reads the answer; nil where the connection broke. `began` tells whether a byte of the answer had come by then.
    func ask(_ request: [UInt8], began: inout Bool) -> Reply? {
        began = false
        if descriptor < 0, !connect() { return nil }
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes { send(descriptor, $0.baseAddress! + sent, request.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else {
                close()
                return nil
            }
            sent += count
        }
        var received: [UInt8] = [], head: (status: Int, length: Int, start: Int, closes: Bool)?
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else {
                close()
                return nil
            }
            began = true
            received += buffer[..<count]
            if head == nil { head = Self.head(received) }
            if let head, received.count >= head.start + head.length {
                if head.closes { close() }
                return Reply(status: head.status, body: Array(received[head.start..<head.start + head.length]), closes: head.closes)
            }
        }
    }

    private static func head(_ bytes: [UInt8]) -> (Int, Int, Int, Bool)? {
        guard bytes.count > 16,
            let end = bytes.indices.dropLast(3).first(where: {
                bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
            })
        else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).lowercased().split(separator: "\r\n")
        let status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
        let length =
            lines.first { $0.hasPrefix("content-length:") }.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        return (status, length, end + 4, lines.contains { $0.hasPrefix("connection:") && $0.contains("close") })
    }

    private func connect() -> Bool {
        switch target {
        case .port(let host, let port):
            descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            inet_pton(AF_INET, host, &address.sin_addr)
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else {
                close()
                return false
            }
        case .socket(let path):
            descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { room in room.copyBytes(from: path.utf8.prefix(room.count - 1)) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard result == 0 else {
                close()
                return false
            }
        }
        return true
    }
}
