import FileFormats
import Foundation

// Methods of maps, principal components and clusters.

extension MethodsText {
    mutating func describe(tsne: JSON) -> [String] {
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

    mutating func describe(umap: JSON) -> [String] {
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

    mutating func describe(pca: JSON) -> [String] {
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

    mutating func describe(clusters: JSON) -> [String] {
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

    func describe(placement: JSON) -> [String] {
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
}
