import Autograd
import FileFormats
import Networks
import Tensors

/// A step: batches of every task, their losses, and gradients summed in a fixed order.
extension SentenceTrainer {
    /// One step.
    ///
    /// - Throws: `DataError` if the loss or its gradient is NaN.
    package func takeStep() throws -> (losses: [(name: String, loss: Double)], learningRate: Double, gradientNorm: Double, sentences: Int) {
        gradients.clear()
        var losses = [Double](repeating: 0, count: tasks.count), sentences = 0
        for part in 0..<configuration.accumulation {
            let random = RandomSource(seed: configuration.seed).split(UInt64(step) &* UInt64(configuration.accumulation) &+ UInt64(part))
            sentences += try addSentenceTasks(random, &losses)
            for index in tasks.indices where tasks[index].task.objective.isLanguage {
                sentences += try addLanguageTask(index, random, &losses)
            }
        }
        losses = losses.map { $0 / Double(configuration.accumulation) }
        let norm = gradients.norm() / Double(configuration.accumulation)
        guard losses.allSatisfy(\.isFinite), norm.isFinite else {
            let list = zip(tasks, losses).map { "\($0.task.name) \($1)" }.joined(separator: ", ")
            throw DataError(
                .badData,
                "training diverged in step \(step + 1): losses \(list), gradient norm \(norm); lower the learning rate or clip gradients")
        }
        let rate = configuration.optimizer.learningRate * schedule.factor(step: step, reductions: history.reductions)
        let clip = configuration.clipping > 0 && norm > configuration.clipping ? configuration.clipping / norm : 1
        optimizer.step(gradients.gradients, learningRate: rate, gradientScale: clip / Double(configuration.accumulation), threads: threads)
        step += 1
        updateAverages()
        return (zip(tasks, losses).map { ($0.task.name, $1) }, rate, norm, sentences)
    }

    /// Where a task's sentences lie in the joint batch: column by column, n each.
    private struct Part: Sendable {
        var index: Int
        var rows: [Int]
        var first: Int
        var columns: Int
        var count: Int { rows.count * columns }
    }

    private func addSentenceTasks(_ random: RandomSource, _ losses: inout [Double]) throws -> Int {
        var chosen: [Part] = [], joint: [[Int32]] = []
        for index in tasks.indices where !tasks[index].task.objective.isLanguage {
            let rows = tasks[index].sampler.next(), table = tasks[index].table, dropping = tasks[index].task.wordDropout
            var stream = random.split(500 + UInt64(index))
            chosen.append(Part(index: index, rows: rows, first: joint.count, columns: table.columns))
            for column in 0..<table.columns {
                for row in rows {
                    let ids = Array(table.sentence(row: row, column: column))
                    joint.append(dropping > 0 ? Self.dropped(ids, dropping, &stream) : ids)
                }
            }
        }
        guard !chosen.isEmpty else { return 0 }
        let parts = chosen
        let sharding = Sharding(lengths: joint.map(\.count), shardTokens: configuration.shardTokens) { joint[$0][...] }
        var drawn = random
        let size = configuration.encoder.hiddenSize, encoder = encoder, mode = poolingMode, threads = threads, loaded = tasks,
            sentences = joint
        var found = [Double](repeating: 0, count: parts.count)
        let precision = configuration.precision
        // Gradients of what a loss itself learns, one store per task.
        var projections: [GradientStore<Float>] = []
        try gradients.add(shards: sharding.batches.count, seed: drawn.next()) { shard, tape in
            let batch = sharding.batches[shard]
            return pooled(encoder(batch, on: tape), offsets: batch.offsets, mode: mode, on: tape)
        } loss: { outputs in
            // Vectors in the batch's own order, each task's together.
            var vectors = Tensor<Float>(uninitialized: [sentences.count, size]), slopes = Tensor<Float>(shape: [sentences.count, size])
            for case (let members, let output?) in zip(sharding.members, outputs) {
                for (i, sentence) in members.enumerated() { Float.copy(output.view[i], into: &vectors[rows: sentence..<sentence + 1]) }
            }
            let all = vectors
            let results = Parallel.map(parts.count, threads: threads) { which, _ in
                let part = parts[which], tape = Tape<Float>(precision: precision)
                let leaf = tape.input(all.rows(part.first..<part.first + part.count))
                let loss = Self.loss(loaded[part.index], part.rows, leaf, sentences[part.first..<part.first + part.count], on: tape)
                tape.backward(from: scaled(loss, by: Float(loaded[part.index].task.weight), on: tape))
                return (loss: Double(loss.value[0]), slopes: tape.gradient(of: leaf), ofProjection: tape.store)
            }
            found = results.map(\.loss)
            projections = results.map(\.ofProjection)
            for (part, result) in zip(parts, results) {
                Float.copy(result.slopes.view, into: &slopes[rows: part.first..<part.first + part.count])
            }
            return sharding.members.map { members in
                var seed = Tensor<Float>(uninitialized: [members.count, size])
                Float.gatherRows(slopes.view, members.map(Int32.init), into: &seed.target)
                return seed
            }
        }
        gradients.add(projections)
        for (which, part) in parts.enumerated() { losses[part.index] += found[which] }
        return joint.count
    }

