import FileFormats

// What a Methods paragraph says of language models, attention and attributions.
extension MethodsText {
    private func modelNamed(_ record: JSON) -> String {
        let name = record["model"]?["name"]?.string ?? "", hash = record["model"]?["sha256"]?.string ?? ""
        return hash.isEmpty ? name : say("\(name) (SHA-256 \(hash.prefix(12))…)", "\(name)（SHA-256: \(hash.prefix(12))…）")
    }

    /// How a model's probabilities come about.
    private mutating func scoring(_ record: JSON) -> [String] {
        guard record["kind"]?.string == "masked" else {
            let begin = record["begin_token"]?.string
            return [
                say(
                    "Each token's probability was computed from the preceding tokens"
                        + (begin.map { ", the first one's from the begin token “\($0)”" } ?? "; the first token of a text was not scored")
                        + ".",
                    "各トークンの確率は先行するトークンから計算した" + (begin.map { "（文頭のトークンは開始トークン「\($0)」から）" } ?? "（文頭のトークンには確率がない）") + "。")
            ]
        }
        if record["pll"]?.string == "within-word-l2r" {
            let source = cite(.pseudoLikelihood, .withinWord)
            return [
                say(
                    "Pseudo-log-likelihoods were computed by masking each token together with the later tokens of its word\(source).",
                    "各トークンを、同じ語のそれ以降のトークンとともに隠して予測させる疑似対数尤度\(source)を求めた。")
            ]
        }
        let source = cite(.pseudoLikelihood)
        return [
            say("Pseudo-log-likelihoods were computed by masking one token at a time\(source).", "トークンを1つずつ隠して予測させる疑似対数尤度\(source)を求めた。")
        ]
    }

