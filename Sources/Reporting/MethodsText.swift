import FileFormats
import Foundation

/// A Methods paragraph, in English or Japanese, from the provenance of a result. It claims nothing beyond the record.
public struct MethodsText {
    /// English or Japanese.
    public enum Language: String, CaseIterable { case en, ja }

    /// The paragraph.
    public private(set) var paragraph = ""
    /// The works that the paragraph cites, in order of appearance.
    package private(set) var cited: [Bibliography] = []
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
    func counted(_ value: JSON?, _ one: String, _ many: String? = nil) -> String {
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

    private static func japanese(pooling: String) -> String {
        [
            "mean": "平均", "cls": "先頭トークン（CLS）のベクトル", "max": "最大値", "lasttoken": "末尾トークンのベクトル", "mean_sqrt_len": "和を長さの平方根で割ったもの",
            "weightedmean": "位置で重み付けした平均",
        ][pooling] ?? "\(pooling)プーリング"
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
