import FileFormats
import Foundation
import TestTools
import Testing
import VectorStore

/// What is kept between runs changes no result, and may be lost, damaged or forbidden.
@Suite struct CacheTests {
    private func files(_ program: Program, _ kind: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: program.path("cache/" + kind))) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// A model without a folder of git's: a copy that has been there for a while.
    private func embed(_ program: Program, _ output: String, _ arguments: [String] = [], cache: String) throws -> [Float] {
        let result = try program.run(
            ["embed", program.path("t.txt"), "-o", program.path(output), "--quiet", "--force"] + arguments,
            environment: ["KOTONOHA_CACHE": cache])
        #expect(result.status == 0, "\(result.errors)")
        return try VectorFile(path: program.path(output)).readEmbeddings()
    }

    @Test(arguments: ["f32", "bf16", "int8"])
    func keptWeightsGiveTheSameBits(precision: String) throws {
        let program = try Program(), arguments = ["--precision", precision]
        _ = try program.write("t.txt", "two dogs play in snow\n犬が雪の中で遊ぶ\nan old bridge\n")
        let without = try embed(program, "a.h5", arguments, cache: "off"), cache = program.path("cache")
        #expect(files(program, "weights").isEmpty)
        let first = try embed(program, "b.h5", arguments, cache: cache), kept = files(program, "weights")
        #expect(kept.count == 1)
        let second = try embed(program, "c.h5", arguments, cache: cache)
        #expect(files(program, "weights") == kept)
        #expect(first.map(\.bitPattern) == without.map(\.bitPattern) && second.map(\.bitPattern) == without.map(\.bitPattern))
        // The third number of a weight is another one: it is the file that is computed with.
        let path = program.path("cache/weights/" + kept[0]), handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: 4096 + 64 * 100)
        try handle.write(contentsOf: Data(repeating: 0x3F, count: 4096))
        try handle.close()
        #expect(try embed(program, "d.h5", arguments, cache: cache) != without)
    }

    @Test func damagedCachesAreMadeAgain() throws {
        let program = try Program(), cache = program.path("cache")
        _ = try program.write("t.txt", "two dogs play in snow\n")
        let first = try embed(program, "a.h5", cache: cache), path = program.path("cache/weights/" + files(program, "weights")[0])
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for bytes in [
            Data(), whole.prefix(100), whole.prefix(whole.count / 2),
            Data("KOTOPACK{\"matrices\":[[0,1,1,0,99999999999,0,0]],\"values\":[]}\n".utf8), Data("KOTOPACK[1]\n".utf8),
        ] {
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(try embed(program, "b.h5", cache: cache) == first)
        }
        // A folder that others may write to, and one that cannot be made, are left alone.
        try FileManager.default.createDirectory(atPath: program.path("open"), withIntermediateDirectories: true)
        #expect(chmod(program.path("open"), 0o777) == 0)
        #expect(try embed(program, "c.h5", cache: program.path("open")) == first)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: program.path("open")).allSatisfy {
                (try? FileManager.default.contentsOfDirectory(atPath: program.path("open/" + $0)))?.isEmpty ?? false
            })
        #expect(try embed(program, "d.h5", cache: "/proc/none") == first)
    }

    @Test func aWishForAPrecisionIsRecorded() throws {
        let program = try Program(), cache = program.path("cache")
        _ = try program.write("t.txt", "two dogs play in snow\n")
        for wish in ["auto", "fast"] {
            let result = try program.run(
                "embed", program.path("t.txt"), "-o", program.path(wish + ".h5"), "--precision", wish,
                environment: ["KOTONOHA_CACHE": cache])
            #expect(result.status == 0 && result.errors.contains("precision: "), "\(result.errors)")
            let made = try VectorFile(path: program.path(wish + ".h5")).metadata.precision
            #expect(["f32", "bf16"].contains(made) || wish == "fast" && made == "int8")
            #expect(result.errors.contains("precision: \(made)"))
            // By name the same bits.
            let fixed = try embed(program, "x.h5", ["--precision", made], cache: cache)
            #expect(try VectorFile(path: program.path(wish + ".h5")).readEmbeddings().map(\.bitPattern) == fixed.map(\.bitPattern))
        }
        #expect(files(program, "precision").count == 1)
    }

    /// A large file is checked once for each of its states; damage that comes later is found.
    @Test func checkedFilesAreCheckedAgainWhenTheyChange() throws {
        let program = try Program(), environment = ["KOTONOHA_CACHE": program.path("cache")]
        let layout = VectorLayout(dimension: 256),
            metadata = VectorMetadata(
                model: "m", modelSHA256: "", pooling: "mean", isNormalized: false, precision: "f32", maxLength: 8,
                createdBy: "", source: "", sourceSHA256: "")
        let writer = try VectorFileWriter(path: program.path("v.h5"), layout: layout, metadata: metadata, rows: 5000)
        let numbers = (0..<5000 * 256).map { Float(($0 * 7919) % 1009) - 504 }
        try writer.append(
            VectorBlock(texts: (0..<5000).map { "row \($0)" }, valid: Array(repeating: true, count: 5000), embeddings: numbers))
        try writer.finish()
        func rank() throws -> Program.Result {
            try program.run(
                "rank", program.path("v.h5"), "--query-vectors", program.path("v.h5"), "--top", "1", "--json", "--quiet",
                environment: environment)
        }
        #expect(try rank().status == 0 && files(program, "validated").count == 1)
        // The vectors are among what may be mapped.
        #expect(
            String(decoding: try program.bytes("cache/validated/" + files(program, "validated")[0]), as: UTF8.self).contains(" 5120000\n"))
        #expect(try rank().status == 0 && files(program, "validated").count == 1)
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: program.path("v.h5")))
        try handle.truncate(atOffset: 4_000_000)
        try handle.close()
        let broken = try rank()
        #expect(broken.status == 65, "\(broken.errors)")
    }
}
