import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Shards
import Tensors
import VectorStore

struct ShardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard",
        abstract: "Embed a large corpus in parallel tasks (Slurm job arrays); the result can be used like one vector file.",
        discussion: """
            kotonoha shard plan corpus.tsv -o corpus.kset --model kotonoha-small > embed.sbatch
            sbatch embed.sbatch                      (or, without Slurm: kotonoha shard run corpus.kset)
            kotonoha shard finish corpus.kset
            kotonoha rank corpus.kset "two dogs play in snow"
            """,
        subcommands: [ShardPlanCommand.self, ShardRunCommand.self, ShardStatusCommand.self, ShardFinishCommand.self])
}

struct ShardPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Split inputs into shards and plan how to compute them.",
        discussion: """
            Reads text, TSV, CSV or JSON lines in UTF-8 once, writes the plan into the
            set's folder, and prints a script for sbatch. Nothing is submitted.
            """)

    @Argument(help: "The files with the sentences, on a disk shared by all tasks.")
    var inputs: [String]

    @Option(name: .shortAndLong, help: "The set's folder, NAME.kset.")
    var output: String

    @OptionGroup(title: "Input") var table: TableArguments

    @Option(help: "Column of the sentences, by name or number from 1.")
    var column: String?

    @Option(help: "Column of the groups (image, scene, speaker …).")
    var groupColumn: String?

    @Option(help: "Column of the ids.")
    var idColumn: String?

    @Option(in: .rows, help: "Rows per shard.")
    var rows = 1_000_000

    @Option(in: .rows, help: "Tasks of the job array; by default one per shard, at most 1000.")
    var tasks: Int?

    @Option(in: .threads, help: "Cores per task, for the script.")
    var cores = 4

    @Option(help: "The instruction set used on all nodes (\(ShardKernels.names.joined(separator: ", "))); by default that of this machine.")
    var kernels: String?

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: "Storage of vectors: float32, float16, int8 or binary.")
    var store: VectorStorage = .float32

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard output.hasSuffix(".kset") || output.hasSuffix(".kset/") else {
            throw ValidationError("the name of a set must end in .kset, not '\(output)'")
        }
        if let kernels, !ShardKernels.names.contains(kernels) {
            throw ValidationError("--kernels must be one of \(ShardKernels.names.joined(separator: ", ")), not '\(kernels)'")
        }
        try refuse(
            [("--pooling", model.pooling != nil), ("--mecab", model.mecab != nil)],
            "is for word vectors; shards are made with sentence models")
    }

    func run() throws {
        try writing.check(inputs: inputs.map { $0 } + [model.inputFolder], files: [], folders: [output])
        if let kernels { try ShardKernels.pin(kernels) }
        guard !model.isWordFile else {
            throw DataError(.usage, "shards need a sentence model, and this is a file of word vectors", file: model.model)
        }
        var planning = ShardPlanning(
            inputs: inputs, createdBy: "kotonoha \(KotonohaProgram.version)",
            provenance: Provenance(arguments: Self.decisive(CommandLine.arguments), version: KotonohaProgram.version))
        planning.table = try table.options(isQuiet: report.quiet)
        planning.columns = CaptionColumns(text: column, group: groupColumn, id: idColumn)
        (planning.rows, planning.tasks, planning.storage, planning.isPinned) = (rows, tasks, store, kernels != nil)
        let encoder = try model.encoder(isQuiet: report.quiet)
        let progress = ProgressLine(unit: "rows", isQuiet: report.quiet)
        let plan: ShardPlan
        do {
            plan = try planning.plan(
                for: encoder, progress: { progress.update(done: $0, fraction: $1) }, isCancelled: { Interruption.isRequested })
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        try ShardPlanning.write(plan, to: output, replaces: writing.force)
        if report.json {
            return try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: output).lastPathComponent)), ("rows", .integer(plan.rows)),
                    ("shards", .integer(plan.shards.count)),
                    ("tasks", .integer(plan.tasks)), ("kernels", .string(plan.kernels)), ("kernels_pinned", .bool(plan.isPinned)),
                    ("dimension", .integer(plan.model.dimension)),
                ]).serialized(.pretty))
        }
        if !report.quiet {
            Console.say(
                "\(output): \(Console.counted(plan.rows, "row")) in \(Console.counted(plan.shards.count, "shard")) for \(Console.counted(plan.tasks, "task")), \(plan.kernels) kernels. "
                    + "The script for sbatch goes to standard output; without Slurm, kotonoha shard run \(output) does all of it")
        }
        var script = BatchScript(
            plan: plan, folder: URL(fileURLWithPath: output).standardizedFileURL.path,
            program: CommandLine.arguments[0].contains("/")
                ? URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL.path : "kotonoha")
        script.cores = cores
        try Console.write(script.text)
    }

    /// The command line without what changes no byte of the set.
    private static func decisive(_ arguments: [String]) -> [String] {
        var kept: [String] = [], skips = false
        for argument in Provenance.decisive(arguments) where argument != "--force" {
            if skips {
                skips = false
                continue
            }
            skips = ["--tasks", "--cores"].contains(argument)
            if !skips, !argument.hasPrefix("--tasks="), !argument.hasPrefix("--cores=") { kept.append(argument) }
        }
        return kept
    }
}

