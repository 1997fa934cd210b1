import Foundation
import HTTPTypes
import HummingbirdCore
import Kotonoha
import NIOCore
import Testing

@testable import Serving

@Suite struct APITests {
    private let api = try! TestModels.api(TestModels.queue())

    private func answer(_ path: String, _ body: String) async throws -> JSON {
        let answer = try await API.routes[path]!.answer(api, Fields(body))
        return try answer.body.withUnsafeBytes { try JSON(parsing: $0) }
    }

    private func refusal(_ path: String, _ body: String) async -> APIError? {
        do {
            _ = try await answer(path, body)
            return nil
        } catch { return APIError(error) }
    }

    @Test func floatsAndBase64CarryTheSameBits() async throws {
        let texts = ["two dogs play in snow", "犬が雪の中で走る"], expected = try TestModels.encoder.encode(texts)
        let input = JSON.array(texts.map(JSON.string)).serialized()
        let plain = try await answer("/v1/embeddings", #"{"input": \#(input)}"#),
            packed = try await answer("/v1/embeddings", #"{"input": \#(input), "encoding_format": "base64"}"#)
        for row in 0..<2 {
            let bits = (0..<expected.columns).map { expected[row, $0].bitPattern }
            #expect(plain["data"]?.array?[row]["embedding"]?.array?.map { Float($0.double!).bitPattern } == bits)
            let data = Data(base64Encoded: packed["data"]?.array?[row]["embedding"]?.string ?? "")!
            #expect(data.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) } == bits)
        }
        #expect(plain["usage"]?["prompt_tokens"]?.int == texts.reduce(0) { $0 + TestModels.encoder.prepared($1).ids.count })
    }

    @Test func aStringAndAListOfOneAreAlike() async throws {
        #expect(try await answer("/v1/embeddings", #"{"input": "dogs"}"#) == answer("/v1/embeddings", #"{"input": ["dogs"]}"#))
    }

    @Test func dimensionsAreWhatEmbedGives() async throws {
        var options = SentenceEncoder.Options()
        (options.truncatedDimension, options.normalizes) = (64, true)
        let expected = try SentenceEncoder(model: TestModels.small, options: options).encode(["two dogs"]).elements.map(\.bitPattern)
        let found = try await answer("/v1/embeddings", #"{"input": "two dogs", "dimensions": 64}"#)
        #expect(found["data"]?.array?[0]["embedding"]?.array?.map { Float($0.double!).bitPattern } == expected)
        #expect(await refusal("/v1/embeddings", #"{"input": "two dogs", "dimensions": 100000}"#)?.parameter == "dimensions")
    }

    @Test func tokenIDsAreRefusedWithAHint() async throws {
        for input in ["[[9906, 1917], [15339]]", "[9906, 1917]"] {
            let error = await refusal(
                "/v1/embeddings", #"{"input": \#(input), "model": "text-embedding-3-small", "encoding_format": "base64"}"#)
            #expect(error?.status == .badRequest && error?.code == "token_ids")
            #expect(error?.message.contains("check_embedding_ctx_length=False") == true)
        }
    }

    @Test(arguments: [
        ("{}", "input"), (#"{"input": []}"#, "input"), (#"{"input": ""}"#, "input"), (#"{"input": ["a", " \u3000\n"]}"#, "input[1]"),
        (#"{"input": ["a", null]}"#, "input"),
        (#"{"input": 7}"#, "input"), (#"{"input": "a", "encoding_format": "hex"}"#, "encoding_format"),
        (#"{"input": "a", "dimensions": 0}"#, "dimensions"),
        (#"{"input": "a", "dimensions": "8"}"#, "dimensions"), (#"{"input": "a", "model": 3}"#, ""),
    ])
    func wrongFieldsAreNamed(_ body: String, _ field: String) async throws {
        let error = await refusal("/v1/embeddings", body)
        #expect(error?.status == .badRequest)
        if !field.isEmpty { #expect(error?.parameter == field) }
    }

    @Test func aBodyThatIsNoObjectIsRefused() async {
        for body in ["", "[]", "\"a\"", "{", "{\"input\": \"\\ud800\"}", "\u{FEFF}", "nul"] {
            #expect(await refusal("/v1/embeddings", body)?.status == .badRequest)
        }
    }

    @Test func anUnknownModelOrPromptIsNotFound() async {
        let prompt = await refusal("/v1/embeddings", #"{"input": "a", "prompt_name": "query"}"#)
        #expect(prompt?.status == .notFound && prompt?.parameter == "prompt_name")
        #expect(await refusal("/v1/rerank", #"{"query": "a", "documents": ["b"]}"#)?.status == .notFound)
        #expect(await refusal("/v1/embeddings", #"{"input": "a", "model": "text-embedding-3-small"}"#)?.status == .notFound)
    }

    @Test func atMost2048Texts() async throws {
        let most = JSON.array(Array(repeating: .string("a"), count: 2048)).serialized()
        #expect(try await answer("/v1/embeddings", #"{"input": \#(most), "encoding_format": "base64"}"#)["data"]?.array?.count == 2048)
        let more = JSON.array(Array(repeating: .string("a"), count: 2049)).serialized()
        #expect(await refusal("/v1/embeddings", #"{"input": \#(more)}"#)?.status == .badRequest)
    }

    @Test func tooLongTextsAreCutAndReportedOrRefused() async throws {
        let long = String(repeating: "dogs play in snow ", count: 200)
        let cut = try await answer("/v1/embeddings", #"{"input": ["a", "\#(long)"]}"#)
        #expect(cut["truncated"] == .array([.integer(1)]))
        let error = await refusal("/v1/embeddings", #"{"input": ["a", "\#(long)"], "truncate": false}"#)
        #expect(error?.status == .badRequest && error?.code == "context_length_exceeded")
        // text-embeddings-inference refuses unless asked to cut.
        #expect(await refusal("/embed", #"{"inputs": "\#(long)"}"#)?.code == "context_length_exceeded")
        #expect(await refusal("/embed", #"{"inputs": "\#(long)", "truncate": true}"#) == nil)
    }

    @Test func similarityIsTheCosine() async throws {
        let expected = try PairSimilarity(encoder: TestModels.encoder).cosines(["two dogs", "two dogs"], ["dogs in snow", "two dogs"])
            .cosines
        let found = try await answer(
            "/similarity", #"{"inputs": {"source_sentence": "two dogs", "sentences": ["dogs in snow", "two dogs"]}}"#)
        #expect(found.array?.map(\.double) == expected)
        #expect(found.array?[1].double == 1)
    }

    @Test func healthFailsWhenTheEncoderIsStalled() async throws {
        let queue = TestModels.queue(workers: 1), engine = GatedEngine(isOpen: false)
        let api = try TestModels.api(queue) { $0.healthTimeout = 0.2 }
        #expect(try await API.routes["/health"]!.answer(api, nil).status == .ok)
        let stalled = Task {
            try await queue.run(engine, texts: 1, bytes: 1) { _ in
                PreparedText(ids: [1])
            } render: {
                $0.values
            }
        }
        try await until { engine.arrived.load(ordering: .relaxed) == 1 }
        do {
            _ = try await API.routes["/health"]!.answer(api, nil)
            Issue.record("a stalled encoder is well")
        } catch { #expect(APIError(error).status == .serviceUnavailable) }
        engine.open()
        _ = try await stalled.value
        #expect(try await API.routes["/health"]!.answer(api, nil).status == .ok)
    }

    @Test func theSpecificationNamesTheRoutes() throws {
        let specification = try PackageResources.openapi_json.withUnsafeBytes { try JSON(parsing: $0) }
        let named = Set(
            (specification["paths"]?.object ?? []).flatMap { path, operations in
                (operations.object ?? []).map { "\($0.key.uppercased()) \(path)" }
            })
        #expect(named == Set(API.routes.map { "\($0.value.method.rawValue) \($0.key)" }))
        #expect(PackageResources.openapi_json.allSatisfy { $0 < 0x80 })
        #expect(specification["info"]?["version"]?.string == kotonohaVersion)
    }

    @Test func theVersionIsThatOfTheProgram() throws {
        let program = try String(contentsOf: TestModels.root.appendingPathComponent("Sources/kotonoha/Kotonoha.swift"), encoding: .utf8)
        #expect(program.contains("version = \"\(kotonohaVersion)\""))
    }
}

@Suite struct AdmissionTests {
    private func status(
        _ admission: Admission, host: String, _ fields: [(HTTPField.Name, String)] = [], isOpen: Bool = false
    ) -> HTTPResponse.Status? {
        var head = HTTPRequest(method: .post, scheme: "http", authority: host, path: "/v1/embeddings")
        for (name, value) in fields { head.headerFields[name] = value }
        do {
            try admission.check(Request(head: head, body: .init(buffer: ByteBuffer())), isOpen: isOpen, isLocalSocket: false)
            return nil
        } catch { return APIError(error).status }
    }

    @Test func hostsAreAddressesOrNamesThatAreKnown() {
        let admission = Admission(hosts: ["vectors.example"])
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.5", "Vectors.Example:80"] {
            #expect(status(admission, host: host) == nil)
        }
        for host in [
            "", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil", "[evil]:80", "[::1", "127.0.0.1:x",
        ] { #expect(status(admission, host: host) == .forbidden) }
    }

    @Test func pagesOfOtherOriginsAreRefused() {
        let admission = Admission()
        #expect(status(admission, host: "localhost:8080", [(.origin, "http://localhost:8080")]) == nil)
        #expect(status(admission, host: "localhost:8080", [(.origin, "http://evil.example")]) == .forbidden)
        #expect(status(admission, host: "localhost:8080", [(.origin, "http://localhost:9999")]) == .forbidden)
        #expect(status(admission, host: "localhost:8080", [(.origin, "null")]) == .forbidden)
        #expect(status(admission, host: "localhost:8080", [(.init("Sec-Fetch-Site")!, "cross-site")]) == .forbidden)
    }

    @Test func aKeyIsAskedFor() {
        let admission = Admission(key: "secret")
        #expect(status(admission, host: "localhost", [(.authorization, "Bearer secret")]) == nil)
        #expect(status(admission, host: "localhost", [(.authorization, "bearer secret")]) == nil)
        for wrong in ["Bearer secre", "Bearer secrets", "Bearer ", "secret", ""] {
            #expect(status(admission, host: "localhost", [(.authorization, wrong)]) == .unauthorized)
        }
        #expect(status(admission, host: "localhost") == .unauthorized)
        #expect(status(admission, host: "localhost", isOpen: true) == nil)
    }
}
