import FileFormats
import Foundation

/// A Methods paragraph, in English or Japanese, from the provenance of a result. It claims nothing beyond the record.
public struct MethodsText {
    /// English or Japanese.
    public enum Language: String, CaseIterable { case en, ja }

    /// The paragraph.
    public private(set) var paragraph = ""
    /// The works that the paragraph cites, in order of appearance.
    public private(set) var cited: [Bibliography] = []
    let language: Language

    /// - Throws: `DataError` if the record says too little for a paragraph.
    public init(_ facts: MethodsFacts, language: Language) throws {
        self.language = language
        var sentences: [String] = []
        if let vectors = facts.vectors {
            if vectors["layers"] != nil {
                sentences += describe(words: vectors)
            } else if let pooling = vectors["pooling"]?.string, pooling.hasPrefix("word") {
                sentences +=
                    pooling == "word"
                    ? describe(wordVectors: vectors, record: facts.record) : describe(wordMeans: vectors, pooling: pooling)
            } else if vectors["pooling"]?.string == "target word" {
                sentences += describe(targetWords: vectors, record: facts.record)
            } else {
                sentences += describe(vectors: vectors)
            }
        } else if let architecture = facts.record["architecture"]?.string, ["skip-gram", "cbow"].contains(architecture) {
            // Trained words in a format of others' (.vec, .bin), which says nothing itself.
            let size: [(key: String, value: JSON)] = [
                ("rows", facts.record["words"] ?? .null), ("dimension", facts.record["dimension"] ?? .null),
            ]
            sentences += describe(wordVectors: .object(size), record: facts.record)
        }
        let ofWords = facts.record["encoder"]?["pooling"]?.string?.hasPrefix("word") == true
        // Of a fine-tuned classifier the vectors are a baseline only.
        if let encoder = facts.record["encoder"], !["fine-tuned", "setfit"].contains(facts.record["training"]?.string ?? "") {
            sentences +=
                ofWords
                ? describe(wordEncoder: encoder, inputs: facts.record["inputs"])
                : describe(encoder: encoder, inputs: facts.record["inputs"])
        }
        switch facts.record["method"]?.string {
        case "t-SNE": sentences += describe(tsne: facts.record)
        case "t-SNE, placed on an existing map": sentences += describe(placement: facts.record)
        case "UMAP": sentences += describe(umap: facts.record)
        case "UMAP, placed on an existing map": sentences += describe(placement: facts.record)
        case "PCA": sentences += describe(pca: facts.record)
        case "structural probe": sentences += describe(probe: facts.record)
        case "spherical k-means", "communities": sentences += describe(clusters: facts.record)
        case "contrast": sentences += describe(contrast: facts.record)
        case "RSA": sentences += describe(similarityAnalysis: facts.record)
        case "MDS": sentences += describe(scaling: facts.record)
        case "encoding model": sentences += describe(encoding: facts.record)
        case "hierarchical clustering": sentences += describe(tree: facts.record)
        case "dissimilarity matrix": sentences += describe(matrix: facts.record)
        case "naming simulation": sentences += describe(naming: facts.record)
        case "cosine ranking": sentences += describe(ranking: facts.record)
        case "pair mining": sentences += describe(mining: facts.record)
        case "pair cosines": sentences += describe(pairs: facts.record)
        case "semantic textual similarity": sentences += describe(similarity: facts.record)
        case "retrieval": sentences += describe(retrieval: facts.record)
        case "group evaluation": sentences += describe(groups: facts.record)
        case "projection": sentences += describe(projection: facts.record)
        case "semantic axis": sentences += describe(axis: facts.record)
        case "analogies": sentences += describe(analogies: facts.record)
        case "forced choice": sentences += describe(choice: facts.record)
        case "surprisal": sentences += describe(surprisal: facts.record)
        case "fill": sentences += describe(fill: facts.record)
        case "minimal pairs": sentences += describe(minimalPairs: facts.record)
        case "reading times": sentences += describe(reading: facts.record)
        case "attention", "attention rollout": sentences += describe(attention: facts.record)
        case "similarity attribution", "score attribution": sentences += describe(attribution: facts.record)
        case "classifier evaluation": sentences += describe(classifier: facts.record)
        case "multi-task training": sentences += describe(multiTask: facts.record)
        case "classification": sentences += describe(classification: facts.record)
        case "autoencoder": sentences += describe(autoencoder: facts.record)
        default: break
        }
        guard !sentences.isEmpty else {
            throw DataError(
                .badData, "its record has neither a model nor a method to describe; make the file again with this version", file: facts.path
            )
        }
        if let input = facts.record["inputs"]?.array?.first, facts.record["encoder"] == nil, facts.vectors != nil,
            facts.record["method"] != nil
        {
            let name = input["name"]?.string ?? "", hash = input["sha256"]?.string ?? ""
            if !hash.isEmpty {
                sentences.append(
                    say(
                        "The vectors were read from \(name) (SHA-256 \(hash.prefix(12))…).",
                        "ベクトルは\(name)（SHA-256: \(hash.prefix(12))…）から読んだ。"))
            }
        }
        let kernels = facts.record["kernels"]?.string
        sentences.append(
            say(
                "The computation was done with \(facts.program)\(kernels.map { " (processor kernels \($0))" } ?? "").",
                "計算には\(facts.program)\(kernels.map { "（演算カーネル: \($0)）" } ?? "")を用いた。"))
        paragraph = sentences.joined(separator: language == .en ? " " : "")
    }

