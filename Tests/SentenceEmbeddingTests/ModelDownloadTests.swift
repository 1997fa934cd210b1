import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import TestSupport
import TestTools
import Testing

extension LocalHub {
    func download(_ name: String, revision: String = "main", _ settings: [String: String] = [:]) throws -> ModelDownload {
        try ModelDownload(name: name, revision: revision, environment: settings.merging(["HF_ENDPOINT": address]) { $1 }, cache: cache)
    }
}

@Suite(.enabled(if: TestTool.python3.isExpected, "needs python3")) struct ModelDownloadTests {
    static let commit = "0123456789abcdef0123456789abcdef01234567"

    func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    func withHub(_ body: (LocalHub, TinyModel) throws -> Void) throws {
        let model = try TinyModel()
        try body(try #require(try LocalHub(serving: model.folder), "a hub in Python"), model)
    }

    @Test("A model arrives in the standard layout and embeds")
    func layout() throws {
        try withHub { hub, model in
            let folder = try hub.download("org/model").run()
            let repository = hub.cache.appending(path: "models--org--model").path
            #expect(folder.path == repository + "/snapshots/\(Self.commit)")
            #expect(try String(contentsOfFile: repository + "/refs/main", encoding: .utf8) == Self.commit)
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/1_Pooling/config.json")
            #expect(link.hasPrefix("../../../blobs/"))
            let (arrived, sent) = (
                try SHA256.hex(ofFile: folder.path + "/model.safetensors"), try SHA256.hex(ofFile: model.folder.path + "/model.safetensors")
            )
            #expect(arrived == sent)
            #expect(
                !FileManager.default.fileExists(atPath: folder.path + "/onnx")
                    && !FileManager.default.fileExists(atPath: folder.path + "/tf_model.h5"))
            #expect(!hub.requests.contains { $0.contains("escape") })
            let there = try SentenceEncoder(directory: ModelDirectory(folder: folder)),
                here = try SentenceEncoder(directory: ModelDirectory(folder: model.folder))
            #expect(try there.encode(["two dogs"]) == here.encode(["two dogs"]))

            let before = hub.requests.count
            try hub.download("org/model").run()
            #expect(
                !hub.requests.dropFirst(before).contains { $0.hasPrefix("GET") && !$0.contains("/api/") },
                "what is there is not fetched again")
        }
    }

    @Test("A download that breaks off goes on where it stopped")
    func resume() throws {
        try withHub { hub, model in
            var tries = 0
            var error = ""
            repeat {
                error = message { try hub.download("org/cut").run() }
                tries += 1
            } while error != "no error" && tries < 60
            #expect(error == "no error" && tries > 2)
            #expect(hub.requests.contains { $0.hasPrefix("GET /storage") && !$0.contains("range= ") })
            let file = hub.cache.appending(path: "models--org--cut/snapshots/\(Self.commit)/model.safetensors").path
            let (arrived, sent) = (try SHA256.hex(ofFile: file), try SHA256.hex(ofFile: model.folder.path + "/model.safetensors"))
            #expect(arrived == sent)
        }
    }

    @Test("A wrong checksum is found, and nothing takes the file's place")
    func checksum() throws {
        try withHub { hub, _ in
            #expect(message { try hub.download("org/wrong").run() }.contains("download corrupted"))
            let repository = hub.cache.appending(path: "models--org--wrong").path
            #expect(!FileManager.default.fileExists(atPath: repository + "/refs/main"))
            #expect(!FileManager.default.fileExists(atPath: repository + "/blobs/" + String(repeating: "0", count: 64)))
        }
    }

    @Test("The token goes to the hub and not to the storage")
    func token() throws {
        try withHub { hub, _ in
            #expect(message { try hub.download("org/private").run() }.contains("set HF_TOKEN"))
            #expect(message { try hub.download("org/private", ["HF_TOKEN": "other"]).run() }.contains("has no access"))
            try hub.download("org/private", ["HF_TOKEN": "secret"]).run()
            let storage = hub.requests.filter { $0.contains("/storage/") }
            #expect(!storage.isEmpty && storage.allSatisfy { $0.hasSuffix("auth=no") })
        }
    }

    @Test("What does not exist, and what is forbidden, says so")
    func refusals() throws {
        try withHub { hub, _ in
            #expect(message { try hub.download("org/nothing").run() }.contains("has no org/nothing"))
            #expect(message { try hub.download("org/model", revision: "v9").run() }.contains("v9"))
            #expect(message { try hub.download("org/model", ["HF_HUB_OFFLINE": "1"]).run() }.contains("HF_HUB_OFFLINE"))
            #expect(message { _ = try hub.download("../x") }.contains("not a name"))
            #expect(message { _ = try hub.download("a/b/c") }.contains("not a name"))
            #expect(message { _ = try hub.download("org/model", revision: "../../x") }.contains("not a revision"))
        }
        let nowhere = try ModelDownload(
            name: "a/b", environment: ["HF_ENDPOINT": "http://127.0.0.1:9"], cache: FileManager.default.temporaryDirectory)
        #expect(message { try nowhere.run() }.contains("transfer failed"))
    }

    /// Each kind ends soon, in a typed error that says what is wrong, with no name pointing to what arrived and nothing outside of the
    /// cache.
    @Test(
        "A hub that misbehaves", .timeLimit(.minutes(5)),
        arguments: [
            ("shape", "no list of files"), ("entry", "without a name"), ("empty", "lists no model files"), ("deep", "invalid JSON"),
            ("clash", "folder cannot be created"),
            ("many", "100001 files"), ("list", "too long"), ("headers", "headers"), ("slow", "longer than"),
            ("negative", "an invalid size"), ("huge", "`max-size`"),
            ("unstated", "does not state the file's size"), ("short", "transfer failed"), ("trickle", "longer than"),
            ("redirect", "transfer failed"), ("circle", "circle"),
            ("nohash", "no hash"), ("hash", "no hash"), ("gzip", "download corrupted"), ("weights", "model.safetensors"),
        ])
    func hostile(kind: String, words: String) throws {
        try withHub { hub, _ in
            var download = try hub.download("bad/" + kind)
            download.limits.answer = .seconds(2)
            download.limits.file = .seconds(2)
            var error: (any Error)?
            let time = ContinuousClock().measure { do { try download.run(check: ModelCheck.load) } catch let found { error = found } }
            let fault = try #require(error as? DataError, "\(String(describing: error))")
            #expect(fault.description.contains(words), "\(fault)")
            #expect(time < .seconds(30), "\(time)")
            #expect(!FileManager.default.fileExists(atPath: hub.cache.path + "/models--bad--\(kind)/refs/main"))
            #expect(hub.filesOutsideOfCache.isEmpty, "\(hub.filesOutsideOfCache)")
        }
    }

    @Test("Names that are none are not fetched, and nothing is written outside of the cache")
    func hostileNames() throws {
        try withHub { hub, _ in
            try hub.download("bad/names").run()
            let folder = hub.cache.path + "/models--bad--names/snapshots/\(Self.commit)"
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                    "%2e%2e", "-rf.json", "con fig#?.json", "config.json",
                ])
            #expect(hub.filesOutsideOfCache.isEmpty, "\(hub.filesOutsideOfCache)")
            #expect(!hub.requests.contains { $0.contains("outside.json") && !$0.contains("%252e%252e") })
        }
    }

    @Test("A server that answers 416 to every range does not hold up the next try")
    func endless416() throws {
        try withHub { hub, model in
            let blobs = hub.cache.path + "/models--bad--range/blobs"
            try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
            let whole = try Data(contentsOf: model.folder.appending(path: "config.json"))
            let hash = try GitBlobHash.hex(ofFile: model.folder.path + "/config.json", size: whole.count)
            // A wrong beginning, more than there should be, and all of it.
            for beginning in [Data("{".utf8), whole + Data([0]), whole] {
                try beginning.write(to: URL(fileURLWithPath: blobs + "/\(hash).incomplete"))
                try hub.download("bad/range").run()
                #expect(try Data(contentsOf: URL(fileURLWithPath: blobs + "/" + hash)) == whole)
                try FileManager.default.removeItem(atPath: blobs + "/" + hash)
            }
        }
    }
}