    /// Every token but the first and last falls out with the given probability; one always stays.
    private static func dropped(_ ids: [Int32], _ rate: Double, _ random: inout RandomSource) -> [Int32] {
        guard ids.count > 3 else { return ids }
        let kept = ids.indices.filter { $0 == 0 || $0 == ids.count - 1 || random.uniform() >= rate }
        return kept.count > 2 ? kept.map { ids[$0] } : ids
    }

    /// The loss of a task over its vectors, which lie column by column.
    private static func loss(
        _ loaded: LoadedTask, _ chosen: [Int], _ vectors: Variable<Float>, _ sentences: ArraySlice<[Int32]>, on tape: Tape<Float>
    ) -> Variable<Float> {
        let task = loaded.task, n = chosen.count, scale = Float(task.scale)
        let columns = (0..<loaded.table.columns).map { rows(vectors, $0 * n..<($0 + 1) * n, on: tape) }
        let teachers = loaded.teachers.map { $0.rows(chosen) }
        let groups = loaded.table.groups.isEmpty ? [] : chosen.map { loaded.table.groups[$0] }
        func teacher(_ column: Int) -> Tensor<Float> { teachers.count > 1 ? teachers[column] : teachers[0] }
        func contrastive(_ columns: [Variable<Float>]) -> Variable<Float> {
            let negatives = columns.count > 2 ? concatenatedRows(Array(columns[2...]), on: tape) : nil
            return inBatchNegativesLoss(
                anchors: columns[0], positives: columns[1], negatives: negatives, scale: scale, symmetric: task.isSymmetric,
                confusable: confusable(sentences, n, groups: groups), on: tape)
        }
        func similarity(_ columns: [Variable<Float>]) -> Variable<Float> {
            let other = columns.count > 1 ? 1 : 0
            return similarityDistillationLoss(
                queries: columns[0], keys: columns[other], teacherQueries: teacher(0), teacherKeys: teacher(other),
                scale: scale, on: tape)
        }
        /// Over prefixes of the vectors as well, where the task says so.
        func nested(_ loss: ([Variable<Float>]) -> Variable<Float>) -> Variable<Float> {
            guard !task.matryoshka.isEmpty else { return loss(columns) }
            let whole = vectors.value.columns
            let dimensions = task.matryoshka.contains(whole) ? task.matryoshka : [whole] + task.matryoshka
            return matryoshkaLoss(
                columns, dimensions: dimensions, weights: dimensions.map { _ in 1 / Float(dimensions.count) }, on: tape, loss)
        }
        switch task.objective {
        case .contrastive: return nested(contrastive)
        case .cosent:
            let labels = chosen.map { loaded.table.scores[$0] }
            return nested { cosentLoss(first: $0[0], second: $0[1], labels: labels, scale: scale, on: tape) }
        case .cosine:
            let range = task.scoreRange
            let labels = chosen.map { (loaded.table.scores[$0] - range.lowerBound) / (range.upperBound - range.lowerBound) }
            return nested { cosineRegressionLoss(first: $0[0], second: $0[1], labels: labels, on: tape) }
        case .triplet:
            return nested {
                tripletLoss(
                    anchors: $0[0], positives: $0[1], negatives: $0[2], distance: task.distance, margin: Float(task.margin), on: tape)
            }
        case .similarityDistillation: return nested(similarity)
        case .distillation:
            // Both of length 1, and per vector instead of per component: 2 − 2 cosine.
            var parts: [Variable<Float>] = []
            for (place, column) in columns.enumerated() where task.regressionWeight > 0 {
                let student = normalizedRows(loaded.projection?(column, on: tape) ?? column, on: tape)
                let error = meanSquaredError(student, Variable(teacher(place)), divisor: Float(n * columns.count), on: tape)
                parts.append(task.regressionWeight == 1 ? error : scaled(error, by: Float(task.regressionWeight), on: tape))
            }
            if task.contrastiveWeight > 0 { parts.append(scaled(nested(contrastive), by: Float(task.contrastiveWeight), on: tape)) }
            if task.similarityWeight > 0 { parts.append(scaled(nested(similarity), by: Float(task.similarityWeight), on: tape)) }
            return parts.dropFirst().reduce(parts[0]) { sum($0, $1, on: tape) }
        case .maskedLanguage, .nextToken: preconditionFailure("language modelling has no sentence vectors")
        }
    }