    func say(_ english: String, _ japanese: String) -> String { language == .en ? english : japanese }

    mutating func cite(_ works: Bibliography...) -> String {
        for work in works where !cited.contains(work) { cited.append(work) }
        let names = works.map(\.citation).joined(separator: "; ")
        return language == .en ? " (\(names))" : "（\(names)）"
    }

    static func number(_ value: JSON?) -> String? {
        guard let value else { return nil }
        if let whole = value.int { return NumberText.grouped(whole) }
        guard let number = value.double else { return value.string }
        return abs(number) >= 0.01 && abs(number) < 10_000
            ? NumberText.fixed(number, number == number.rounded() ? 0 : 2) : String(format: "%.2e", number)
    }

    private mutating func cite(_ works: Bibliography..., also note: String) -> String {
        for work in works where !cited.contains(work) { cited.append(work) }
        let names = works.map(\.citation).joined(separator: "; ")
        return language == .en ? " (\(names); \(note))" : "（\(names)。\(note)）"
    }

    /// "1 pair", "2 pairs".
    private func counted(_ value: JSON?, _ one: String, _ many: String? = nil) -> String {
        let count = value?.int ?? 0
        return "\(NumberText.grouped(count)) \(count == 1 ? one : many ?? one + "s")"
    }

    /// A file and the beginning of its hash.
    func named(_ name: String, _ hash: String) -> String {
        guard !name.isEmpty else { return say("a file", "入力") }
        guard !hash.isEmpty else { return name }
        return say("\(name) (SHA-256 \(hash.prefix(12))…)", "\(name)（SHA-256: \(hash.prefix(12))…）")
    }

    /// How an encoder's vectors come about: pooling, length, precision.
    private func manner(_ vectors: JSON) -> String {
        let pooling = vectors["pooling"]?.string ?? "", limit = Self.number(vectors["max_length"]) ?? "",
            precision = vectors["precision"]?.string ?? "f32"
        let unit = vectors["normalized"]?.bool == true
        return say(
            "\(pooling) pooling over the last layer's token vectors, truncation to \(limit) tokens and \(precision) arithmetic"
                + "\(unit ? "; vectors were scaled to unit length" : "")",
            "文ベクトルは最終層のトークンベクトルの\(Self.japanese(pooling: pooling))であり、\(limit)トークンを超える部分は切り捨て、演算精度は\(precision)とした"
                + "\(unit ? "。ベクトルは長さ1に正規化した" : "")")
    }

    private func modelHash(_ vectors: JSON) -> String {
        let hash = String((vectors["model_sha256"]?.string ?? "").prefix(12))
        return say("SHA-256 of the model \(hash)…", "モデルのSHA-256は\(hash)…")
    }

    private func describePrompt(_ vectors: JSON) -> [String] {
        guard let prompt = vectors["prompt"]?.string, !prompt.isEmpty else { return [] }
        return [say("The prompt “\(prompt)” was prepended to every sentence.", "各文の前にプロンプト「\(prompt)」を付した。")]
    }

