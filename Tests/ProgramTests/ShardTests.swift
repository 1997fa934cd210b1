import FileFormats
import Foundation
import TestSupport
import TestTools
import Testing
import VectorStore

/// Sets: made by many tasks, killed at any moment, and opened wherever a vector file does.
@Suite struct ShardTests {
    let program: Program
    let model: String

    init() throws {
        program = try Program()
        model = try TinyModel().folder.path
    }

    /// A CSV with quoted line ends, empty cells and quotation marks in cells.
    private func corpus(_ rows: Int, from first: Int = 0) -> String {
        "id,theme,caption\n"
            + (first..<first + rows).map { row in
                let text =
                    switch row % 5 {
                    case 0: "\"two dogs\nplay, \"\"in\"\" snow \(row)\""
                    case 1: ""
                    case 2: "\"the cat\r\n\r\n\(row)\""
                    default: "the snow \(row % 13) dogs \(row)"
                    }
                return "\(row),t\(row % 3),\(text)\n"
            }.joined()
    }

    private func plan(_ input: String..., to set: String, rows: Int, more: [String] = []) throws -> Program.Result {
        try program.run(
            ["shard", "plan"] + input + [
                "-o", set, "--rows", "\(rows)", "--model", model, "--column", "caption", "--group-column", "theme", "--id-column", "id",
            ] + more)
    }

