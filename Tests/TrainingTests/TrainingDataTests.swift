import FileFormats
import Foundation
import TestTools
import Testing

/// What a small encoder is trained on, as tools/train-small/prepare.py writes it.
@Suite struct TrainingDataTests {
    private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized

    /// A sentence as two people would write the same one.
    private func plain(_ sentence: String) -> String {
        String(
            String.UnicodeScalarView(
                sentence.precomposedStringWithCompatibilityMapping.lowercased().unicodeScalars.filter { scalar in
                    !scalar.properties.isWhitespace && !"。.!?".unicodeScalars.contains(scalar)
                }))
    }

    private func lines(_ url: URL) throws -> [Substring] {
        try String(contentsOf: url, encoding: .utf8).split(whereSeparator: \.isNewline)
    }

    @Test(.enabled(if: SharedData.path("corpora") != nil && TestTool.python3.isExpected, "needs ../shared/data and python3"))
    func nothingHeldOutIsLearned() throws {
        let data = try #require(SharedData.path("")), out = try TestFolder.make("tables")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestTool.python3.required())
        process.arguments = [Self.root.appendingPathComponent("tools/train-small/prepare.py").path, data, out.path]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)

        var learned = Set<String>()
        for table in try FileManager.default.contentsOfDirectory(at: out, includingPropertiesForKeys: nil)
        where !table.lastPathComponent.hasPrefix("dev-") && table.pathExtension == "tsv" {
            let rows = try lines(table)
            #expect(rows.count > 1000, "\(table.lastPathComponent)")
            for row in rows { learned.formUnion(row.split(separator: "\t").map { plain(String($0)) }) }
        }

        var held: [String: [String]] = [:]
        for row in try lines(URL(fileURLWithPath: data).appendingPathComponent("jglue/jnli-valid-v1.3.json")) {
            let row = try JSON(parsing: String(row), file: "jnli-valid")
            held["JNLI valid", default: []] += ["sentence1", "sentence2"].compactMap { row[$0]?.string }
        }
        let names = Set(try lines(Self.root.appendingPathComponent("Datasets/scenes-held-out.txt")).map(String.init))
        var known = 0
        for row in try lines(Self.root.appendingPathComponent("Datasets/scenes-train.tsv")).dropFirst() {
            let cells = row.split(separator: "\t").map(String.init)
            if names.contains(cells[0]) {
                held["scenes held out", default: []].append(cells[2])
            } else if learned.contains(plain(cells[2])) {
                known += 1
            }
        }
        held["captions"] = try lines(Self.root.appendingPathComponent("Datasets/captions.tsv")).dropFirst().map {
            String($0.split(separator: "\t")[2])
        }
        let rows = try lines(Self.root.appendingPathComponent("tools/train-small/stsb-held-out.txt")).compactMap { Int($0) }
        let scored = try lines(URL(fileURLWithPath: data).appendingPathComponent("stsb/stsb-ja-train.csv")).map(String.init)
        // Japanese sentences of this file hold no comma and no quotation mark where the row is simple; those rows are enough here.
        for number in rows {
            let cells = scored[number - 1].split(separator: ",")
            guard cells.count == 3, !scored[number - 1].contains("\"") else { continue }
            held["STS-B held out", default: []] += cells.prefix(2).map(String.init)
        }

        #expect(held["JNLI valid"]?.count ?? 0 > 4000 && held["scenes held out"]?.count == 500 && held["captions"]?.count == 700)
        #expect(held["STS-B held out"]?.count ?? 0 > 2000)
        #expect(known > 10_000, "captions of the other scenes are learned")
        for (name, sentences) in held {
            let clashes = sentences.filter { learned.contains(plain($0)) }, count = clashes.count
            #expect(count == 0, "\(name), as \(clashes.first ?? "")")
        }
    }
}
