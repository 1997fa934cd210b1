import ArgumentParser
import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding

struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "List, download, describe and convert models.",
        subcommands: [ModelListCommand.self, ModelPullCommand.self, ModelInfoCommand.self, ModelConvertCommand.self])
}

struct ModelListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the models that --model finds by name.")

    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let models = ModelLocation.all()
        if report.json {
            return try Console.print(
                JSON.array(
                    models.map { model in
                        .object([
                            ("name", .string(model.name)), ("kind", .string(model.kind)), ("family", .string(model.family)),
                            ("weight_bytes", .integer(model.weightBytes)), ("languages", .array(model.languages.map { .string($0) })),
                        ])
                    }
                ).serialized(.pretty))
        }
        if models.isEmpty { Console.say("no models found; download one with kotonoha model pull NAME") }
        for model in models {
            let size = Console.fixed(Double(model.weightBytes) / 1e6, 0)
            try Console.print(
                [model.name, model.kind, model.family, "\(size) MB", model.languages.joined(separator: ",")].joined(separator: "\t"))
        }
    }
}

struct ModelInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Describe a model: size, layers, pooling, prompts, languages.")

    @Argument(help: "The model: its folder or its name.")
    var model: String

    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        var info = try InfoCommand.parse(["--", model])
        info.report = report
        try info.run()
    }
}

struct ModelConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Convert a model's weights to safetensors, optionally in another precision.",
        discussion: """
            kotonoha model convert old-model -o new-model                       # pytorch_model.bin becomes model.safetensors
            kotonoha model convert big-model -o half --weights bf16
            kotonoha model convert sharded-model -o one-file.safetensors

            An output name ending in .safetensors gets only the encoder's weights; any
            other name is a new folder with the whole model.
            """)

    @Argument(help: "The model: its folder or its name.")
    var model: String

    @Option(name: .shortAndLong, help: "The folder or the .safetensors file to write.")
    var output: String

    @Option(help: "How weights are stored: f32, bf16 or f16.")
    var weights: WeightPrecision = .f32

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    enum WeightPrecision: String, ExpressibleByArgument, CaseIterable {
        case f32, bf16, f16

        var stored: SafetensorsWriter.Precision {
            switch self {
            case .f32: .f32
            case .bf16: .bf16
            case .f16: .f16
            }
        }
    }

    func run() throws {
        let isFile = output.hasSuffix(".safetensors")
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: model))
        try writing.check(inputs: [directory.folder.path], files: isFile ? [output] : [], folders: isFile ? [] : [output])
        let summary =
            isFile
            ? try ModelConversion.convertWeights(in: directory.transformerFolder, to: output, precision: weights.stored)
            : try ModelConversion.convert(directory, to: URL(fileURLWithPath: output), precision: weights.stored, replaces: writing.force)
        if report.json {
            return try Console.print(
                JSON.object([
                    ("tensors", .integer(summary.tensors)), ("parameters", .integer(summary.parameters)),
                    ("left_out", .array(summary.leftOut.map { .string($0) })),
                ]).serialized(.pretty))
        }
        if report.quiet { return }
        if !summary.leftOut.isEmpty { Console.say("left out, not weights: \(summary.leftOut.joined(separator: ", "))") }
        Console.say(
            "\(output): \(Console.counted(summary.tensors, "tensor")), \(Console.counted(summary.parameters, "parameter")) in \(weights.rawValue)"
        )
    }
}

struct ModelPullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Download a model from the Hugging Face hub into the standard cache.",
        discussion: """
            kotonoha model pull sentence-transformers/all-MiniLM-L6-v2

            An interrupted download resumes. When all files are complete the model is
            loaded once; only then is it found by name. HF_TOKEN gives access to private
            models, HF_ENDPOINT sets another hub, HF_HUB_CACHE or HF_HOME another cache,
            and HF_HUB_OFFLINE=1 forbids downloads.
            """)

    @Argument(help: ArgumentHelp("The model's name on the hub.", valueName: "organization/model"))
    var name: String

    @Option(help: "Branch, tag or commit.")
    var revision = "main"

    @Option(help: ArgumentHelp("Maximum download size in GB.", valueName: "0.001...10000"))
    var maxSize = 20.0

    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard (0.001...10_000).contains(maxSize) else { throw ValidationError("--max-size is a number of gigabytes from 0.001 to 10000") }
    }

    func run() throws {
        let progress = ProgressLine(unit: "bytes", isQuiet: report.quiet)
        defer { progress.finish() }
        var finished = 0, current = (file: "", received: 0)
        var download = try ModelDownload(name: name, revision: revision)
        download.limits.bytes = Int(maxSize * 1e9)
        let folder = try download.run(check: ModelCheck.load) { file, received, total in
            if file != current.file { finished += current.received }
            current = (file, received)
            progress.update(done: finished + received, fraction: total.map { Double(received) / Double(max(1, $0)) }, note: file)
            if Interruption.isRequested { throw DataError(.interrupted, "stopped; the same command resumes the download") }
        }
        progress.finish()
        if report.json {
            return try Console.print(
                JSON.object([("name", .string(name)), ("commit", .string(folder.lastPathComponent))]).serialized(.pretty))
        }
        if !report.quiet {
            Console.say("\(name) is complete and loads (commit \(folder.lastPathComponent.prefix(12))); use it with --model \(name)")
        }
    }
}