    /// Pairs of rows whose sentences are the same, or that are of one group: no negatives of each other.
    private static func confusable(_ sentences: ArraySlice<[Int32]>, _ n: Int, groups: [Int]) -> [(Int, Int)] {
        let anchors = Array(sentences.prefix(n)), positives = Array(sentences.dropFirst(n).prefix(n))
        var rowsOfAnchor: [[Int32]: [Int]] = [:], rowsOfPositive: [[Int32]: [Int]] = [:]
        for i in 0..<n {
            rowsOfAnchor[anchors[i], default: []].append(i)
            rowsOfPositive[positives[i], default: []].append(i)
        }
        var pairs = Set<Int>()
        let together = [rowsOfAnchor, rowsOfPositive].flatMap(\.values) + Dictionary(grouping: groups.indices) { groups[$0] }.values
        for rows in together where rows.count > 1 {
            for i in rows { for j in rows where i != j { pairs.insert(i * n + j) } }
        }
        return pairs.sorted().map { ($0 / n, $0 % n) }
    }

    // MARK: Masked language

    private func addLanguageTask(_ index: Int, _ random: RandomSource, _ losses: inout [Double]) throws -> Int {
        guard let head else { return 0 }
        let rows = tasks[index].sampler.next(), loaded = tasks[index]
        var stream = random.split(700 + UInt64(index))
        var masking = loaded.task.objective == .maskedLanguage ? masking : nil
        masking?.rate = loaded.task.maskingRate
        let sequences = loaded.table.languageSequences(
            rows: rows, of: loaded.task, masking: masking, longest: configuration.encoder.longestSequence, random: &stream)
        let total = sequences.reduce(0) { $0 + $1.places.count }
        guard total > 0 else { return 0 }
        let sharding = Sharding(lengths: sequences.map(\.ids.count), shardTokens: configuration.shardTokens) { sequences[$0].ids[...] }
        let shards = sharding.members.map { members in
            var shard = MaskedBatch()
            for member in members {
                let sequence = sequences[member], first = shard.batch.tokens
                shard.batch.append(sequence.ids, typeIDs: sequence.isRandom == nil ? nil : sequence.types)
                shard.rows += sequence.places.map { first + $0 }
                shard.targets += sequence.originals
                if let isRandom = sequence.isRandom { shard.isRandomNext.append(isRandom) }
            }
            return shard
        }
        var drawn = stream
        let encoder = encoder, count = sequences.count, weight = Float(loaded.task.weight)
        var loss = 0.0
        try gradients.add(shards: shards.count, seed: drawn.next()) { shard, tape in
            head.loss(encoder(shards[shard].batch, on: tape), shards[shard], maskedInBatch: total, sequencesInBatch: count, on: tape)?.loss
        } loss: { outputs in
            loss = outputs.reduce(0) { $0 + Double($1?[0] ?? 0) }
            return outputs.map { output in output.map { _ in Tensor([weight], shape: [1]) } }
        }
        losses[index] += loss
        return count
    }
}