struct ShardRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Compute the unfinished shards of one task.",
        discussion: """
            In a job array the task is SLURM_ARRAY_TASK_ID. SIGTERM and Control-C stop
            after the current block of rows (exit status 130); the same command resumes
            from there.
            """)

    @Argument(help: "The set's folder.")
    var folder: String

    @Option(in: Bounds(0...1_000_000_000), help: "This task, from 0; by default SLURM_ARRAY_TASK_ID, or all shards.")
    var task: Int?

    @Option(in: .rows, help: "The number of tasks; by default the plan's.")
    var tasks: Int?

    @Option(help: ArgumentHelp("The model's folder, if it is not where the plan says.", valueName: "dir|name"))
    var model: String?

    @Option(in: .tokens, help: "Tokens processed together by one thread.")
    var batchTokens = 1024

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads: Int?

    @Option(help: ArgumentHelp("MeCab dictionary, for models whose tokenizer needs one.", valueName: "dir"))
    var dictionary: String?

    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if tasks != nil && task == nil { throw ValidationError("--tasks needs --task: which of them this is") }
    }

    func run() throws {
        Interruption.endsGentlyWhenTerminated()
        let set = try ShardFolder(path: folder), plan = set.plan
        if plan.isPinned { try ShardKernels.pin(plan.kernels) }
        let run = try ShardRun(folder: set, share: share(plan))
        var options = SentenceEncoder.Options()
        guard let precision = Precision(rawValue: plan.model.precision) else {
            throw DataError(.badData, "the plan's precision '\(plan.model.precision)' is unknown to this version", file: folder)
        }
        (options.precision, options.maxLength, options.normalizes) = (precision, plan.model.maxLength, plan.model.normalizes)
        (options.truncatedDimension, options.prompt, options.batchTokens) = (plan.model.truncatedDimension, plan.model.prompt, batchTokens)
        options.dictionary = dictionary
        if let threads { options.threads = threads }
        let encoder = try SentenceEncoder(model: model ?? plan.model.path, options: options)
        let progress = ProgressLine(unit: "rows", isQuiet: report.quiet)
        let summary: ShardRun.Summary
        do {
            summary = try run.run(
                with: encoder,
                progress: {
                    progress.update(done: $0.rows, fraction: Double($0.rows) / Double(max(1, $0.total)), note: "shard \($0.shard)")
                }, isCancelled: { Interruption.isRequested })
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        ModelOptions.report(summary.counts, maxLength: encoder.maxLength, isQuiet: report.quiet)
        if report.json {
            return try Console.print(
                JSON.object([
                    ("task", .integer(run.task)), ("tasks", .integer(run.tasks)), ("shards", .integer(summary.shards)),
                    ("done_before", .integer(summary.earlier)),
                    ("made", .integer(summary.made)), ("repaired", .array(summary.repaired.map(JSON.string))),
                    ("rows", .integer(summary.rows)),
                    ("resumed_rows", .integer(summary.resumedRows)), ("seconds", .number(summary.seconds)),
                ]).serialized(.pretty))
        }
        guard !report.quiet else { return }
        for repaired in summary.repaired { Console.say("made again: \(repaired)") }
        let rate = summary.seconds > 0 ? ", \(Console.grouped(Int(Double(summary.rows) / summary.seconds))) rows per second" : ""
        Console.say(
            "\(folder): task \(run.task) of \(run.tasks): \(Console.counted(summary.shards, "shard")), \(summary.earlier) done before, \(summary.made) made\(rate)"
                + (summary.resumedRows > 0 ? "; \(Console.counted(summary.resumedRows, "row")) of an earlier run were kept" : ""))
    }

    /// The task of this process and how many there are.
    private func share(_ plan: ShardPlan) throws -> (task: Int, tasks: Int) {
        let given =
            try task
            ?? ProcessInfo.processInfo.environment["SLURM_ARRAY_TASK_ID"].map { text in
                guard let number = Int(text), number >= 0 else {
                    throw DataError(.usage, "SLURM_ARRAY_TASK_ID is '\(text)', not a number from 0; give --task")
                }
                return number
            }
        guard let given else { return (0, 1) }
        let tasks = tasks ?? plan.tasks
        guard given < tasks else { throw DataError(.usage, "there are \(tasks) tasks, numbered from 0; task \(given) does not exist") }
        return (given, tasks)
    }
}