    private mutating func describe(vectors: JSON) -> [String] {
        let model = vectors["model"]?.string ?? "", dimension = Self.number(vectors["dimension"]) ?? ""
        let all = vectors["rows"]?.int ?? 0, valid = vectors["valid_rows"]?.int ?? all, rows = NumberText.grouped(valid)
        let source = named(vectors["source"]?.string ?? "", vectors["source_sha256"]?.string ?? "")
        let encoder = cite(.sentenceTransformers, also: modelHash(vectors))
        var result = [
            say(
                "\(valid == 1 ? "The sentence" : "Each of the \(rows) sentences") of \(source) was embedded as a \(dimension)-dimensional vector with the sentence encoder "
                    + "\(model)\(encoder), using \(manner(vectors)).",
                "\(source)の\(rows)文のそれぞれを、文埋め込みモデル\(model)\(encoder)によって\(dimension)次元のベクトルに変換した。\(manner(vectors))。")
        ]
        if all > valid {
            let empty = all - valid
            result.append(
                say(
                    empty == 1
                        ? "One row without a sentence was excluded."
                        : "\(NumberText.grouped(empty)) rows without a sentence were excluded.",
                    "文のない\(NumberText.grouped(empty))行は除いた。"))
        }
        result += describePrompt(vectors)
        if let storage = vectors["storage"]?.string, storage != "float32" {
            result.append(say("Vectors were stored as \(storage).", "ベクトルは\(storage)として保存した。"))
        }
        return result
    }

    /// Vectors that were made for the result and not kept.
    private mutating func describe(encoder vectors: JSON, inputs: JSON?) -> [String] {
        let model = vectors["model"]?.string ?? "", dimension = Self.number(vectors["dimension"]) ?? "", input = inputs?.array?.first
        let source = named(input?["name"]?.string ?? "", input?["sha256"]?.string ?? ""),
            encoder = cite(.sentenceTransformers, also: modelHash(vectors))
        return [
            say(
                "The sentences of \(source) were embedded as \(dimension)-dimensional vectors with the sentence encoder \(model)\(encoder), using \(manner(vectors)).",
                "\(source)の各文を、文埋め込みモデル\(model)\(encoder)によって\(dimension)次元のベクトルに変換した。\(manner(vectors))。")
        ] + describePrompt(vectors)
    }

    private mutating func describe(ranking: JSON) -> [String] {
        if ranking["scoring"]?.string != nil { return describe(arithmetic: ranking) }
        var result = [
            say(
                "For \(counted(ranking["queries"], "query", "queries")), the \(counted(ranking["top"], "sentence")) with the highest cosine to the query's vector "
                    + "\(ranking["top"]?.int == 1 ? "was" : "were") found by exact search.",
                "\(Self.number(ranking["queries"]) ?? "")件のクエリについて、クエリのベクトルとのコサイン類似度が高い文を、上位\(Self.number(ranking["top"]) ?? "")件まで全数探索で求めた。"
            )
        ]
        let filters = ranking["where"]?.array?.compactMap(\.string) ?? []
        if !filters.isEmpty {
            result.append(
                say("Only rows with \(filters.joined(separator: " and ")) were searched.", "探索の対象は\(filters.joined(separator: "、"))の行に限った。")
            )
        }
        if let least = ranking["threshold"]?.string {
            let (share, isShare) = (least.dropFirst(), least.hasPrefix("q"))
            result.append(
                say(
                    isShare
                        ? "Results below the \(share)th percentile of the cosines of random pairs were excluded."
                        : "Results with a cosine below \(least) were excluded.",
                    isShare ? "無作為に選んだ対のコサイン類似度の\(share)パーセンタイルに満たない文は除いた。" : "コサイン類似度が\(least)に満たない文は除いた。"))
        }
        if let diversity = ranking["diversity"]?.double, diversity > 0 {
            let weight = NumberText.fixed(diversity, 2)
            result.append(
                say(
                    "Results were selected by maximal marginal relevance (diversity \(weight))\(cite(.marginalRelevance)).",
                    "文の選択には最大周辺関連度（多様性の重み\(weight)）\(cite(.marginalRelevance))を用いた。"))
        }
        return result
    }

