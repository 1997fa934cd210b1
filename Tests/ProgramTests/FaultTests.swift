import FileFormats
import Foundation
import TestSupport
import Testing

/// Every call that changes something on the disk is made to kill the process, to fail once, or to fail from there on as on a full disk. At
/// each of them an output is the old one or the new one, whole; a run that fails says so in one line; and the command, given again, ends
/// with the bits of an undisturbed run and leaves nothing else behind.
///
/// Some calls of each command by default; all of them with `KOTONOHA_FAULTS=all`, as `tools/faults` does it.
@Suite(.enabled(if: Shim.library != nil, "there is no C compiler")) struct FaultTests {
    /// One command and what it is to leave.
    struct Road: CustomTestStringConvertible, Sendable {
        var name: String
        var arguments: [String]
        /// Given again after a fault.
        var again: [String] = []
        var outputs: [String]
        var testDescription: String { name }
    }

    static let roads = [
        Road(
            name: "embed", arguments: ["embed", "new.txt", "-o", "v.h5", "--force", "--model", "MODEL"], again: ["--resume"],
            outputs: ["v.h5"]),
        Road(name: "embed --append", arguments: ["embed", "more.txt", "-o", "v.h5", "--append", "--model", "MODEL"], outputs: ["v.h5"]),
        Road(name: "export", arguments: ["export", "v.h5", "-o", "e.tsv"], outputs: ["e.tsv", "e.metadata.tsv"]),
        Road(name: "export .npy", arguments: ["export", "v.h5", "-o", "e.npy"], outputs: ["e.npy"]),
        Road(name: "pca", arguments: ["pca", "v.h5", "-o", "p.h5", "--components", "3", "--figure", "p.svg"], outputs: ["p.h5", "p.svg"]),
        Road(
            name: "tsne",
            arguments: [
                "tsne", "v.h5", "-o", "m.csv", "--iterations", "20", "--early-iterations", "20", "--perplexity", "5", "--html", "m.html",
            ],
            outputs: ["m.csv", "m.html"]),
        Road(name: "train encoder", arguments: ["train", "encoder", "train.json", "-o", "encoder", "--force"], outputs: ["encoder"]),
        Road(
            name: "train seq2seq",
            arguments: [
                "train", "seq2seq", "pairs.tsv", "-o", "generator", "--force", "--epochs", "2", "--hidden-size", "8", "--heads", "2",
                "--source-column", "a", "--target-column", "b",
            ],
            outputs: ["generator"]),
    ]

    @Test(arguments: roads) func recovers(_ road: Road) throws {
        let library = try #require(Shim.library)
        let program = try Program(), model = try TinyModel().folder.path
        let manager = FileManager.default
        /// The folder as it is before each run.
        func prepare(_ folder: String) throws -> URL {
            let place = program.folder.appendingPathComponent(folder)
            try? manager.removeItem(at: place)
            try manager.createDirectory(at: place, withIntermediateDirectories: true)
            for name in try manager.contentsOfDirectory(atPath: program.path("start")) {
                try manager.copyItem(atPath: program.path("start/\(name)"), toPath: place.appendingPathComponent(name).path)
            }
            return place
        }
        func run(_ arguments: [String], in folder: URL, environment: [String: String] = [:]) throws -> Program.Result {
            try program.run(arguments.map { $0 == "MODEL" ? model : $0 }, environment: environment, folder: folder)
        }
        /// What is there, name by name, but for records, which hold the time of day.
        func contents(_ folder: URL) throws -> [String: Data] {
            var found: [String: Data] = [:]
            for case let file as URL in manager.enumerator(at: folder, includingPropertiesForKeys: nil)! where !file.hasDirectoryPath {
                let name = String(file.path.dropFirst(folder.path.count + 1))
                if !name.hasSuffix(".provenance.json"), !name.hasPrefix("encoder.run/") { found[name] = try Data(contentsOf: file) }
            }
            return found
        }
        func part(_ contents: [String: Data], of output: String) -> [String: Data] {
            contents.filter { $0.key == output || $0.key.hasPrefix(output + "/") }
        }

        let start = program.folder.appendingPathComponent("start")
        try manager.createDirectory(at: start, withIntermediateDirectories: true)
        func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: start.appendingPathComponent(name)) }
        try write(
            "old.txt", (0..<22).map { "the cat \($0 % 5) in the snow \(String(repeating: "dogs ", count: $0))" }.joined(separator: "\n"))
        try write("more.txt", (0..<11).map { "two dogs \(String(repeating: "play ", count: $0))" }.joined(separator: "\n"))
        try write(
            "new.txt",
            (0..<(Shim.isFull ? 9000 : 40)).map { "dogs \(String(repeating: "in the snow ", count: $0 % 6))" }.joined(separator: "\n"))
        try write(
            "pairs.tsv",
            "a\tb\n"
                + (0..<12).map { "\(String(repeating: "a", count: $0 % 4 + 1))\t\(String(repeating: "b", count: $0 % 3 + 1))" }.joined(
                    separator: "\n") + "\n")
        try write(
            "train.json",
            """
            {"tokenizer": "\(model)", "model": {"hidden_size": 16, "layers": 1, "heads": 2, "intermediate_size": 24}, "steps": 4, "checkpoint_every": 2,
             "max_length": 16, "tasks": [{"objective": "infonce", "files": ["pairs.tsv"], "columns": ["a", "b"], "batch_size": 4}]}
            """)
        #expect(try run(["embed", "old.txt", "-o", "v.h5", "--model", model, "--quiet"], in: start).status == 0)
        // Older results of the same names, made of other things.
        for name in road.outputs where !["v.h5", "encoder", "generator"].contains(name) { try write(name, "an older result\n") }
        if road.outputs.contains("generator") {
            #expect(try run(road.arguments + ["--seed", "9", "--quiet"], in: start).status == 0)
        } else if road.outputs.contains("encoder") {
            #expect(try run(road.arguments + ["--seed", "9", "--quiet", "--run", "elsewhere"], in: start).status == 0)
            try manager.removeItem(at: start.appendingPathComponent("elsewhere"))
        }
        let before = try contents(start)

        // The undisturbed run, and its calls.
        let whole = try prepare("whole"), traceFile = program.path("trace")
        let run0 = try run(road.arguments, in: whole, environment: ["LD_PRELOAD": library, "KOTONOHA_FAULT_TRACE": traceFile])
        #expect(run0.status == 0, "\(run0.errors)")
        let expected = try contents(whole)
        for output in road.outputs {
            #expect(!part(expected, of: output).isEmpty && part(expected, of: output) != part(before, of: output), "\(output) is new")
        }
        let calls = try String(contentsOfFile: traceFile, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        try checkOrder(calls, road, in: whole)

        let step = Shim.isFull ? 1 : max(1, calls.count / 5)
        for (kind, first) in [("kill", 1), ("once", 1 + step / 2), ("full", 1 + step / 3)] {
            for call in stride(from: first, through: calls.count, by: step) {
                let place = try prepare("place"),
                    what = "\(road.name), \(kind) at \(call): \(calls[call - 1].dropFirst().joined(separator: " "))"
                let broken = try run(
                    road.arguments, in: place, environment: ["LD_PRELOAD": library, "KOTONOHA_FAULT_AT": "\(call)", "KOTONOHA_FAULT": kind])
                if kind == "kill" {
                    #expect([-9, 137].contains(broken.status), "\(what): \(broken.status) \(broken.errors)")
                } else {
                    #expect([0, 73, 74].contains(broken.status), "\(what): \(broken.status) \(broken.errors)")
                    if broken.status != 0 {
                        #expect(broken.errors.split(separator: "\n").count { $0.hasPrefix("kotonoha: ") } == 1, "\(what): \(broken.errors)")
                    }
                }
                let after = try contents(place)
                for output in road.outputs {
                    let found = part(after, of: output)
                    #expect(
                        found == part(before, of: output) || found == part(expected, of: output),
                        "\(what): \(output) is neither the old nor the new one")
                }
                if broken.status == 0 {
                    for output in road.outputs {
                        #expect(part(after, of: output) == part(expected, of: output), "\(what): success without the result")
                    }
                }
                let hasPartial = road.outputs.contains { manager.fileExists(atPath: place.appendingPathComponent($0 + ".partial").path) }
                let repeated = try run(road.arguments + (hasPartial ? road.again : []), in: place)
                #expect(repeated.status == 0, "\(what), given again: \(repeated.errors)")
                let final = try contents(place)
                #expect(
                    final == expected,
                    "\(what), given again: \(Set(final.keys).symmetricDifference(expected.keys)) \(final.filter { expected[$0.key] != $0.value }.keys)"
                )
            }
        }
    }

    /// A file or folder is on the disk before it gets its name, and the folder above after.
    private func checkOrder(_ calls: [[String]], _ road: Road, in folder: URL) throws {
        func full(_ path: String) -> String {
            URL(fileURLWithPath: path.hasPrefix("/") ? path : folder.path + "/" + path).standardizedFileURL.resolvingSymlinksInPath().path
        }
        for (index, call) in calls.enumerated() where ["rename", "renameat2"].contains(call[1]) && call.count > 3 {
            let source = full(call[2]), above = URL(fileURLWithPath: full(call[3])).deletingLastPathComponent().path
            let isSafe = calls[..<index].indices.contains { earlier in
                let other = calls[earlier]
                // A file without a name is brought to the disk and then linked to its temporary name.
                return other[1] == "fsync" && full(other[2]) == source
                    || other[1] == "linkat" && full(other[3]) == source && earlier > 0 && calls[earlier - 1][1] == "fsync"
            }
            #expect(isSafe, "\(road.name): \(call) before its data are on the disk")
            #expect(
                calls[(index + 1)...].contains { $0[1] == "fsync" && full($0[2]) == above },
                "\(road.name): the folder of \(call[3]) is not brought to the disk")
        }
    }
}

/// The library that makes calls fail, built for the test.
enum Shim {
    static let isFull = ProcessInfo.processInfo.environment["KOTONOHA_FAULTS"] == "all"

    static let library: String? = {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "Support/Faults/faults.c"
        ).path
        let target = FileManager.default.temporaryDirectory.appending(path: "kotonoha-faults-\(UUID().uuidString).so").path
        for compiler in ["cc", "clang", "gcc"] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [compiler, "-O1", "-shared", "-fPIC", "-o", target, source, "-ldl"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { continue }
            process.waitUntilExit()
            if process.terminationStatus == 0 { return target }
        }
        return nil
    }()
}
