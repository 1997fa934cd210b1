import FileFormats
import Foundation

/// A Methods paragraph, in English or Japanese, out of what a result says about its making. Nothing is claimed that the record does not hold.
public struct MethodsText {
    public enum Language: String, CaseIterable { case en, ja }

    public private(set) var paragraph = ""
    public private(set) var cited: [Bibliography] = []
    private let language: Language

    public init(_ facts: MethodsFacts, language: Language) {
        self.language = language
        var sentences: [String] = []
        if let vectors = facts.vectors {
            if vectors["layers"] != nil {
                sentences += describe(words: vectors)
            } else if let pooling = vectors["pooling"]?.string, pooling.hasPrefix("word") {
                sentences += pooling == "word" ? describe(wordVectors: vectors, record: facts.record) : describe(wordMeans: vectors, pooling: pooling)
            } else {
                sentences += describe(vectors: vectors)
            }
        }
        switch facts.record["method"]?.string {
        case "t-SNE": sentences += describe(tsne: facts.record)
        case "PCA": sentences += describe(pca: facts.record)
        case "structural probe": sentences += describe(probe: facts.record)
        case "spherical k-means", "communities": sentences += describe(clusters: facts.record)
        case "analogies": sentences += describe(analogies: facts.record)
        case "forced choice": sentences += describe(choice: facts.record)
        default: break
        }
        sentences.append(say("The computation was done with \(facts.program).", "計算には\(facts.program)を用いた。"))
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
        return abs(number) >= 0.01 && abs(number) < 10_000 ? NumberText.fixed(number, number == number.rounded() ? 0 : 2) : String(format: "%.2e", number)
    }

