import CCurl
import FileFormats
import Foundation

/// One HTTP request through libcurl, answered on the calling thread.
package struct HTTPRequest {
    package var url: String
    package var headers: [(name: String, value: String)] = []
    /// Ask for the headers only.
    package var isHead = false
    /// What is posted; nil for a GET.
    package var body: [UInt8]?
    /// Ask over this Unix socket; the URL's host is a name only.
    package var socket: String?
    /// Follow redirects. The `Authorization` header is only sent to the first host.
    package var followsRedirections = false
    /// How long all of it may take.
    package var timeLimit = Duration.seconds(60)

    /// What came before the body.
    package struct Response {
        package var status = 0
        /// By lower-case name, of the last answer in a chain of redirections.
        package var headers: [String: String] = [:]
    }

    package init(
        url: String, headers: [(name: String, value: String)] = [], isHead: Bool = false, followsRedirections: Bool = false,
        timeLimit: Duration = .seconds(60)
    ) {
        (self.url, self.headers, self.isHead, self.followsRedirections, self.timeLimit) = (
            url, headers, isHead, followsRedirections, timeLimit
        )
    }

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// - Parameter receive: called with the status and headers, then with each piece of the body. What it throws ends the transfer.
    /// - Throws: `DataError` of kind `unavailable` if the server cannot be reached or the transfer breaks off; what `receive` throws.
    package func perform(_ receive: @escaping (Response, UnsafeRawBufferPointer) throws -> Void = { _, _ in }) throws -> Response {
        guard Self.isReady, let curl = curl_easy_init() else { throw DataError(.unavailable, "libcurl could not be started", file: url) }
        defer { curl_easy_cleanup(curl) }
        var list: UnsafeMutablePointer<curl_slist>?
        for header in headers { list = curl_slist_append(list, "\(header.name): \(header.value)") }
        defer { curl_slist_free_all(list) }

        let exchange = Exchange(receive)
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        _ = kc_set_text(curl, CURLOPT_URL, url)
        _ = kc_set_text(curl, CURLOPT_USERAGENT, "kotonoha")
        // Ranges and sizes are of the file itself.
        _ = kc_set_text(curl, CURLOPT_ACCEPT_ENCODING, nil)
        _ = kc_set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        // Never from the web into files, nor from an encrypted connection to an open one.
        _ = kc_set_text(curl, CURLOPT_REDIR_PROTOCOLS_STR, url.hasPrefix("https:") ? "https" : "http,https")
        _ = kc_set_long(curl, CURLOPT_TIMEOUT_MS, Int(clamping: Int64(timeLimit / .milliseconds(1))))
        _ = kc_set_list(curl, CURLOPT_HTTPHEADER, list)
        _ = kc_set_long(curl, CURLOPT_NOBODY, isHead ? 1 : 0)
        if let socket { _ = kc_set_text(curl, CURLOPT_UNIX_SOCKET_PATH, socket) }
        if let body {
            _ = kc_set_long(curl, CURLOPT_POST, 1)
            _ = kc_set_long(curl, CURLOPT_POSTFIELDSIZE, body.count)
            // Copied by libcurl.
            body.withUnsafeBytes { _ = kc_set_pointer(curl, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: $0.baseAddress)) }
        }
        _ = kc_set_long(curl, CURLOPT_FOLLOWLOCATION, followsRedirections ? 1 : 0)
        _ = kc_set_long(curl, CURLOPT_MAXREDIRS, 10)
        _ = kc_set_long(curl, CURLOPT_NOSIGNAL, 1)
        _ = kc_set_long(curl, CURLOPT_CONNECTTIMEOUT, 30)
        // A connection that brings less than a byte a second for a minute is dead.
        _ = kc_set_long(curl, CURLOPT_LOW_SPEED_LIMIT, 1)
        _ = kc_set_long(curl, CURLOPT_LOW_SPEED_TIME, 60)
        _ = kc_set_receiver(curl, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let data, let context else { return 0 }
            let taken = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().header(
                UnsafeRawBufferPointer(start: data, count: size * count))
            return taken ? size * count : 0
        }
        _ = kc_set_pointer(curl, CURLOPT_HEADERDATA, context)
        _ = kc_set_receiver(curl, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let data, let context else { return 0 }
            let taken = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().body(
                UnsafeRawBufferPointer(start: data, count: size * count))
            return taken ? size * count : 0
        }
        _ = kc_set_pointer(curl, CURLOPT_WRITEDATA, context)

        let result = withExtendedLifetime(exchange) { curl_easy_perform(curl) }
        if let failure = exchange.failure { throw failure }
        guard result != CURLE_OPERATION_TIMEDOUT else {
            throw DataError(
                .unavailable,
                "the transfer stalled or took longer than \(timeLimit.components.seconds) seconds; run it again "
                    + "to resume", file: url)
        }
        guard result == CURLE_OK else {
            throw DataError(.unavailable, "the transfer failed: \(String(cString: curl_easy_strerror(result)))", file: url)
        }
        return exchange.response
    }

    /// What the callbacks share; they run within `curl_easy_perform`, on its thread.
    private final class Exchange {
        private(set) var response = Response()
        private(set) var failure: (any Error)?
        private let receive: (Response, UnsafeRawBufferPointer) throws -> Void
        private var headerBytes = 0

        /// Headers of a whole chain of redirections.
        private static let headerLimit = 1 << 18

        init(_ receive: @escaping (Response, UnsafeRawBufferPointer) throws -> Void) { self.receive = receive }

        func header(_ bytes: UnsafeRawBufferPointer) -> Bool {
            headerBytes += bytes.count
            guard headerBytes <= Self.headerLimit else {
                failure = DataError(.unavailable, "the server's headers are too long")
                return false
            }
            let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if line.hasPrefix("HTTP/") {
                response = Response(status: line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
            } else if let colon = line.firstIndex(of: ":") {
                response.headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
            return true
        }

        func body(_ bytes: UnsafeRawBufferPointer) -> Bool {
            do {
                try receive(response, bytes)
                return true
            } catch {
                failure = error
                return false
            }
        }
    }
}
