import Foundation
import Testing

/// One version, wherever it stands: the program, what people read, and the names that tools/release gives.
@Suite struct VersionTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ name: String) throws -> String { try String(contentsOf: Self.root.appendingPathComponent(name), encoding: .utf8) }

    @Test func oneVersionEverywhere() throws {
        let program = try Program()
        let version = try program.run("--version").output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(version.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+/) != nil, "\(version)")
        let released = try text("CHANGELOG.md").matches(of: /(?m)^## \[?([0-9]+\.[0-9]+\.[0-9]+)/).map { String($0.1) }
        #expect(released.first == version)
        #expect(try text("CITATION.cff").contains("\nversion: \(version)\n"))
        // What tools/release and tools/wheel read is what the program says.
        let named = try program.shell(
            "sed -n 's/.*static let version = \"\\(.*\\)\"/\\1/p' '\(Self.root.path)/Sources/kotonoha/Kotonoha.swift'"
        ).output
        #expect(named == version + "\n")
    }

    @Test func theLongVersionNamesWhatDecides() throws {
        let said = try Program().run("--version", "--verbose")
        let version = try Program().run("--version").output
        #expect(said.status == 0)
        let lines = said.output.split(separator: "\n").map(String.init)
        #expect(lines.first.map { $0 + "\n" } == "kotonoha " + version)
        for key in ["instruction set: ", "program: ", "commit: ", "C library: glibc 2.", "library: "] {
            #expect(lines.contains { $0.hasPrefix(key) }, "\(key)")
        }
        #expect(lines.contains { $0.hasPrefix("library: ") && $0.contains("/libdnnl.so") })
    }

    /// Texts go down, vectors come up; they are those of `embed`, and a request that cannot be read ends the program.
    @Test func aStreamHasTheVectorsOfEmbed() throws {
        let program = try Program()
        let texts = ["two dogs", "", "犬が走る"]
        var request = Data()
        func append(_ number: Int) { withUnsafeBytes(of: UInt32(number).littleEndian) { request.append(contentsOf: $0) } }
        append(texts.count)
        for text in texts {
            append(text.utf8.count)
            request.append(contentsOf: text.utf8)
        }
        append(0)
        try request.write(to: URL(fileURLWithPath: program.path("request")))
        _ = try program.write("t.txt", texts.joined(separator: "\n") + "\n")
        let said = try program.shell(
            "\"$0\" internal-stream <request >answer && \"$0\" embed t.txt -o v.h5 --quiet && \"$0\" export v.h5 -o v.npy --quiet")
        #expect(said.status == 0, "\(said.errors)")
        let answer = [UInt8](try program.bytes("answer")), array = [UInt8](try program.bytes("v.npy"))
        #expect(answer.starts(with: "KTN1".utf8))
        let facts = Int(answer[4]) | Int(answer[5]) << 8, vectors = answer[(8 + facts)...]
        // Rows and columns of the array, whose header says how long it is itself.
        let size = array.count - 10 - (Int(array[8]) | Int(array[9]) << 8)
        let width = [UInt8(size / 12 % 256), UInt8(size / 12 / 256), 0, 0]
        #expect(size > 0 && size % 12 == 0 && Array(vectors.prefix(12)) == [0, 0, 0, 0, 3, 0, 0, 0] + width)
        #expect(Array(vectors.dropFirst(12).prefix(size)) == Array(array.suffix(size)))
        #expect(Array(vectors.dropFirst(12 + size)) == [0, 0, 0, 0, 0, 0, 0, 0] + width)
        let broken = try program.shell("head -c 9 request | \"$0\" internal-stream >answer")
        #expect(broken.status == 65 && broken.errors.contains("ends within a request"), "\(broken.errors)")
    }
}