    private mutating func describe(vectors: JSON) -> [String] {
        let model = vectors["model"]?.string ?? "", rows = Self.number(vectors["rows"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? ""
        let pooling = vectors["pooling"]?.string ?? "", hash = String((vectors["model_sha256"]?.string ?? "").prefix(12))
        let unit = vectors["normalized"]?.bool == true, precision = vectors["precision"]?.string ?? "f32", limit = Self.number(vectors["max_length"]) ?? ""
        var result = [say(
            "Each of the \(rows) sentences was turned into a vector of \(dimension) dimensions by the sentence encoder \(model)\(cite(.sentenceTransformers)) "
                + "(SHA-256 of the model \(hash)…): \(pooling) pooling over the last layer's token vectors, sentences cut after \(limit) tokens, \(precision) arithmetic"
                + "\(unit ? ", vectors scaled to unit length" : "").",
            "\(rows)文のそれぞれを、文埋め込みモデル\(model)\(cite(.sentenceTransformers))（モデルのSHA-256は\(hash)…）によって\(dimension)次元のベクトルに変換した。"
                + "文ベクトルは最終層のトークンベクトルの\(Self.japanese(pooling: pooling))であり、\(limit)トークンを超える部分は切り捨て、演算精度は\(precision)とした"
                + "\(unit ? "。ベクトルは長さ1に正規化した" : "")。")]
        if let prompt = vectors["prompt"]?.string, !prompt.isEmpty {
            result.append(say("The prompt “\(prompt)” was put before every sentence.", "各文の前にプロンプト「\(prompt)」を付した。"))
        }
        if let storage = vectors["storage"]?.string, storage != "float32" {
            result.append(say("Vectors were stored as \(storage).", "ベクトルは\(storage)として保存した。"))
        }
        return result
    }

    /// Vectors of a treebank's words. A file of another program does not say where they are from.
    private mutating func describe(words vectors: JSON) -> [String] {
        let sentences = Self.number(vectors["sentences"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? "", layers = Self.list(vectors["layers"])
        guard let model = vectors["model"]?.string else {
            return [say("The words of \(sentences) sentences had vectors of \(dimension) dimensions, made by another program.",
                        "\(sentences)文の各語には、他のプログラムで作成した\(dimension)次元のベクトルを用いた。")]
        }
        let hash = String((vectors["model_sha256"]?.string ?? "").prefix(12)), source = vectors["source"]?.string ?? "", precision = vectors["precision"]?.string ?? "f32"
        let isSpaced = vectors["text"]?.string == "spaced"
        let merging = switch vectors["pieces"]?.string {
        case "first": say("that of its first word piece", "最初のサブワードのベクトル")
        case "last": say("that of its last word piece", "最後のサブワードのベクトル")
        default: say("the mean of the vectors of its word pieces", "サブワードのベクトルの平均")
        }
        var result = [say(
            "Each word of the \(sentences) sentences of \(source) was given vectors of \(dimension) dimensions from layers \(layers) (0 being the embeddings) of the encoder "
                + "\(model) (SHA-256 of the model \(hash)…): a word's vector is \(merging), the encoder read \(isSpaced ? "the words with spaces between them" : "the sentences as they are written"), \(precision) arithmetic.",
            "\(source)の\(sentences)文の各語に、エンコーダ\(model)（モデルのSHA-256は\(hash)…）の第\(layers)層（0は埋め込み層）から\(dimension)次元のベクトルを与えた。"
                + "語のベクトルは\(merging)であり、エンコーダには\(isSpaced ? "語を空白で区切った文" : "表記どおりの文")を入力し、演算精度は\(precision)とした。")]
        if vectors["storage"]?.string == "float16" { result.append(say("Vectors were stored as float16.", "ベクトルはfloat16として保存した。")) }
        return result
    }

    private mutating func describe(probe: JSON) -> [String] {
        let kinds = probe["kinds"]?.array?.compactMap(\.string) ?? []
        let ranks = Self.list(probe["ranks"]), seeds = Self.list(probe["seeds"]), layers = Self.list(probe["layers"])
        let train = probe["train"]?.string ?? "", dev = probe["dev"]?.string ?? "", count = Self.number(probe["train_sentences"]) ?? ""
        let rate = probe["learning_rate"]?.double.map { "\($0)" } ?? "", batch = Self.number(probe["batch"]) ?? "", punctuation = probe["punctuation"]?.string ?? "nothing"
        let isStandardized = probe["scaling"]?.string == "standardized"
        let aims = kinds.map { $0 == "distance" ? say("squared distances of word vectors are distances in the dependency tree", "語のベクトル間の距離の2乗が係り受け木における距離になる") :
            say("squared lengths of word vectors are depths in it", "語のベクトルの長さの2乗が木における深さになる") }
        var result = [say(
            "Structural probes\(cite(.structuralProbe)), linear maps of rank \(ranks) under which \(aims.joined(separator: " and ")), were trained on layers \(layers) and the \(count) sentences of \(train) "
                + "with Adam (learning rate \(rate), \(batch) sentences a batch\(isStandardized ? ", components standardized" : "")), stopped by the loss on \(dev), seeds \(seeds). Left out of the scored trees: \(punctuation).",
            "構造プローブ\(cite(.structuralProbe))、すなわち\(aims.joined(separator: "、および"))ような階数\(ranks)の線形写像を、第\(layers)層について\(train)の\(count)文で訓練した（Adam、学習率\(rate)、"
                + "バッチ\(batch)文\(isStandardized ? "、成分は標準化" : "")）。訓練は\(dev)の損失で打ち切り、乱数の種は\(seeds)とした。評価する木から除いたもの: \(punctuation)。")]
        if probe["control_task"]?.bool == true {
            result.append(say("Selectivity was measured against the control task\(cite(.controlTask)).", "統制課題\(cite(.controlTask))との差を選択性とした。"))
        }
        return result
    }

    private static func list(_ numbers: JSON?) -> String { (numbers?.array ?? []).compactMap { $0.int.map(String.init) }.joined(separator: ", ") }

    private static func japanese(pooling: String) -> String {
        ["mean": "平均", "cls": "先頭トークン（CLS）のベクトル", "max": "最大値", "lasttoken": "末尾トークンのベクトル", "mean_sqrt_len": "和を長さの平方根で割ったもの",
         "weightedmean": "位置で重み付けした平均"][pooling] ?? "\(pooling)プーリング"
    }

    private mutating func describe(tsne: JSON) -> [String] {
        let gradient = tsne["gradient"]?.string ?? "exact"
        let byTree = say("approximated with the Barnes–Hut tree\(gradient == "barnes-hut" ? cite(.barnesHut) : "")", "Barnes–Hut木による近似\(gradient == "barnes-hut" ? cite(.barnesHut) : "")")
        let byGrid = say("approximated by interpolation with the fast Fourier transform\(gradient == "fft" ? cite(.interpolation) : "")",
                         "高速フーリエ変換を用いた補間による近似\(gradient == "fft" ? cite(.interpolation) : "")")
        let how = gradient == "barnes-hut" ? byTree : gradient == "fft" ? byGrid : say("computed exactly over all pairs", "全対による厳密計算")
        let points = Self.number(tsne["points"]) ?? "", perplexity = tsne["perplexity"]?.string ?? "", iterations = Self.number(tsne["iterations"]) ?? ""
        let seed = Self.number(tsne["seed"]) ?? "0", preprocessing = tsne["preprocessing"]?.string ?? ""
        let initial = tsne["initialization"]?.string == "pca"
        var result = [say(
            "The \(points) vectors were mapped with t-SNE\(cite(.tsne)): \(preprocessing.prefix(1).lowercased() == "e" ? preprocessing : "distances \(preprocessing)"), "
                + "perplexity \(perplexity), \(iterations) iterations, gradient \(how).",
            "\(points)個のベクトルをt-SNE\(cite(.tsne))で配置した。距離は\(Self.japanese(preprocessing: preprocessing))、perplexityは\(perplexity)、反復は\(iterations)回、勾配は\(how)である。")]
        if let early = Self.number(tsne["early_exaggeration"]), let count = Self.number(tsne["early_iterations"]), let rate = Self.number(tsne["learning_rate"]) {
            let start = say(initial ? "the first principal components\(cite(.initialization))" : "random positions", initial ? "主成分\(cite(.initialization))" : "乱数")
            result.append(say(
                "The map started from \(start); early exaggeration was \(early) for \(count) iterations and the learning rate \(rate == "points / exaggeration" ? "the number of points over the exaggeration" : rate)\(cite(.learningRate)), seed \(seed).",
                "初期配置には\(start)を用い、early exaggerationは最初の\(count)回で\(early)、学習率は\(rate.replacingOccurrences(of: "points / exaggeration", with: "点数／exaggeration"))\(cite(.learningRate))、乱数の種は\(seed)とした。"))
        }
        if let divergence = tsne["kullback_leibler_divergence"]?.double {
            result.append(say("The final Kullback–Leibler divergence was \(NumberText.fixed(divergence, 3)).", "最終的なKullback–Leibler情報量は\(NumberText.fixed(divergence, 3))であった。"))
        }
        return result
    }

    private static func japanese(preprocessing: String) -> String {
        preprocessing.replacingOccurrences(of: "Euclidean on L2-normalized vectors", with: "長さ1に正規化したベクトル間のユークリッド距離")
            .replacingOccurrences(of: "Euclidean", with: "ユークリッド距離").replacingOccurrences(of: " principal components", with: "主成分に縮約後")
            .replacingOccurrences(of: ", ", with: "、")
    }

    private mutating func describe(pca: JSON) -> [String] {
        let count = Self.number(pca["components"]) ?? "", share = (pca["explained"]?.double).map { NumberText.fixed($0 * 100, 1) } ?? ""
        let solver = pca["solver"]?.string ?? ""
        let way = switch solver {
        case "randomized": say("randomized singular value decomposition\(cite(.randomizedSVD))", "ランダム化特異値分解\(cite(.randomizedSVD))")
        case "covariance": say("eigendecomposition of the covariance matrix", "共分散行列の固有値分解")
        default: say("singular value decomposition of the centred vectors", "中心化したベクトルの特異値分解")
        }
        let ratios = pca["explained_variance_ratio"]?.array?.prefix(2).compactMap(\.double).map { NumberText.fixed($0 * 100, 1) } ?? []
        var result = [say(
            "Principal component analysis\(cite(.principalComponents)) by \(way) kept \(count) components, which explain \(share) % of the variance"
                + (ratios.count == 2 ? " (the first \(ratios[0]) %, the second \(ratios[1]) %)." : "."),
            "主成分分析\(cite(.principalComponents))は\(way)により行い、\(count)成分（累積寄与率\(share)%"
                + (ratios.count == 2 ? "、第1主成分\(ratios[0])%、第2主成分\(ratios[1])%" : "") + "）を用いた。")]
        if pca["whiten"]?.bool == true { result.append(say("Coordinates were scaled to unit variance.", "座標は分散1に白色化した。")) }
        return result
    }

    private mutating func describe(clusters: JSON) -> [String] {
        let count = Self.number(clusters["clusters"]) ?? "", mean = (clusters["mean_cosine"]?.double).map { NumberText.fixed($0, 3) } ?? ""
        if clusters["method"]?.string == "communities" {
            let least = (clusters["threshold"]?.double).map { NumberText.fixed($0, 3) } ?? "", size = Self.number(clusters["minimum_size"]) ?? ""
            return [say("Sentences were grouped into \(count) communities of at least \(size) whose members have a cosine of at least \(least) with a central sentence "
                            + "(mean cosine to the community's middle \(mean)).",
                        "中心となる文とのコサイン類似度が\(least)以上の文をまとめ、\(size)文以上からなる\(count)個のコミュニティを得た（中心との平均コサイン\(mean)）。")]
        }
        let seed = Self.number(clusters["seed"]) ?? "0"
        return [say("Sentences were grouped into \(count) clusters by k-means on the unit sphere\(cite(.sphericalKMeans)), seed \(seed) (mean cosine to the cluster's middle \(mean)).",
                    "単位球面上のk-means\(cite(.sphericalKMeans))により\(count)個のクラスタに分けた（乱数の種\(seed)、中心との平均コサイン\(mean)）。")]
    }
}
