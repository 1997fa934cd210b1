import FileFormats
import Foundation
import ModelFolders
import Synchronization

/// The encoder of a running `kotonoha serve`, asked over its Unix socket: no model is loaded here, and vectors are the same to the bit.
package final class RemoteEncoder: TextEncoder {
    package let name: String
    package let dimension: Int
    package let isNormalized: Bool
    package let poolingName: String
    package let precisionName: String
    package let maxLength: Int
    package let prompt: String
    private let sha256: String
    private let socket: String

    /// Texts of one request; a server takes up to 2,048.
    private static let portion = 512

    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - socket: the path that the server's `--socket` gives.
    ///   - isWanted: which of the server's models; the first one that fits is taken.
    /// - Returns: nil where the server has no model that fits.
    /// - Throws: `DataError` of kind `unavailable` where nobody answers.
    package init?(socket: String, where isWanted: (Description) -> Bool) throws {
        let info = try Self.ask(socket, path: "/info", body: nil)
        let found = (info["models"]?.array ?? []).compactMap(Description.init).first(where: isWanted)
        guard let found else { return nil }
        self.socket = socket
        (name, sha256, dimension, isNormalized) = (found.id, found.sha256, found.dimension, found.isNormalized)
        (poolingName, precisionName, maxLength, prompt) = (found.pooling, found.precision, found.maxLength, found.prompt)
    }

    /// What a server says of one of its models.
    package struct Description: Sendable {
        package let id: String
        package let sha256: String
        package let dimension: Int
        package let maxLength: Int
        package let pooling: String
        package let isNormalized: Bool
        package let precision: String
        package let prompt: String

        init?(_ json: JSON) {
            guard json["kind"]?.string == "embedding", let id = json["id"]?.string, let sha256 = json["sha256"]?.string,
                let dimension = json["dimension"]?.int, dimension > 0,
                let maxLength = json["max_length"]?.int, let pooling = json["pooling"]?.string, let isNormalized = json["normalized"]?.bool,
                let precision = json["precision"]?.string, let prompt = json["prompt"]?.string
            else { return nil }
            (self.id, self.sha256, self.dimension, self.maxLength) = (id, sha256, dimension, maxLength)
            (self.pooling, self.isNormalized, self.precision, self.prompt) = (pooling, isNormalized, precision, prompt)
        }

        /// Whether the model computes as these options ask.
        package func fits(_ options: SentenceEncoder.Options) -> Bool {
            precision == options.precision.rawValue && (options.maxLength ?? maxLength) == maxLength && (options.prompt ?? prompt) == prompt
                && options.promptName == nil
                && options.truncatedDimension == nil && (isNormalized || !options.normalizes)
        }
    }

    package func identity() -> String { sha256 }

    package func encode(_ texts: [String], into vectors: UnsafeMutableBufferPointer<Float>) throws -> SentenceEncoder.Counts {
        precondition(vectors.count == texts.count * dimension)
        var counts = SentenceEncoder.Counts()
        for start in stride(from: 0, to: texts.count, by: Self.portion) {
            let part = texts[start..<min(texts.count, start + Self.portion)]
            let answer = try Self.ask(
                socket, path: "/v1/embeddings",
                body: .object([
                    ("model", .string(name)), ("encoding_format", .string("base64")), ("truncate", .bool(true)),
                    ("input", .array(part.map(JSON.string))),
                ]))
            let rows = answer["data"]?.array ?? []
            guard rows.count == part.count else {
                throw DataError(.unavailable, "the server sent \(rows.count) vectors for \(part.count) texts", file: socket)
            }
            for (place, row) in rows.enumerated() {
                guard let text = row["embedding"]?.string, let bytes = Data(base64Encoded: text),
                    bytes.count == dimension * MemoryLayout<Float>.size
                else {
                    throw DataError(.unavailable, "the server did not send vectors of \(dimension) numbers", file: socket)
                }
                bytes.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: vectors[(start + place) * dimension..<(start + place + 1) * dimension])
                    ).copyMemory(from: $0)
                }
            }
            counts.sentences += part.count
            counts.tokens += answer["usage"]?["prompt_tokens"]?.int ?? 0
            counts.truncated += answer["truncated"]?.array?.count ?? 0
        }
        return counts
    }

    /// Asks until the server has room.
    private static func ask(_ socket: String, path: String, body: JSON?) throws -> JSON {
        for _ in 0..<100 {
            var request = HTTPRequest(url: "http://localhost" + path)
            request.socket = socket
            request.timeLimit = .seconds(600)
            if let body {
                var bytes: [UInt8] = []
                body.write(to: &bytes)
                request.body = bytes
                request.headers = [("Content-Type", "application/json"), ("Expect", "")]
            }
            let received = Mutex<[UInt8]>([])
            let response: HTTPRequest.Response
            do { response = try request.perform { _, bytes in received.withLock { $0.append(contentsOf: bytes) } } } catch var error
                as DataError
            {
                // The address is always this machine; the socket is what can be wrong.
                error.file = socket
                throw error
            }
            let json = try received.withLock { bytes in try bytes.withUnsafeBytes { try JSON(parsing: $0, file: socket) } }
            if response.status == 200 { return json }
            guard response.status == 429 else {
                throw DataError(
                    .unavailable, "the server answers: \(json["error"]?["message"]?.string ?? "status \(response.status)")", file: socket)
            }
            Thread.sleep(forTimeInterval: Double(response.headers["retry-after"] ?? "") ?? 1)
        }
        throw DataError(.unavailable, "the server is too busy", file: socket)
    }
}