    private func describe(mining: JSON) -> [String] {
        let least = mining["threshold"]?.double.map { NumberText.fixed($0, 3) }
        var limits: [(String, String)] = []
        if let least { limits.append(("with a cosine of at least \(least)", "コサイン類似度\(least)以上")) }
        if mining["identical_left_out"]?.bool == true { limits.append(("of different sentences", "異なる文どうし")) }
        if mining["between_groups"]?.bool == true { limits.append(("between groups", "異なる群の間")) }
        let random = say(
            "random pairs (n = \(Self.number(mining["random_pairs"]) ?? "")) had a mean cosine of \(NumberText.fixed(mining["random_mean"]?.double ?? .nan, 3)), "
                + "99 % of them below \(NumberText.fixed(mining["random_q99"]?.double ?? .nan, 3))",
            "無作為に選んだ\(Self.number(mining["random_pairs"]) ?? "")対の平均は\(NumberText.fixed(mining["random_mean"]?.double ?? .nan, 3))、99パーセンタイルは\(NumberText.fixed(mining["random_q99"]?.double ?? .nan, 3))であった"
        )
        return [
            say(
                "The \(counted(mining["pairs"], "most similar pair", "most similar pairs")) of sentences\(limits.isEmpty ? "" : " " + limits.map(\.0).joined(separator: ", ")) "
                    + "\(mining["pairs"]?.int == 1 ? "was" : "were") found by the cosine of their vectors, by exact search over all pairs; \(random).",
                "文ベクトルのコサイン類似度が最も高い\(Self.number(mining["pairs"]) ?? "")対\(limits.isEmpty ? "" : "（\(limits.map(\.1).joined(separator: "、"))）")を、全対の全数探索で求めた。\(random)。"
            )
        ]
    }

    private func describe(pairs: JSON) -> [String] {
        [
            say(
                "The similarity of the two sentences of each of \(counted(pairs["pairs"], "pair")) is the cosine of their vectors.",
                "\(Self.number(pairs["pairs"]) ?? "")対のそれぞれについて、2文の類似度をベクトルのコサイン類似度とした。")
        ]
    }

    private func describe(similarity: JSON) -> [String] {
        func figure(_ name: String) -> String { NumberText.fixed(similarity[name]?.double ?? .nan, 3) }
        let samples = Self.number(similarity["bootstrap_samples"]) ?? "", seed = Self.number(similarity["seed"]) ?? "0"
        let ofWords = similarity["encoder"]?["pooling"]?.string?.hasPrefix("word") == true
        let uncovered = similarity["pairs_without_vector"]?.int ?? 0, isOne = uncovered == 1
        let coverage =
            uncovered > 0
            ? [
                say(
                    "\(NumberText.grouped(uncovered)) further \(isOne ? "pair was" : "pairs were") excluded because a word had no vector.",
                    "ベクトルのない語を含む\(NumberText.grouped(uncovered))対は除いた。")
            ] : []
        return [
            say(
                "Cosines of \(counted(similarity["pairs"], "pair")) of \(ofWords ? "words" : "sentences") were correlated with human ratings "
                    + "(Pearson's r = \(figure("pearson")), Spearman's ρ = \(figure("spearman"))); "
                    + "intervals are based on Fisher's z and on \(samples) bootstrap samples of pairs, seed \(seed).",
                "\(Self.number(similarity["pairs"]) ?? "")対のコサイン類似度と人の評定値との相関を求めた（Pearsonのr = \(figure("pearson"))、Spearmanのρ = \(figure("spearman"))）。"
                    + "区間はFisherのz変換と、対の再標本抽出\(samples)回のブートストラップ（シード\(seed)）による。")
        ] + coverage
    }

    private func describe(retrieval: JSON) -> [String] {
        func share(_ name: String) -> String { NumberText.fixed(retrieval[name]?.double ?? .nan, 3) }
        let right =
            switch retrieval["right_answer"]?.string {
            case "any of the group": say("any sentence of its group", "同じ群の文のいずれか")
            case "any partner": say("any of its partners", "対になる文のいずれか")
            default: say("its partner", "対になる文")
            }
        return [
            say(
                "In \(counted(retrieval["pairs"], "pair")), each of \(counted(retrieval["first_sentences"], "different first sentence")) was a query for \(right) among "
                    + "\(counted(retrieval["second_sentences"], "second sentence")) by cosine, and vice versa; it was ranked first in \(share("first_to_second_top1")) and \(share("second_to_first_top1")) of cases.",
                "\(Self.number(retrieval["pairs"]) ?? "")対において、異なる\(Self.number(retrieval["first_sentences"]) ?? "")文のそれぞれが、相手側の\(Self.number(retrieval["second_sentences"]) ?? "")文の中から\(right)をコサイン類似度で探し、逆方向についても同様とした。"
                    + "首位となった割合は\(share("first_to_second_top1"))と\(share("second_to_first_top1"))であった。")
        ]
    }