struct ShardStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which shards are done, begun, missing or damaged.")

    @Argument(help: "The set's folder.")
    var folder: String

    @Flag(help: "Read the finished shards and compare hashes; by default only sizes are compared.")
    var check = false

    @Option(name: .shortAndLong, help: "A table of all shards (.tsv, .csv, .xlsx, .jsonl or .json).")
    var output: String?

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.requireTable(output) }

    func run() throws {
        try writing.check(inputs: [folder], files: [output])
        let set = try ShardFolder(path: folder), plan = set.plan, states = try set.states(hashes: check)
        var counts = [0, 0, 0, 0], rows = 0
        for (shard, state) in states.enumerated() {
            switch state {
            case .done: (counts[0], rows) = (counts[0] + 1, rows + plan.shards[shard].rows)
            case .begun(let some): (counts[1], rows) = (counts[1] + 1, rows + some)
            case .missing: counts[2] += 1
            case .damaged: counts[3] += 1
            }
        }
        if let output {
            try ResultTable(["shard", "task", "state", "rows", "input", "line", "remark"], tableOutput).write(
                to: output, provenance: provenance()
            ) { append in
                for (shard, state) in states.enumerated() {
                    let planned = plan.shards[shard], (name, remark) = state.words
                    try append([
                        .integer(shard), .integer(shard % plan.tasks), .text(name), .integer(planned.rows),
                        .text(URL(fileURLWithPath: plan.inputs[planned.input].path).lastPathComponent), .integer(planned.firstLine),
                        .text(remark),
                    ])
                }
            }
        }
        if report.json {
            return try Console.print(
                JSON.object([
                    ("shards", .integer(states.count)), ("done", .integer(counts[0])), ("begun", .integer(counts[1])),
                    ("missing", .integer(counts[2])),
                    ("damaged", .integer(counts[3])), ("rows", .integer(plan.rows)), ("rows_done", .integer(rows)),
                    ("open_shards", .array(states.indices.filter { states[$0].words.name != "done" }.map(JSON.integer))),
                    ("open_tasks", .array(openTasks(states, plan).map(JSON.integer))),
                ]).serialized(.pretty))
        }
        try Console.print(
            "done \(counts[0]), begun \(counts[1]), missing \(counts[2]), damaged \(counts[3]); about \(Console.grouped(rows)) of \(Console.counted(plan.rows, "row"))"
        )
        for (shard, state) in states.enumerated() { if case .damaged(let what) = state { try Console.print("shard \(shard): \(what)") } }
        let open = openTasks(states, plan)
        if !open.isEmpty, !report.quiet { try Console.print("tasks with work left: \(Self.ranges(open))") }
    }

    private func openTasks(_ states: [ShardFolder.State], _ plan: ShardPlan) -> [Int] {
        Set(states.indices.filter { states[$0].words.name != "done" }.map { $0 % plan.tasks }).sorted()
    }

    /// As `--array` of sbatch takes them: 0-3,7.
    private static func ranges(_ numbers: [Int]) -> String {
        var parts: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = parts.last, last.upperBound + 1 == number {
                parts[parts.count - 1] = last.lowerBound...number
            } else {
                parts.append(number...number)
            }
        }
        return parts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}

struct ShardFinishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finish", abstract: "Complete the set: the folder can then be used wherever a vector file can.")

    @Argument(help: "The set's folder.")
    var folder: String

    @Flag(help: "Read all shards and compare their hashes.")
    var check = false

    @Option(
        help: ArgumentHelp(
            "Also write an HDF5 file whose datasets are views of the shards, for h5py. HDF5 silently reads the rows of a missing shard as zeros.",
            valueName: "file"))
    var virtual: String?

    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws { try OutputName.require(virtual, OutputName.vectors, "a virtual dataset is written") }

    func run() throws {
        try writing.check(inputs: [], files: [virtual])
        let set = try ShardFolder(path: folder), index = try set.finish(hashes: check)
        if let virtual {
            try VectorFile(path: folder).writeVirtual(to: virtual)
            if !report.quiet {
                Console.say(
                    "\(virtual): views of the shards for h5py; HDF5 reads the rows of a missing or moved shard as zeros, without an error")
            }
        }
        let rows = index.shards.reduce(0) { $0 + $1.rows }
        if report.json {
            try Console.print(
                JSON.object([
                    ("output", .string(URL(fileURLWithPath: folder).lastPathComponent)), ("rows", .integer(rows)),
                    ("shards", .integer(index.shards.count)),
                    ("sha256", .string(try SHA256.hex(ofFile: folder))),
                ]).serialized(.pretty))
        } else if !report.quiet {
            Console.say(
                "\(folder): \(Console.counted(rows, "row")) × \(set.plan.model.dimension) in \(Console.counted(index.shards.count, "shard"))\(check ? ", all hashes compared" : "")"
            )
        }
    }
}

extension ShardFolder.State {
    /// A word for the state, and what else is to be said.
    fileprivate var words: (name: String, remark: String) {
        switch self {
        case .done: ("done", "")
        case .missing: ("missing", "")
        case .begun(let rows): ("begun", "about \(rows) rows")
        case .damaged(let what): ("damaged", what)
        }
    }
}

extension ShardRun {
    fileprivate init(folder: ShardFolder, share: (task: Int, tasks: Int)) {
        self.init(folder: folder, task: share.task, tasks: share.tasks)
    }
}
