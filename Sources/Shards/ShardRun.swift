import FileFormats
import Glibc
import SentenceEmbedding
import Tensors
import VectorStore

/// One task's work on a set: its shards, one after the other, those that are not done.
///
/// A shard is computed in blocks, each of which is safe once it is written, and appears as a file by rename. What two tasks compute of the
/// same shard is equal to the last bit, so that it does not matter whose file stays; a killed task loses at most the block that it worked
/// on.
package struct ShardRun: Sendable {
    package var folder: ShardFolder
    /// This task, from 0, and the number of tasks: task t has the shards t, t + tasks, t + 2 tasks …
    package var task: Int
    package var tasks: Int
    /// Rows of a block.
    package var block = 8192

    package init(folder: ShardFolder, task: Int, tasks: Int) { (self.folder, self.task, self.tasks) = (folder, task, tasks) }

    package struct Progress: Sendable {
        /// Rows of all shards of the task that are done, and how many there are.
        package var rows: Int
        package var total: Int
        package var shard: Int
    }

    package struct Summary: Sendable, Equatable {
        /// Shards of the task, those that were done before, and those that this run made.
        package var shards = 0
        package var earlier = 0
        package var made = 0
        /// Shards that were there and damaged, and were made again.
        package var repaired: [String] = []
        /// Rows that were computed, and rows whose blocks an earlier run had left.
        package var rows = 0
        package var resumedRows = 0
        package var counts = SentenceEncoder.Counts()
        package var seconds = 0.0
    }

    /// The shards of this task.
    package var shards: [Int] { Array(stride(from: task, to: folder.plan.shards.count, by: tasks)) }

    /// - Parameter isCancelled: asked after every block.
    /// - Throws: `DataError` if the processor, the model or an input is not that of the plan, the disk is full, or the work was cancelled:
    ///   what is finished stays, and the same call goes on from there.
    package func run(
        with encoder: SentenceEncoder, progress: (Progress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> Summary {
        let plan = folder.plan
        try check(encoder)
        var summary = Summary(), done = 0
        let own = shards, total = own.reduce(0) { $0 + plan.shards[$1].rows }
        summary.shards = own.count
        for shard in own {
            let state = try folder.state(of: shard, hashes: true)
            if case .done = state {
                summary.earlier += 1
                folder.removeWork(shard)
            } else {
                if case .damaged(let what) = state { summary.repaired.append("\(folder.path)/\(ShardFolder.file(shard)): \(what)") }
                let before = done
                try make(shard, encoder, &summary, isCancelled) { progress(Progress(rows: before + $0, total: total, shard: shard)) }
                summary.made += 1
            }
            done += plan.shards[shard].rows
        }
        return summary
    }

    /// Rows of another model, or of another processor, would differ without anyone noticing.
    private func check(_ encoder: SentenceEncoder) throws {
        let plan = folder.plan, model = plan.model
        guard processorKernels == plan.kernels else {
            throw DataError(
                .usage,
                "this processor uses \(processorKernels) kernels, but the set was planned for \(plan.kernels); its "
                    + "rows would differ in the last bits. "
                    + "Use the same kind of node (#SBATCH --constraint), or plan with \(Setting.kernels) avx2, which all nodes can keep to",
                file: folder.path)
        }
        let pairs = [
            ("model", model.sha256, try encoder.identity()), ("pooling", model.pooling, encoder.poolingName),
            ("precision", model.precision, encoder.precisionName),
            ("maximum length", String(model.maxLength), String(encoder.maxLength)), ("prompt", model.prompt, encoder.prompt),
            ("dimension", String(model.dimension), String(encoder.dimension)),
        ]
        if let (what, planned, found) = pairs.first(where: { $0.1 != $0.2 }) {
            throw DataError(
                .badData,
                "the \(what) differs from the plan: \(found.isEmpty ? "empty" : found) instead of "
                    + "\(planned.isEmpty ? "empty" : planned)", file: folder.path)
        }
    }

    private func make(
        _ shard: Int, _ encoder: SentenceEncoder, _ summary: inout Summary, _ isCancelled: () -> Bool, progress: (Int) -> Void
    ) throws {
        let plan = folder.plan, planned = plan.shards[shard], input = plan.inputs[planned.input], layout = plan.layout
        guard try ShardPlanning.hash(input.path, planned.bytes) == planned.sha256 else {
            throw DataError(
                .badData,
                "bytes \(planned.bytes.lowerBound) to \(planned.bytes.upperBound) differ from the plan: the input "
                    + "has changed. "
                    + "Restore the old file, or plan again", file: input.path)
        }
        try folder.makeWork(shard)
        let source = try CaptionSource(
            path: input.path, part: TablePart(bytes: planned.bytes, firstLine: planned.firstLine, reading: input.reading))
        var row = 0, starts: [Int] = []
        while row < planned.rows {
            if isCancelled() {
                throw DataError(
                    .interrupted,
                    "stopped in shard \(shard) after \(row) of its \(planned.rows) rows, which are kept; the "
                        + "same command resumes from there", file: folder.path)
            }
            let rows = try source.next(batch: min(block, planned.rows - row)), path = folder.block(shard, first: row)
            guard !rows.isEmpty else {
                throw DataError(.badData, "shard \(shard) has \(row) rows, but the plan says \(planned.rows)", file: input.path)
            }
            if let known = try PartialBlock.read(path, first: row, layout: layout), known.count == rows.count {
                summary.resumedRows += rows.count
            } else {
                let begin = ContinuousClock.now
                let (made, counts) = try encoder.block(of: rows, layout: layout)
                try PartialBlock.write(made, first: row, to: path)
                summary.seconds += (ContinuousClock.now - begin) / .seconds(1)
                summary.rows += rows.count
                summary.counts += counts
            }
            starts.append(row)
            row += rows.count
            progress(row)
        }
        let file = folder.path + "/" + ShardFolder.file(shard)
        let writer = try VectorFileWriter(
            path: file, layout: layout, metadata: plan.metadata(of: shard), storage: plan.storage, rows: planned.rows)
        for first in starts {
            let path = folder.block(shard, first: first)
            guard let block = try PartialBlock.read(path, first: first, layout: layout) else {
                throw DataError(.inputOutput, "this block of rows is missing or damaged; the same command computes it again", file: path)
            }
            try writer.append(block)
        }
        try writer.finish()
        _ = try folder.finish(shard)
        folder.removeWork(shard)
    }
}