    /// Words in their sentences. What is made from such vectors knows less than their own record.
    mutating func describe(targetWords vectors: JSON, record: JSON) -> [String] {
        let rows = Self.number(vectors["rows"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? "",
            model = vectors["model"]?.string ?? ""
        let source = vectors["source"]?.string ?? "", layers = (record["layers"]?.array?.compactMap(\.int) ?? []).map(String.init)
        let pieces = record["pieces"]?.string ?? "mean", hash = (vectors["model_sha256"]?.string ?? "").prefix(12)
        let part =
            pieces == "mean"
            ? say("the mean of its pieces", "その語をなすトークンの平均") : say("its \(pieces) piece", pieces == "first" ? "その語の最初のトークン" : "その語の最後のトークン")
        let place =
            layers.isEmpty
            ? ""
            : layers.count == 1
                ? say(" in layer \(layers[0])", "（第\(layers[0])層）")
                : say(", averaged over layers \(layers.joined(separator: ", "))", "（第\(layers.joined(separator: "、"))層の平均）")
        return [
            say(
                "For \(rows) words of \(source), the vector of the word in its sentence context was taken from the encoder \(model) (SHA-256 \(hash)…): \(part)\(place), \(dimension) dimensions.",
                "\(source)の\(rows)語について、文中でのその語のベクトル（\(dimension)次元）をエンコーダー\(model)（SHA-256: \(hash)…）から求めた。ベクトルは\(part)である\(place)。")
        ]
    }

    mutating func describe(surprisal record: JSON) -> [String] {
        let unit = record["unit"]?.string ?? "word", base = record["base"]?.string == "e" ? say("nats", "ナット") : say("bits", "ビット")
        let japanese = ["token": "トークン", "word": "語", "region": "領域", "text": "テキスト"][unit] ?? unit
        let texts = Self.number(record["texts"]) ?? "", units = Self.number(record["units"]) ?? "", kind = record["kind"]?.string ?? ""
        var result = [
            say(
                "The surprisal (−log probability, in \(base)) of \(units) \(unit)s in \(texts) texts was computed with the \(kind) language model \(modelNamed(record)).",
                "\(texts)個のテキストの\(units)個の\(japanese)のサプライザル（確率の負の対数、単位は\(base)）を、\(kind == "masked" ? "マスク" : "因果")言語モデル\(modelNamed(record))によって求めた。"
            )
        ]
        result += scoring(record)
        if record["corrected_for_spaces"]?.bool == true {
            let source = cite(.wordProbability, .leadingSpaces)
            result.append(
                say(
                    "The surprisal of a \(unit) is the sum over its tokens, corrected for tokens that include the preceding space\(source).",
                    "\(japanese)のサプライザルはトークンの和とし、先行する空白を含むトークンについて補正した\(source)。"))
        } else if unit != "token" {
            result.append(say("The surprisal of a \(unit) is the sum over its tokens.", "\(japanese)のサプライザルはそのトークンの和である。"))
        }
        if let stride = record["stride"]?.int {
            result.append(
                say(
                    "Texts longer than the model's context were read in windows \(stride) tokens apart.",
                    "モデルの上限を超えるテキストは、\(stride)トークンごとに始まる窓に分けて読ませた。"))
        }
        return result
    }

    mutating func describe(fill record: JSON) -> [String] {
        let holes = Self.number(record["holes"]) ?? "", top = Self.number(record["top"]) ?? ""
        return [
            say(
                "For \(holes) masked positions, the \(top) most probable tokens were obtained from the masked language model \(modelNamed(record))\(cite(.bert)).",
                "マスクした\(holes)箇所のそれぞれについて、マスク言語モデル\(modelNamed(record))\(cite(.bert))による確率の高い\(top)トークンを求めた。")
        ]
    }

    mutating func describe(minimalPairs record: JSON) -> [String] {
        let pairs = Self.number(record["pairs"]) ?? "", accuracy = NumberText.fixed(record["accuracy"]?.double ?? .nan, 3),
            source = cite(.minimalPairs)
        let interval = record["interval"]?.string ?? ""
        return [
            say(
                "In \(pairs) minimal pairs\(source), the \(record["kind"]?.string ?? "") language model \(modelNamed(record)) should give the acceptable sentence the higher probability "
                    + "(sum of token log-probabilities); ties counted as errors (accuracy \(accuracy); 95 % interval: \(interval)).",
                "\(pairs)個のミニマルペア\(source)において、言語モデル\(modelNamed(record))が容認可能な文により高い確率（トークンの対数確率の和）を与えるかを調べた。同値は誤答とした（正答率\(accuracy)、95%区間は\(interval)）。"
            )
        ]
            + scoring(record)
    }

    mutating func describe(reading record: JSON) -> [String] {
        let words = Self.number(record["words"]) ?? "", gain = NumberText.fixed(record["gain"]?.double ?? .nan, 2),
            lag = record["lag"]?.int ?? 1
        let base = (record["baseline"]?.array?.compactMap(\.string) ?? []).joined(separator: say(", ", "、")), source = cite(.readingTimes)
        let folds = Self.number(record["folds"]) ?? "", isGroup = record["fold_is_group"]?.bool == true,
            group = record["group"]?.string ?? ""
        return [
            say(
                "Reading times (\(record["time"]?.string ?? "")) of \(words) words were regressed on \(base), and on the surprisal of the word and of the \(lag) before it as well\(source); "
                    + "the gain in log-likelihood was \(gain), and it was measured on held-out words (\(isGroup ? "leaving out one \(group) at a time" : "\(folds) folds that never split a text")).",
                "\(words)語の読み時間（\(record["time"]?.string ?? "")）を、\(base)による回帰と、これに当該語および先行\(lag)語のサプライザルを加えた回帰で分析した\(source)。"
                    + "対数尤度の増分は\(gain)であり、\(isGroup ? "\(group)を1つずつ除いた" : "テキストを分割しない\(folds)分割の")交差検証でも増分を求めた。")
        ]
    }

    mutating func describe(attention record: JSON) -> [String] {
        let layers = Self.number(record["layers"]) ?? "", heads = Self.number(record["heads"]) ?? ""
        if record["method"]?.string == "attention rollout" {
            let source = cite(.rollout)
            return [
                say(
                    "Attention rollout\(source) was computed over the \(layers) layers of \(modelNamed(record)).",
                    "\(modelNamed(record))の\(layers)層についてアテンションロールアウト\(source)を求めた。")
            ]
        }
        return [
            say(
                "Attention weights were taken from all \(heads) heads of each of the \(layers) layers of \(modelNamed(record)).",
                "\(modelNamed(record))の\(layers)層、各層\(heads)ヘッドのアテンションの重みを求めた。")
        ]
    }

    mutating func describe(attribution record: JSON) -> [String] {
        let isPair = record["method"]?.string == "similarity attribution", isIntegrated = record["attribution"]?.string == "integrated"
        let unit = record["unit"]?.string ?? "word", japanese = unit == "word" ? "語" : "トークン", steps = Self.number(record["steps"]) ?? ""
        let score = NumberText.fixed(record["score"]?.double ?? .nan, 4), sum = NumberText.fixed(record["sum"]?.double ?? .nan, 4)
        let source = isIntegrated ? (isPair ? cite(.integratedJacobians) : cite(.integratedGradients)) : ""
        let method =
            isIntegrated
            ? (isPair ? say("integrated Jacobians", "積分ヤコビ行列") : say("integrated gradients", "積分勾配"))
            : say("gradient times input", "勾配と入力の積")
        let what =
            isPair
            ? say("The cosine of the two sentences (\(score)) was attributed to pairs of \(unit)s", "2文のコサイン類似度（\(score)）を\(japanese)の対に")
            : say(
                "The score of “\(record["label"]?.string ?? "")” (\(score)) was attributed to \(unit)s",
                "「\(record["label"]?.string ?? "")」のスコア（\(score)）を\(japanese)に")
        let reference =
            isIntegrated
            ? say(
                ", against references with padding in place of the words (\(steps) quadrature nodes; the attributions sum to \(sum))",
                "（語をパディングに置き換えた参照文との差、求積点\(steps)個、寄与の和は\(sum)）") : ""
        return [
            say(
                "\(what) by \(method)\(source) in \(modelNamed(record))\(reference).",
                "\(what)\(method)\(source)によって割り当てた（モデルは\(modelNamed(record))）\(reference)。")
        ]
    }
}
