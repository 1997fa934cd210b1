import Foundation
import Kotonoha
import Testing

/// kotonoha-mpi under a real mpirun, over local TCP: the same weights at any number of ranks.
@Suite struct MPITests {
    let folder: URL
    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("kotonoha-mpi").path

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("mpi-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("tokenizer"), withIntermediateDirectories: true)
        let letters = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }
        try write("tokenizer/vocab.txt", (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters).joined(separator: "\n") + "\n")
        try write("tokenizer/tokenizer_config.json", #"{"tokenizer_class": "BertTokenizer", "do_lower_case": true}"#)
        var random = RandomSource(seed: 1), pairs = "a\tb\tscore\n"
        for _ in 0..<60 {
            let words = (0..<3 + random.below(4)).map { _ in random.below(26) }
            pairs +=
                words.map { letters[$0] }.joined(separator: " ") + "\t" + words.map { letters[($0 + 7) % 26] }.joined(separator: " ")
                + "\t\(random.below(5))\n"
        }
        try write("pairs.tsv", pairs)
        try write(
            "config.json",
            #"""
            {"tokenizer": "\#(folder.path)/tokenizer", "steps": 40, "max_length": 20, "shard_tokens": 40, "lanes": 5, "accumulate": 2, "clip": 0.5, "precision": "f32",
             "model": {"hidden_size": 24, "layers": 2, "heads": 3, "intermediate_size": 40, "dropout": 0.1}, "optimizer": {"learning_rate": 0.003},
             "evaluate_every": 10, "checkpoint_minutes": 0, "checkpoint_every": 5, "averaging": 0.9, "storage": "f32",
             "tasks": [{"objective": "infonce", "files": "pairs.tsv", "columns": ["a", "b"], "batch_size": 16},
                       {"objective": "mlm", "files": "pairs.tsv", "columns": ["a"], "batch_size": 8}],
             "development": [{"name": "pairs", "measure": "retrieval", "file": "pairs.tsv", "columns": ["a", "b"]}]}
            """#)
    }

    private func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }

    private func mpirun(_ ranks: Int, _ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/mpirun")
        process.arguments =
            [
                "--allow-run-as-root", "--oversubscribe", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo", "-n", "\(ranks)",
                Self.program,
                "train", "encoder", folder.appendingPathComponent("config.json").path, "--threads", "1",
            ] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging([
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        ]) { $1 }
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.currentDirectoryURL = folder
        try process.run()
        return process
    }

    private func weights(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name + "/model.safetensors")) }

    @Test func anyNumberOfRanksAndADeath() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for ranks in [1, 2, 4] {
            let process = try mpirun(ranks, ["-o", "m\(ranks)"])
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(ranks) ranks")
        }
        #expect(try weights("m1") == weights("m2") && weights("m1") == weights("m4"))
        // A rank is killed after the first checkpoint, and the run goes on with another number of ranks.
        let steps = ["--steps", "150"], broken = try mpirun(4, ["-o", "broken"] + steps), run = folder.appendingPathComponent("broken.run")
        for _ in 0..<12_000
        where ((try? FileManager.default.contentsOfDirectory(atPath: run.path)) ?? []).allSatisfy({ !$0.hasPrefix("checkpoint") }) {
            usleep(5000)
        }
        let finder = Process(), found = Pipe()
        finder.executableURL = URL(fileURLWithPath: "/usr/bin/pgrep")
        finder.arguments = ["-P", "\(broken.processIdentifier)"]
        finder.standardOutput = found
        try finder.run()
        finder.waitUntilExit()
        let ranks = String(decoding: found.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").compactMap {
            Int32($0)
        }
        kill(try #require(ranks.last), SIGKILL)
        broken.waitUntilExit()
        #expect(broken.terminationStatus != 0)
        let step = try #require(try Checkpoint.newest(in: run)?.step)
        #expect(step > 0 && step < 150)
        for (ranks, name) in [(2, "broken"), (1, "whole")] {
            let process = try mpirun(ranks, ["-o", name] + steps)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(name)")
        }
        #expect(try weights("broken") == weights("whole"))
        // More ranks than lanes are refused, by all.
        let many = try mpirun(6, ["-o", "many"])
        many.waitUntilExit()
        #expect(many.terminationStatus == 64)
    }
}