    /// The bytes of all files of a set that stay.
    private func files(_ set: String) throws -> [String: Data] {
        let folder = program.folder.appendingPathComponent(set)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("shards").path).map { "shards/" + $0 }
        return try Dictionary(
            uniqueKeysWithValues: (names + ["set.json"]).map { ($0, try Data(contentsOf: folder.appendingPathComponent($0))) })
    }

    @Test func aSetIsWhatOneFileIs() throws {
        let a = try program.write("a.csv", corpus(700)), b = try program.write("b.csv", corpus(300, from: 700)),
            all = try program.write("all.csv", corpus(1000))
        let planned = try plan(a, b, to: "c.kset", rows: 128)
        #expect(planned.status == 0, "\(planned.errors)")
        #expect(
            planned.output.contains("#SBATCH --array=0-8") && planned.output.contains("--task \"$SLURM_ARRAY_TASK_ID\" --tasks 9"),
            "\(planned.output)")
        // It does not open before it is finished, and says so.
        let early = try program.run("rank", "c.kset", "a cat", "--model", model)
        #expect(early.status == 66 && early.errors.contains("shard status"), "\(early.errors)")
        #expect(try program.run("shard", "run", "c.kset").status == 0)
        let finished = try program.run("shard", "finish", "c.kset", "--check")
        #expect(finished.status == 0 && finished.errors.contains("1,000 rows"), "\(finished.errors)")
        #expect(
            try program.run(
                "embed", all, "-o", "all.h5", "--model", model, "--column", "caption", "--group-column", "theme", "--id-column", "id"
            ).status == 0)

        let set = try VectorFile(path: program.path("c.kset")), whole = try VectorFile(path: program.path("all.h5"))
        #expect(set.count == 1000 && set.layout == whole.layout)
        #expect(try set.block(rows: 0..<1000) == whole.block(rows: 0..<1000))
        #expect(try set.block(rows: 120..<391) == whole.block(rows: 120..<391), "over three files")
        #expect(try set.texts(rows: 700..<701) == whole.texts(rows: 700..<701))
        // The same answers, to the last digit.
        for command in [
            ["rank", "$", "the cat 12", "--model", model, "--top", "7"], ["mine", "$", "--top", "20", "--quiet"],
            ["evaluate", "groups", "$", "--quiet"],
        ] {
            let one = try program.run(command.map { $0 == "$" ? "all.h5" : $0 }),
                other = try program.run(command.map { $0 == "$" ? "c.kset" : $0 })
            #expect(
                one.status == 0 && other.status == 0 && one.output == other.output && !one.output.isEmpty, "\(command[0]): \(other.errors)")
        }
        for (command, output) in [
            (["pca", "$", "--components", "4"], "p.h5"), (["cluster", "$", "--clusters", "5"], "k.csv"), (["export", "$"], "v.npy"),
            (["tsne", "$", "--iterations", "20", "--perplexity", "10"], "m.csv"),
        ] {
            var tables: [Data] = []
            for input in ["all.h5", "c.kset"] {
                let run = try program.run(command.map { $0 == "$" ? input : $0 } + ["-o", output, "--force", "--quiet"])
                #expect(run.status == 0, "\(command[0]): \(run.errors)")
                tables.append(
                    output == "p.h5"
                        ? try HDF5Container(path: program.path(output)).read("components", as: Float.self).values.withUnsafeBytes {
                            Data($0)
                        } : try program.bytes(output))
            }
            #expect(tables[0] == tables[1], "\(command[0])")
        }
        let info = try program.run("info", "c.kset"), check = try program.run("info", "c.kset", "--check"),
            methods = try program.run("methods", "c.kset")
        #expect(info.output.contains("shards") && info.output.contains("1,000"), "\(info.errors)")
        #expect(
            check.status == 0 && check.output.contains("shards/00008.h5\tsame") && check.output.contains("a.csv\tsame"),
            "\(check.output) \(check.errors)")
        #expect(methods.status == 0 && methods.output.contains("sentences of a.csv"), "\(methods.output) \(methods.errors)")
    }

    /// Any number of tasks, each killed at random moments, in any order: equal files.
    @Test func anyNumberOfTasksAndKills() throws {
        let input = try program.write("c.csv", corpus(3000))
        var first: [String: Data] = [:]
        var random = SystemRandomNumberGenerator()
        for tasks in [1, 2, 7, 64] {
            let set = "s\(tasks).kset"
            #expect(try plan(input, to: set, rows: 47, more: ["--tasks", "\(tasks)"]).status == 0)
            var open = Array(0..<tasks).shuffled(using: &random), kills = 0
            while let task = open.first {
                let process = program.process(["shard", "run", set, "--task", "\(task)", "--threads", "1", "--quiet"])
                try process.run()
                // At first many are killed, then the rest comes through.
                if kills < 6 {
                    usleep(UInt32.random(in: 10_000...250_000, using: &random))
                    kill(process.processIdentifier, SIGKILL)
                    process.waitUntilExit()
                    if process.terminationReason == .uncaughtSignal { kills += 1 }
                    open.shuffle(using: &random)
                    continue
                }
                process.waitUntilExit()
                #expect(process.terminationStatus == 0)
                open.removeFirst()
            }
            #expect(kills == 6)
            let finished = try program.run("shard", "finish", set)
            #expect(finished.status == 0, "\(finished.errors)")
            let found = try files(set)
            #expect(found.count == 2 * 64 + 1 && (first.isEmpty || found == first), "\(tasks) tasks")
            first = found
            #expect(!FileManager.default.fileExists(atPath: program.path(set + "/work")), "nothing is left over")
        }
    }

    @Test func terminationEndsAtABlock() throws {
        let input = try program.write("c.csv", corpus(300_000))
        #expect(try plan(input, to: "s.kset", rows: 300_000).status == 0)
        let process = program.process(["shard", "run", "s.kset", "--quiet"]), errors = Pipe()
        process.standardError = errors
        try process.run()
        func blocks() -> [String] {
            let names = try? FileManager.default.contentsOfDirectory(atPath: program.path("s.kset/work/00000"))
            return (names ?? []).filter { $0.hasSuffix(".block") }
        }
        while blocks().isEmpty, process.isRunning { usleep(1000) }
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 130)
        #expect(String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains("which are kept"))
        let status = try JSON(parsing: try program.run("shard", "status", "s.kset", "--json").output)
        #expect(status["begun"]?.int == 1 && status["open_tasks"]?.array?.count == 1, "\(status)")
        #expect(status["rows_done"]?.int ?? 0 >= 8192)
        let again = try JSON(parsing: try program.run("shard", "run", "s.kset", "--json").output)
        #expect(again["resumed_rows"]?.int ?? 0 >= 8192 && again["made"]?.int == 1)
        #expect(try program.run("shard", "finish", "s.kset").status == 0)
    }

    @Test func whatGoesWrongIsNamed() throws {
        let input = try program.write("c.csv", corpus(300))
        #expect(try plan(input, to: "s.kset", rows: 100).status == 0)
        // Another instruction set.
        let kernels = try program.run("shard", "run", "s.kset", environment: ["ONEDNN_MAX_CPU_ISA": "SSE41"])
        #expect(kernels.status == 64 && kernels.errors.contains("sse41") && kernels.errors.contains("--kernels avx2"), "\(kernels.errors)")
        // Another model.
        let other = try program.run("shard", "run", "s.kset", "--model", try TinyModel(seed: 9).folder.path)
        #expect(other.status == 65 && other.errors.contains("model"), "\(other.errors)")
        #expect(try program.run("shard", "run", "s.kset").status == 0)
        let early = try program.run("info", "s.kset")
        #expect(early.status == 66 && early.errors.contains("not finished"), "\(early.errors)")
        #expect(try program.run("shard", "finish", "s.kset").status == 0)
        let whole = try files("s.kset")
        // A shard that was cut off: named by everyone who opens the set, and made again with the same bytes.
        let shard = program.path("s.kset/shards/00001.h5")
        let handle = try #require(FileHandle(forWritingAtPath: shard))
        try handle.truncate(atOffset: 1000)
        let cut = try program.run("pca", "s.kset", "-o", "p.h5")
        #expect(cut.status == 65 && cut.errors.contains("00001.h5") && cut.errors.contains("1000 bytes"), "\(cut.errors)")
        #expect(try program.run("shard", "status", "s.kset").output.contains("damaged 1"))
        let finish = try program.run("shard", "finish", "s.kset")
        #expect(finish.status == 65 && finish.errors.contains("shards/00001.h5"), "\(finish.errors)")
        let repaired = try program.run("shard", "run", "s.kset")
        #expect(repaired.status == 0 && repaired.errors.contains("made again") && repaired.errors.contains("1 made"), "\(repaired.errors)")
        #expect(try files("s.kset") == whole)
        // One bit that is not what it was.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: shard))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: shard))
        let check = try program.run("info", "s.kset", "--check")
        #expect(check.status == 65 && check.output.contains("00001.h5\tdiffers"), "\(check.output)")
        #expect(try program.run("shard", "run", "s.kset").status == 0)
        #expect(try files("s.kset") == whole)
        // A shard that is gone, an input that was changed, a folder that is not there.
        try FileManager.default.removeItem(atPath: shard)
        let gone = try program.run("rank", "s.kset", "a cat", "--model", model)
        #expect(gone.status == 66 && gone.errors.contains("00001.h5") && gone.errors.contains("missing"), "\(gone.errors)")
        _ = try program.write("c.csv", corpus(300).replacing("dogs", with: "cats"))
        let changed = try program.run("shard", "run", "s.kset")
        #expect(changed.status == 65 && changed.errors.contains("c.csv") && changed.errors.contains("has changed"), "\(changed.errors)")
        let away = try program.run("shard", "run", "away.kset")
        #expect(away.status == 66 && away.errors.contains("mounted on this node"), "\(away.errors)")
        // Another plan does not slip over this one.
        let plan2 = try plan(input, to: "s.kset", rows: 50)
        #expect(plan2.status == 73 && plan2.errors.contains("--force"), "\(plan2.errors)")
    }

    @Test func plansRefuseWhatHasNoPlaces() throws {
        let shiftJIS = try #require("文\n犬\n海\n".data(using: .shiftJIS))
        let input = try program.write("j.txt", shiftJIS)
        let encoding = try program.run("shard", "plan", input, "-o", "j.kset", "--model", model, "--encoding", "cp932")
        #expect(encoding.status == 64 && encoding.errors.contains("UTF-8"), "\(encoding.errors)")
        #expect(try program.run("shard", "plan", input, "-o", "j.h5", "--model", model).status == 64)
        let a = try program.write("a.csv", corpus(10)), b = try program.write("b.csv", "id,theme,caption,more\n1,2,3,4\n")
        let columns = try plan(a, b, to: "c.kset", rows: 5)
        #expect(columns.status == 65 && columns.errors.contains("more"), "\(columns.errors)")
        #expect(try program.run("shard", "run", "c.kset", "--tasks", "3").status == 64)
    }

    /// JSON lines and plain text, with a mark at the beginning and no end of the last line.
    @Test func otherFormats() throws {
        let text = "\u{FEFF}two dogs\r\nsnow\n\nthe cat"
        for (name, content) in [
            ("t.txt", text), ("m.txt", "one\ntwo\nthree\n\u{FEFF}marked\nfive\n%PDF-\nseven"),
            ("t.jsonl", (0..<10).map { #"{"n": \#($0), "text": "dogs \#($0)"}"# }.joined(separator: "\n")),
        ] {
            let input = try program.write(name, content)
            #expect(try program.run("shard", "plan", input, "-o", "\(name).kset", "--model", model, "--rows", "3").status == 0)
            #expect(try program.run("shard", "run", "\(name).kset").status == 0)
            #expect(try program.run("shard", "finish", "\(name).kset").status == 0)
            #expect(try program.run("embed", input, "-o", "\(name).h5", "--model", model).status == 0)
            let set = try VectorFile(path: program.path("\(name).kset")), whole = try VectorFile(path: program.path("\(name).h5"))
            #expect(set.layout == whole.layout)
            #expect(try set.block(rows: 0..<set.count) == whole.block(rows: 0..<whole.count))
        }
    }

    private func finished(_ set: String, rows: Int, of count: Int) throws {
        let input = try program.write("c.csv", corpus(count))
        #expect(try plan(input, to: set, rows: rows).status == 0)
        #expect(try program.run("shard", "run", set).status == 0)
        #expect(try program.run("shard", "finish", set, "--virtual", "all.h5").status == 0)
    }

    @Test(.enabled(if: TestTool.h5py.isExpected, "needs python3-h5py; tools/test installs it")) func viewsForH5py() throws {
        try finished("s.kset", rows: 30, of: 100)
        let python = try #require(TestTool.h5py.path),
            script = """
                import h5py, numpy as np, sys
                f, first = h5py.File("all.h5"), 0
                for i in range(4):
                    part = h5py.File(f"s.kset/shards/0000{i}.h5")
                    n = len(part["texts"])
                    for name in ["embeddings", "texts", "valid", "groups", "ids"]:
                        assert f[name].is_virtual and (f[name][first:first + n] == part[name][:]).all(), name
                    first += n
                assert len(f["embeddings"]) == first == 100
                """
        let run = try program.shell("\(python) -c \"$SCRIPT\"", environment: ["SCRIPT": script])
        #expect(run.status == 0, "\(run.errors)")
        // A file of views is not read here: a missing shard would be zeros.
        let refused = try program.run("pca", "all.h5", "-o", "p.h5")
        #expect(refused.status == 65 && !refused.errors.isEmpty, "\(refused.errors)")
    }

    @Test func exportsByShard() throws {
        try finished("s.kset", rows: 30, of: 100)
        #expect(try program.run("export", "s.kset", "-o", "v.npy", "--per-shard").status == 0)
        #expect(try program.run("export", "s.kset", "-o", "whole.npy").status == 0)
        let shapes = try (0..<4).map { try NPYFile(path: program.path("v-0000\($0).npy")).shape }
        #expect(shapes == [[30, 24], [30, 24], [30, 24], [10, 24]])
        func data(_ name: String) throws -> Data { try program.bytes(name).dropFirst(128) }
        #expect(try (0..<4).map { try data("v-0000\($0).npy") }.reduce(Data(), +) == data("whole.npy"))
        let copy = try program.run("export", "s.kset", "-o", "t.copy")
        #expect(copy.status == 0 && copy.errors.contains("embedding vector(24)"), "\(copy.errors)")
        let lines = String(decoding: try program.bytes("t.copy"), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 101 && lines[100].isEmpty)
        let cells = lines[5].split(separator: "\t", omittingEmptySubsequences: false)
        #expect(
            cells.count == 5 && cells[0] == "5" && cells[3] == "two dogs\\nplay, \"in\" snow 5" && cells[4].hasPrefix("[")
                && cells[4].split(separator: ",").count == 24)
        #expect(lines[6].hasSuffix("\t\\N"), "a row without a vector")
        #expect(try program.run("export", "s.kset", "-o", "b.hdf5", "--queries", "5", "--neighbours", "3").status == 0)
    }

    /// A map of a sample, with the rest placed on it; near-duplicates through sorted signatures.
    @Test func samplesAndDuplicates() throws {
        try finished("s.kset", rows: 70, of: 400)
        #expect(try program.run("vectors", "select", "s.kset", "-o", "sample.h5", "--sample", "150", "--seed", "3").status == 0)
        let sample = try VectorFile(path: program.path("sample.h5"))
        #expect(sample.count == 150)
        #expect(
            try sample.ids() != nil && zip(sample.ids()!, sample.ids()!.dropFirst()).allSatisfy { Int($0)! < Int($1)! }, "in their order")
        #expect(try program.run("tsne", "sample.h5", "-o", "map.h5", "--perplexity", "10", "--iterations", "50").status == 0)
        let placed = try program.run("tsne", "s.kset", "--onto", "map.h5", "--reference", "sample.h5", "-o", "placed.csv")
        #expect(placed.status == 0 && placed.errors.contains("320 points"), "\(placed.errors)")
        let exact = try program.run("vectors", "select", "s.kset", "-o", "a.h5", "--distinct", "0.999", "--json")
        let fast = try program.run(
            "vectors", "select", "s.kset", "-o", "b.h5", "--distinct", "0.999", "--approximate", "--dropped", "d.csv", "--json")
        let counts = try [exact, fast].map { try JSON(parsing: $0.output)["near_duplicates"]?.int ?? -1 }
        #expect(counts[0] >= 0 && counts[1] <= counts[0] && counts[1] >= counts[0] * 9 / 10, "\(counts)")
    }

    /// A disk that fills up: said so, and when there is room the work goes on to the same bytes.
    @Test(.enabled(if: Self.hasNamespaces, "needs user and mount namespaces")) func aFullDisk() throws {
        let input = try program.write("c.csv", corpus(20_000))
        let script = """
            set -e
            mkdir disk; mount -t tmpfs -o size=1500k none disk
            "$0" shard plan \(input) -o disk/s.kset --rows 5000 --model \(model) --column caption > /dev/null
            "$0" shard run disk/s.kset --quiet && exit 1 || echo status $?
            mount -o remount,size=60m disk
            "$0" shard run disk/s.kset --quiet
            "$0" shard finish disk/s.kset --check --quiet
            (cd disk/s.kset && sha256sum shards/*.h5)
            """
        let full = try program.shell("exec unshare -rm bash -c \"$SCRIPT\" \"$0\"", environment: ["SCRIPT": script])
        #expect(
            full.status == 0 && full.output.contains("status 74") && full.errors.contains("the disk is full"),
            "\(full.output) \(full.errors)")
        let other = try program.shell(
            "\"$0\" shard plan \(input) -o s.kset --rows 5000 --model \(model) --column caption >/dev/null && \"$0\" shard run s.kset && cd s.kset && sha256sum shards/*.h5"
        )
        #expect(full.output.hasSuffix(other.output) && other.output.split(separator: "\n").count == 4, "\(other.errors)")
    }

    private static var hasNamespaces: Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["-rm", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
