import FileFormats
import Foundation
import Testing

@Suite struct AtomicFileTests {
    let scratch = Scratch()

    @Test func appearsOnlyWhenCommitted() throws {
        let path = try scratch.write("old", "out.txt")
        let file = try AtomicFile(path: path)
        try file.write("new")
        #expect(try bytes(of: path) == Array("old".utf8))
        try file.commit()
        #expect(try bytes(of: path) == Array("new".utf8))
        #expect(scratch.contents == ["out.txt"])
    }

    @Test func leavesEverythingAsItWasOnFailure() throws {
        let path = try scratch.write("old", "out.txt")
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try AtomicFile.write(to: path) { file in
                try file.write([UInt8](repeating: 7, count: 3_000_000))
                throw Stop()
            }
        }
        #expect(throws: Stop.self) {
            try AtomicFile.replace(path) { temporary in
                try Data([1]).write(to: URL(fileURLWithPath: temporary))
                throw Stop()
            }
        }
        #expect(try bytes(of: path) == Array("old".utf8))
        #expect(scratch.contents == ["out.txt"])
    }

    @Test func namesAMissingFolderAndARealFolder() throws {
        let missing = try failure { _ = try AtomicFile(path: scratch.path("no/where/out.txt")) }
        #expect(missing.kind == .cannotCreate)
        #expect(missing.message.contains("does not exist"))
        #expect(try failure { _ = try AtomicFile(path: scratch.folder) }.kind == .cannotCreate)
        #expect(try failure { try AtomicFile.replace(scratch.path("no/x")) { _ in } }.kind == .cannotCreate)
    }

    @Test func reportsAFullDisk() throws {
        let error = try failure { try AtomicFile.write(to: "/dev/full") { try $0.write("x") } }
        #expect(error.kind == .inputOutput)
        #expect(error.message.contains("full"))
    }

    @Test func keepsPermissionsAndLinks() throws {
        let path = try scratch.write("old", "out.txt")
        chmod(path, 0o640)
        let link = scratch.path("link")
        symlink("out.txt", link)
        try AtomicFile.write(to: link) { try $0.write("new") }
        var information = stat()
        lstat(link, &information)
        #expect(information.st_mode & S_IFMT == S_IFLNK)
        stat(path, &information)
        #expect(information.st_mode & 0o777 == 0o640)
        #expect(try bytes(of: path) == Array("new".utf8))
    }

    @Test func mapsFiles() throws {
        let full = try MappedFile(path: try scratch.write("abc"))
        #expect(full.withUnsafeBytes { Array($0) } == Array("abc".utf8))
        let empty = try MappedFile(path: try scratch.write(""))
        #expect(empty.count == 0 && empty.withUnsafeBytes { $0.isEmpty })
        #expect(try failure { _ = try MappedFile(path: scratch.path("none")) }.kind == .noInput)
        #expect(try failure { _ = try MappedFile(path: scratch.folder) }.message.contains("folder"))
    }

    @Test func hashesAsTheStandardSays() throws {
        // FIPS 180-4 examples.
        #expect(SHA256.hex(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hex(of: "") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let million = try scratch.write([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(try SHA256.hex(ofFile: million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func provenanceNamesNoFolder() throws {
        let input = try scratch.write("a\n", "captions.txt")
        let output = scratch.path("v.csv")
        var provenance = Provenance(
            arguments: [
                "/usr/local/bin/kotonoha", "embed", input, "-o", output, "--model=\(scratch.folder)/m", "--query", "he/she reads",
                "--model",
                "sentence-transformers/all-MiniLM-L6-v2", "\(input),\(output)",
            ],
            version: "1.0")
        provenance.inputs = [try .init(hashing: input)]
        provenance.seed = 7
        try provenance.write(beside: output)
        let json = try JSON(contentsOf: output + ".provenance.json")
        #expect(
            json["command"]?.array?.compactMap(\.string) == [
                "kotonoha", "embed", "captions.txt", "-o", "v.csv", "--model=m", "--query", "he/she reads", "--model",
                "sentence-transformers/all-MiniLM-L6-v2", "captions.txt,v.csv",
            ])
        #expect(json["inputs"]?.array?.first?["name"]?.string == "captions.txt")
        #expect(json["inputs"]?.array?.first?["sha256"]?.string == SHA256.hex(of: "a\n"))
        #expect(json["date"]?.string?.count == 20)
        #expect(!json.serialized().contains(scratch.folder))
    }
}
