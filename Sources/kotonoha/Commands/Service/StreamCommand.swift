import ArgumentParser
import FileFormats
import Glibc
import SentenceEmbedding
import VectorStore

/// Not for people: another program (the Python package) starts it, writes texts to its standard input and reads vectors from its standard output, for as long
/// as it likes. All numbers are little-endian.
///
/// - At the start it writes `KTN1`, a `UInt32` length and so many bytes of JSON: `version`, `model`, `dimension`, `max_length`, `normalized`.
/// - A request is a `UInt32` count of texts, then for each text a `UInt32` length and its UTF-8.
/// - An answer is `UInt32` 0, `UInt32` rows, `UInt32` dimension, then the vectors, row-major in `Float`; or the exit status that the same error gives any other
///   command (`UInt32`, not 0), a `UInt32` length and the message, after which the next request may follow.
///
/// Rows are those of `embed`: a text of white space, or of unknown words, has zeros. Standard input's end ends it.
struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "internal-stream", shouldDisplay: false)

    @OptionGroup var model: ModelOptions

    /// More texts or bytes than these in one request are a mistake of the other side, not a wish.
    private static let mostTexts = 1 << 20, mostBytes = 1 << 30

    func run() throws {
        let encoder = try model.textEncoder(isQuiet: true) { _ in
            throw DataError(.usage, "idf and sif weights need the whole text in advance; mean does not")
        }
        let facts = JSON.object([
            ("version", .string(KotonohaProgram.version)), ("model", .string(encoder.name)), ("dimension", .integer(encoder.dimension)),
            ("max_length", .integer(encoder.maxLength)), ("normalized", .bool(encoder.isNormalized)),
        ]).serialized()
        try StandardStreams.write("KTN1")
        try send(facts)
        var input = Input()
        while let texts = try input.request() {
            do {
                let vectors = try vectors(of: texts, by: encoder)
                try send([0, UInt32(texts.count), UInt32(encoder.dimension)])
                try vectors.withUnsafeBytes { try StandardStreams.write($0) }
            } catch let error as DataError where error.kind != .inputOutput {
                try send([UInt32(error.kind.rawValue)])
                try send("\(error)")
            }
        }
    }

    private func vectors(of texts: [String], by encoder: any TextEncoder) throws -> [Float] {
        let filled = texts.indices.filter { !texts[$0].allSatisfy(\.isWhitespace) }, dimension = encoder.dimension
        var vectors = [Float](repeating: 0, count: texts.count * dimension)
        if filled.count == texts.count {
            try vectors.withUnsafeMutableBufferPointer { _ = try encoder.encode(texts, into: $0) }
            return vectors
        }
        var found = [Float](repeating: 0, count: filled.count * dimension)
        try found.withUnsafeMutableBufferPointer { _ = try encoder.encode(filled.map { texts[$0] }, into: $0) }
        for (from, to) in filled.enumerated() {
            vectors.replaceSubrange(to * dimension..<(to + 1) * dimension, with: found[from * dimension..<(from + 1) * dimension])
        }
        return vectors
    }

    private func send(_ numbers: [UInt32]) throws { try numbers.map(\.littleEndian).withUnsafeBytes { try StandardStreams.write($0) } }

    private func send(_ text: String) throws {
        try send([UInt32(text.utf8.count)])
        try StandardStreams.write(text)
    }

    /// Requests on standard input.
    private struct Input {
        /// What has been read and not taken yet.
        private var waiting: ArraySlice<UInt8> = []

        /// The texts of the next request, nil at the end of the input.
        mutating func request() throws -> [String]? {
            if waiting.isEmpty, try !fill() { return nil }
            let count = try number()
            guard count <= StreamCommand.mostTexts else { throw broken("a request of \(count) texts") }
            var texts: [String] = [], sum = 0
            texts.reserveCapacity(count)
            for _ in 0..<count {
                let length = try number()
                sum += length
                guard sum <= StreamCommand.mostBytes else { throw broken("a request of more than \(StreamCommand.mostBytes) bytes") }
                texts.append(String(decoding: try take(length), as: UTF8.self))
            }
            return texts
        }

        private mutating func number() throws -> Int { try take(4).reversed().reduce(0) { $0 << 8 | Int($1) } }

        private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
            while waiting.count < count {
                guard try fill() else { throw broken("the input ends within a request") }
            }
            defer { waiting = waiting.dropFirst(count) }
            return waiting.prefix(count)
        }

        /// One more block behind what waits; false at the end of the input.
        private mutating func fill() throws -> Bool {
            let size = max(1 << 18, waiting.count)
            var status: Int32 = 0
            let block = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
                var got = -1
                repeat { got = read(STDIN_FILENO, buffer.baseAddress, size) } while got < 0 && errno == EINTR
                if got < 0 { status = errno }
                initialized = max(0, got)
            }
            if status != 0 { throw DataError(.inputOutput, "standard input cannot be read: \(SystemError.text(status))") }
            waiting = waiting + block
            return !block.isEmpty
        }

        private func broken(_ what: String) -> DataError {
            DataError(.badData, "\(what): the other program does not speak this one's protocol", file: "standard input")
        }
    }
}