    private func describe(groups: JSON) -> [String] {
        let found = groups["nearest_of_same_group"]?.double.map { NumberText.fixed($0, 3) },
            precision = groups["r_precision"]?.double.map { NumberText.fixed($0, 3) }
        let by = groups["by"]?.string
        return [
            say(
                "For each sentence in a group with at least two sentences, it was determined whether the nearest other sentence by cosine is in the same group"
                    + (by.map { ", within and between the values of “\($0)”" } ?? "")
                    + (found.map { " (\($0) of \(counted(groups["sentences"], "sentence")); R-precision \(precision ?? ""))" } ?? "") + ".",
                "同じ群に他の文がある各文について、コサイン類似度で最も近い文が同じ群に属するかを調べた" + (by.map { "（「\($0)」の値の内と間で）" } ?? "")
                    + (found.map { "（\(Self.number(groups["sentences"]) ?? "")文のうち\($0)、R適合率\(precision ?? "")）" } ?? "") + "。")
        ]
    }

    private func describe(placement: JSON) -> [String] {
        let map = placement["inputs"]?.array?.dropFirst().first, name = named(map?["name"]?.string ?? "", map?["sha256"]?.string ?? "")
        let isUMAP = placement["method"]?.string?.hasPrefix("UMAP") == true, kind = isUMAP ? "UMAP" : "t-SNE"
        let divergence = placement["mean_divergence"]?.double.map { NumberText.fixed($0, 3) }
        return [
            say(
                "They were placed on the \(kind) map \(name), whose points did not move"
                    + "\(divergence.map { " (mean Kullback–Leibler divergence of a point's neighbourhood \($0))" } ?? "").",
                "得られた点を\(kind)の地図\(name)に、既存の点を動かさずに配置した\(divergence.map { "（各点の近傍のKullback–Leibler情報量の平均は\($0)）" } ?? "")。")
        ]
    }

    /// Vectors of a treebank's words. A file of another program does not say where they are from.
    private mutating func describe(words vectors: JSON) -> [String] {
        let sentences = Self.number(vectors["sentences"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? "",
            layers = Self.list(vectors["layers"])
        guard let model = vectors["model"]?.string else {
            return [
                say(
                    "The words of \(sentences) sentences had \(dimension)-dimensional vectors made with another program.",
                    "\(sentences)文の各語には、他のプログラムで作成した\(dimension)次元のベクトルを用いた。")
            ]
        }
        let hash = String((vectors["model_sha256"]?.string ?? "").prefix(12)), source = vectors["source"]?.string ?? "",
            precision = vectors["precision"]?.string ?? "f32"
        let isSpaced = vectors["text"]?.string == "spaced"
        let merging =
            switch vectors["pieces"]?.string {
            case "first": say("that of its first word piece", "最初のサブワードのベクトル")
            case "last": say("that of its last word piece", "最後のサブワードのベクトル")
            default: say("the mean of the vectors of its word pieces", "サブワードのベクトルの平均")
            }
        var result = [
            say(
                "Each word of the \(sentences) sentences of \(source) was represented by \(dimension)-dimensional vectors from layers \(layers) (0: the embeddings) of the encoder "
                    + "\(model) (SHA-256 of the model \(hash)…): a word's vector is \(merging), the encoder read \(isSpaced ? "the words separated by spaces" : "the sentences as written"), in \(precision) arithmetic.",
                "\(source)の\(sentences)文の各語に、エンコーダー\(model)（モデルのSHA-256は\(hash)…）の第\(layers)層（0は埋め込み層）から\(dimension)次元のベクトルを与えた。"
                    + "語のベクトルは\(merging)であり、エンコーダーには\(isSpaced ? "語を空白で区切った文" : "表記どおりの文")を入力し、演算精度は\(precision)とした。")
        ]
        if vectors["storage"]?.string == "float16" { result.append(say("Vectors were stored as float16.", "ベクトルはfloat16として保存した。")) }
        return result
    }

    private mutating func describe(probe: JSON) -> [String] {
        let kinds = probe["kinds"]?.array?.compactMap(\.string) ?? []
        let ranks = Self.list(probe["ranks"]), seeds = Self.list(probe["seeds"]), layers = Self.list(probe["layers"])
        let train = probe["train"]?.string ?? "", dev = probe["dev"]?.string ?? "", count = Self.number(probe["train_sentences"]) ?? ""
        let rate = probe["learning_rate"]?.double.map { "\($0)" } ?? "", batch = Self.number(probe["batch"]) ?? "",
            punctuation = probe["punctuation"]?.string ?? "nothing"
        let isStandardized = probe["scaling"]?.string == "standardized"
        let aims = kinds.map {
            $0 == "distance"
                ? say("squared distances of word vectors are distances in the dependency tree", "語のベクトル間の距離の2乗が係り受け木における距離になる")
                : say("squared lengths of word vectors are depths in it", "語のベクトルの長さの2乗が木における深さになる")
        }
        var result = [
            say(
                "Structural probes\(cite(.structuralProbe)), linear maps of rank \(ranks) under which \(aims.joined(separator: " and ")), were trained on layers \(layers) and the \(count) sentences of \(train) "
                    + "with Adam (learning rate \(rate), \(batch) sentences per batch\(isStandardized ? ", components standardized" : "")), with early stopping by the loss on \(dev), seeds \(seeds). Excluded from the scored trees: \(punctuation).",
                "構造プローブ\(cite(.structuralProbe))、すなわち\(aims.joined(separator: "、および"))ような階数\(ranks)の線形写像を、第\(layers)層について\(train)の\(count)文で学習した（Adam、学習率\(rate)、"
                    + "バッチ\(batch)文\(isStandardized ? "、成分は標準化" : "")）。学習は\(dev)の損失で打ち切り、シードは\(seeds)とした。評価する木から除いたもの: \(punctuation)。")
        ]
        if probe["control_task"]?.bool == true {
            result.append(
                say("Selectivity was measured against the control task\(cite(.controlTask)).", "統制課題\(cite(.controlTask))との差を選択性とした。"))
        }
        return result
    }

    private static func list(_ numbers: JSON?) -> String {
        (numbers?.array ?? []).compactMap { $0.int.map(String.init) }.joined(separator: ", ")
    }

    private static func japanese(pooling: String) -> String {
        [
            "mean": "平均", "cls": "先頭トークン（CLS）のベクトル", "max": "最大値", "lasttoken": "末尾トークンのベクトル", "mean_sqrt_len": "和を長さの平方根で割ったもの",
            "weightedmean": "位置で重み付けした平均",
        ][pooling] ?? "\(pooling)プーリング"
    }

    private mutating func describe(tsne: JSON) -> [String] {
        let how =
            switch tsne["gradient"]?.string {
            case "barnesHut": say("approximated with the Barnes–Hut tree\(cite(.barnesHut))", "Barnes–Hut木による近似\(cite(.barnesHut))")
            case "interpolation":
                say(
                    "approximated by interpolation with the fast Fourier transform\(cite(.interpolation))",
                    "高速フーリエ変換を用いた補間による近似\(cite(.interpolation))")
            default: say("computed over all pairs", "全対による計算")
            }
        let neighbors = Self.number(tsne["affinity_neighbors"]) ?? "", isOverAll = tsne["affinities"]?.string == "all"
        let between =
            isOverAll
            ? say("affinities over all pairs of points", "類似度は全対について計算し")
            : neighbors.isEmpty
                ? say("affinities to near neighbours only", "類似度は近傍についてのみ計算し")
                : say("affinities to each point's \(neighbors) nearest neighbours only", "類似度は各点の近傍\(neighbors)点についてのみ計算し")
        let perplexity = tsne["perplexity"]?.string ?? "", iterations = Self.number(tsne["iterations"]) ?? ""
        let seed = Self.number(tsne["seed"]) ?? "0", preprocessing = tsne["preprocessing"]?.string ?? ""
        let initial = tsne["initialization"]?.string == "pca"
        var result = [
            say(
                "The vectors of \(counted(tsne["points"], "row")) were mapped with t-SNE\(cite(.tsne)): \(Self.english(preprocessing: preprocessing)), "
                    + "perplexity \(perplexity), \(between), \(iterations) iterations, repulsion \(how).",
                "\(Self.number(tsne["points"]) ?? "")個のベクトルをt-SNE\(cite(.tsne))で配置した。距離は\(Self.japanese(preprocessing: preprocessing))、perplexityは\(perplexity)、\(between)、反復は\(iterations)回、斥力は\(how)である。"
            )
        ]
        if let early = Self.number(tsne["early_exaggeration"]), let count = Self.number(tsne["early_iterations"]),
            let rate = Self.number(tsne["learning_rate"])
        {
            let start = say(
                initial ? "the first principal components\(cite(.initialization))" : "random positions",
                initial ? "主成分\(cite(.initialization))" : "乱数")
            result.append(
                say(
                    "The map started from \(start); early exaggeration was \(early) for \(count) iterations and the learning rate \(rate == "points / exaggeration" ? "the number of points over the exaggeration" : rate)\(cite(.learningRate)), seed \(seed).",
                    "初期配置には\(start)を用い、early exaggerationは最初の\(count)回で\(early)、学習率は\(rate.replacingOccurrences(of: "points / exaggeration", with: "点数／exaggeration"))\(cite(.learningRate))、シードは\(seed)とした。"
                ))
        }
        if let divergence = tsne["kullback_leibler_divergence"]?.double {
            let over = isOverAll ? say("over all pairs", "全対について") : say("over these neighbours", "これらの近傍について")
            let all = isOverAll ? nil : tsne["kullback_leibler_divergence_over_all_pairs"]?.double.map { NumberText.fixed($0, 3) }
            result.append(
                say(
                    "The final Kullback–Leibler divergence \(over) was \(NumberText.fixed(divergence, 3))\(all.map { ", over all pairs \($0)" } ?? "").",
                    "最終的なKullback–Leibler情報量は\(over)\(NumberText.fixed(divergence, 3))\(all.map { "、全対について\($0)" } ?? "")であった。"))
        }
        return result
    }

    private mutating func describe(umap: JSON) -> [String] {
        let points = Self.number(umap["points"]) ?? "", neighbors = Self.number(umap["neighbors"]) ?? "",
            near = Self.number(umap["minimum_distance"]) ?? ""
        let epochs = Self.number(umap["epochs"]) ?? "", seed = Self.number(umap["seed"]) ?? "0",
            preprocessing = umap["preprocessing"]?.string ?? ""
        let isPCA = umap["initialization"]?.string == "pca"
        let start = say(isPCA ? "the first principal components" : "random positions", isPCA ? "主成分" : "乱数")
        var result = [
            say(
                "The vectors of \(counted(umap["points"], "row")) were mapped with UMAP\(cite(.umap)): \(Self.english(preprocessing: preprocessing)), \(neighbors) neighbours "
                    + "(exact), minimum distance \(near), \(epochs) epochs, started from \(start), seed \(seed).",
                "\(points)個のベクトルをUMAP\(cite(.umap))で配置した。距離は\(Self.japanese(preprocessing: preprocessing))、近傍数は\(neighbors)（厳密な近傍）、"
                    + "min_distは\(near)、エポック数は\(epochs)、初期配置は\(start)、シードは\(seed)である。")
        ]
        if let column = umap["supervised_by"]?.string {
            result.append(
                say(
                    "The map was supervised by the column \(column), and therefore separates its values by construction.",
                    "この配置は列「\(column)」を教師とし、その値どうしを離すように作られている。"))
        }
        return result
    }

    private static func english(preprocessing: String) -> String {
        preprocessing.replacingOccurrences(
            of: "Euclidean on L2-normalized vectors", with: "Euclidean distances between vectors scaled to unit length"
        )
        .replacingOccurrences(of: "Euclidean,", with: "Euclidean distances,").replacing(/^Euclidean$/, with: "Euclidean distances")
        .replacing(/, (\d+) principal components$/, with: { ", reduced to \($0.output.1) principal components first" })
    }

    private static func japanese(preprocessing: String) -> String {
        preprocessing.replacingOccurrences(of: "Euclidean on L2-normalized vectors", with: "長さ1に正規化したベクトル間のユークリッド距離")
            .replacingOccurrences(of: "Euclidean", with: "ユークリッド距離").replacingOccurrences(of: " principal components", with: "主成分に縮約後")
            .replacingOccurrences(of: ", ", with: "、")
    }

    private mutating func describe(pca: JSON) -> [String] {
        let count = Self.number(pca["components"]) ?? "", share = (pca["explained"]?.double).map { NumberText.fixed($0 * 100, 1) } ?? ""
        let solver = pca["solver"]?.string ?? ""
        let way =
            switch solver {
            case "randomized": say("randomized singular value decomposition\(cite(.randomizedSVD))", "ランダム化特異値分解\(cite(.randomizedSVD))")
            case "covariance": say("eigendecomposition of the covariance matrix", "共分散行列の固有値分解")
            default: say("singular value decomposition of the centred vectors", "中心化したベクトルの特異値分解")
            }
        let ratios = pca["explained_variance_ratio"]?.array?.prefix(2).compactMap(\.double).map { NumberText.fixed($0 * 100, 1) } ?? []
        var result = [
            say(
                "Principal component analysis\(cite(.principalComponents)) by \(way) kept \(counted(pca["components"], "component")), which \(pca["components"]?.int == 1 ? "explains" : "explain") \(share) % of the variance"
                    + (ratios.count == 2 ? " (the first \(ratios[0]) %, the second \(ratios[1]) %)." : "."),
                "主成分分析\(cite(.principalComponents))は\(way)により行い、\(count)成分（累積寄与率\(share)%"
                    + (ratios.count == 2 ? "、第1主成分\(ratios[0])%、第2主成分\(ratios[1])%" : "") + "）を用いた。")
        ]
        if pca["whiten"]?.bool == true { result.append(say("Coordinates were scaled to unit variance.", "座標は分散1に白色化した。")) }
        return result
    }

    private mutating func describe(clusters: JSON) -> [String] {
        let count = Self.number(clusters["clusters"]) ?? "", mean = (clusters["mean_cosine"]?.double).map { NumberText.fixed($0, 3) } ?? ""
        if clusters["method"]?.string == "communities" {
            let least = (clusters["threshold"]?.double).map { NumberText.fixed($0, 3) } ?? "",
                size = Self.number(clusters["minimum_size"]) ?? ""
            return [
                say(
                    "Sentences were grouped into \(count) \(clusters["clusters"]?.int == 1 ? "community" : "communities") of at least \(size) whose members have a cosine of at least \(least) with a central sentence "
                        + "(mean cosine to the community's middle \(mean)).",
                    "中心となる文とのコサイン類似度が\(least)以上の文をまとめ、\(size)文以上からなる\(count)個のコミュニティを得た（中心との平均コサイン\(mean)）。")
            ]
        }
        let seed = Self.number(clusters["seed"]) ?? "0"
        return [
            say(
                "Sentences were grouped into \(counted(clusters["clusters"], "cluster")) by k-means on the unit sphere\(cite(.sphericalKMeans)), seed \(seed) (mean cosine to the cluster's middle \(mean)).",
                "単位球面上のk-means\(cite(.sphericalKMeans))により\(count)個のクラスターに分けた（シード\(seed)、中心との平均コサイン\(mean)）。")
        ]
    }

    private mutating func describe(naming: JSON) -> [String] {
        let variants = naming["variants"]?.array?.compactMap(\.string) ?? [], trials = Self.number(naming["trials"]) ?? "",
            seed = Self.number(naming["seed"]) ?? "0"
        let models = variants.map { variant in
            variant == "wd"
                ? say("the weight–decay model", "重み–減衰モデル") + cite(.dell)
                : say("the semantic–phonological model", "意味–音韻モデル") + cite(.foygel)
        }.joined(separator: say(" and ", "と"))
        let omissions =
            naming["omissions"]?.string == "keep"
            ? say("observed proportions are those of all pictures", "観測された割合は全枚数に対するものである")
            : say("responses in none of the six categories were left out", "6つのカテゴリーに入らない反応は除いた")
        return [
            say(
                "Naming responses were fitted with \(models) by maximum likelihood of the multinomial distribution; \(omissions). Category probabilities came from "
                    + "simulation over a grid of parameter values, intervals are 95 % profile-likelihood intervals, and predicted proportions are those of \(trials) simulated pictures at the estimates (seed \(seed)).",
                "呼称反応に\(models)を多項分布の最尤法で当てはめた。\(omissions)。カテゴリーの確率はパラメーター値の格子上のシミュレーションから求め、区間は95 %プロファイル尤度区間、予測された割合は推定値での\(trials)試行のシミュレーションによる（シード\(seed)）。"
            )
        ]
    }
}
