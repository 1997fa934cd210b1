import FileFormats

// What a Methods paragraph says of word vectors.
extension MethodsText {
    mutating func describe(wordVectors vectors: JSON, record: JSON) -> [String] {
        let rows = Self.number(vectors["rows"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? "",
            model = vectors["model"]?.string ?? ""
        guard let architecture = record["architecture"]?.string else {
            return [
                say(
                    "Vectors of \(dimension) dimensions for \(rows) words were taken from \(model).",
                    "\(rows)語の\(dimension)次元のベクトルは\(model)から取った。")
            ]
        }
        let isCBOW = architecture == "cbow", isHierarchical = record["loss"]?.string == "hs"
        let words = Self.number(record["tokens"]) ?? "", minimum = Self.number(record["minimum_count"]) ?? "",
            window = Self.number(record["window"]) ?? ""
        let epochs = Self.number(record["epochs"]) ?? "", negatives = Self.number(record["negative"]) ?? "",
            seed = Self.number(record["seed"]) ?? "0"
        let loss =
            isHierarchical
            ? say("hierarchical softmax", "階層的ソフトマックス") : say("\(negatives) negative samples per word", "1語につき\(negatives)個の負例サンプリング")
        var result = [
            say(
                "Vectors of \(dimension) dimensions for \(rows) words were trained on \(words) words of text by the \(isCBOW ? "CBOW" : "skip-gram") model\(cite(.word2vec)) with \(loss), "
                    + "windows of up to \(window) words, \(epochs) passes over the text and words that occurred at least \(minimum) times (seed \(seed)).",
                "\(rows)語の\(dimension)次元のベクトルを、\(words)語のテキストから\(isCBOW ? "CBOW" : "skip-gram")モデル\(cite(.word2vec))によって学習した。"
                    + "学習には\(loss)を用い、窓幅は最大\(window)語、反復は\(epochs)回、語の最低頻度は\(minimum)回とした（シードは\(seed)）。")
        ]
        if let short = Self.number(record["minimum_n"]), let long = Self.number(record["maximum_n"]) {
            result.append(
                say(
                    "A word's vector is the mean of its own and those of its character n-grams of \(short) to \(long) characters\(cite(.subwords)).",
                    "語のベクトルは、その語自体のベクトルと\(short)〜\(long)文字の文字n-gramのベクトルの平均である\(cite(.subwords))。"))
        }
        if record["hogwild"]?.bool == true {
            result.append(
                say(
                    "Training threads wrote to shared vectors without locking, so the result cannot be reproduced exactly.",
                    "学習では複数のスレッドが排他制御なしで共有のベクトルを更新したため、結果を厳密に再現することはできない。"))
        } else {
            result.append(
                say(
                    "Training was deterministic: stochastic gradient descent over strata of the vocabulary\(cite(.stratifiedSGD)).",
                    "学習は決定的であり、語彙の層ごとの確率的勾配降下法\(cite(.stratifiedSGD))によった。"))
        }
        return result
    }

    /// Texts as means of their words.
    mutating func describe(wordMeans vectors: JSON, pooling: String) -> [String] {
        let rows = Self.number(vectors["rows"]) ?? "", dimension = Self.number(vectors["dimension"]) ?? "",
            model = vectors["model"]?.string ?? ""
        let english: String, japanese: String
        switch pooling.split(separator: ", ").last {
        case "idf":
            (english, japanese) = ("the mean of its words' vectors, weighted by inverse document frequency", "その語のベクトルを逆文書頻度で重み付けした平均")
        case "sif":
            let source = cite(.sif)
            (english, japanese) = (
                "the mean of its words' vectors, weighted by smooth inverse frequency, without the direction common to all texts\(source)",
                "その語のベクトルを平滑化逆頻度で重み付けした平均から全テキストに共通する方向を除いたもの\(source)"
            )
        default: (english, japanese) = ("the mean of its words' vectors", "その語のベクトルの平均")
        }
        return [
            say(
                "Each of the \(rows) texts was given a vector of \(dimension) dimensions: \(english). The word vectors came from \(model).",
                "\(rows)個のテキストのそれぞれに\(dimension)次元のベクトルを与えた。テキストのベクトルは\(japanese)である。語のベクトルには\(model)を用いた。")
        ]
    }

    /// Texts or words that were compared as means of a file's words, without being kept.
    mutating func describe(wordEncoder vectors: JSON, inputs: JSON?) -> [String] {
        let input = inputs?.array?.first, source = named(input?["name"]?.string ?? "", input?["sha256"]?.string ?? ""),
            model = vectors["model"]?.string ?? ""
        let file = named(model, vectors["model_sha256"]?.string ?? ""), dimension = Self.number(vectors["dimension"]) ?? ""
        let english: String, japanese: String
        switch vectors["pooling"]?.string?.split(separator: ", ").last {
        case "idf":
            (english, japanese) = (
                "; a text's vector is the mean of its words' vectors, weighted by inverse document frequency",
                "（テキストのベクトルは、その語のベクトルを逆文書頻度で重み付けした平均）"
            )
        case "sif":
            let work = cite(.sif)
            (english, japanese) = (
                "; a text's vector is the mean of its words' vectors, weighted by smooth inverse frequency, minus the direction common to all texts\(work)",
                "（テキストのベクトルは、その語のベクトルを平滑化逆頻度で重み付けした平均から全テキストに共通する方向を除いたもの\(work)）"
            )
        default: (english, japanese) = ("; the vector of a text with several words is their mean", "（複数の語からなるテキストではその平均）")
        }
        return [
            say(
                "The words of \(source) were represented by \(dimension)-dimensional vectors from \(file)\(english).",
                "\(source)の語には\(file)の\(dimension)次元のベクトルを用いた\(japanese)。")
        ]
    }

    mutating func describe(arithmetic ranking: JSON) -> [String] {
        let isProduct = ranking["scoring"]?.string == "mul", top = Self.number(ranking["top"]) ?? "", work = cite(.analogies),
            query = ranking["query"]?.string ?? ""
        return [
            say(
                "The \(top) words with the highest \(isProduct ? "3CosMul" : "3CosAdd") score\(work) for \(query), excluding the query words, were found by exact search.",
                "\(query)について、式に含まれる語を除く全語から、\(isProduct ? "3CosMul" : "3CosAdd")の値\(work)の高い上位\(top)語を全数探索で求めた。")
        ]
    }

    func describe(projection record: JSON) -> [String] {
        let rows = record["onto"]?.array?.compactMap(\.string) ?? [], rank = Self.number(record["rank"]) ?? "",
            isComplement = record["projection"]?.string == "complement"
        return [
            say(
                "The vectors were projected orthogonally onto \(isComplement ? "the complement of " : "")the span of those of \(rows.joined(separator: ", ")) (rank \(rank)).",
                "ベクトルを、\(rows.joined(separator: "、"))のベクトルの張る空間\(isComplement ? "の直交補空間" : "")（階数\(rank)）へ直交射影した。")
        ]
    }

    func describe(axis record: JSON) -> [String] {
        func pole(_ name: String, _ separator: String) -> String {
            (record[name]?.array?.compactMap(\.string) ?? []).joined(separator: separator)
        }
        return [
            say(
                "Each row was placed on the axis from \(pole("low", ", ")) to \(pole("high", ", ")): the inner product of its unit vector with the unit vector of the difference of the poles, "
                    + "each pole being the mean of its unit vectors, measured from the midpoint between them.",
                "各行を、\(pole("low", "、"))から\(pole("high", "、"))への軸上に位置づけた。座標は、単位ベクトルと、両極の差（極は単位ベクトルの平均）の方向の単位ベクトルとの内積であり、両極の中点を0とする。")
        ]
    }

    mutating func describe(analogies record: JSON) -> [String] {
        let asked = Self.number(record["asked"]) ?? "", skipped = Self.number(record["skipped"]) ?? "",
            isProduct = record["scoring"]?.string == "mul"
        return [
            say(
                "Analogies (a is to b as c is to …) were answered with the word of the highest \(isProduct ? "3CosMul" : "3CosAdd") score\(cite(.analogies)) among all words but a, b and c; "
                    + "\(asked) questions were asked and \(skipped) skipped because a word had no vector.",
                "類推問題（aに対するbはcに対する何か）には、a、b、cを除く全語のうち\(isProduct ? "3CosMul" : "3CosAdd")の値\(cite(.analogies))が最大の語で答えた。"
                    + "\(asked)問を出題し、ベクトルのない語を含む\(skipped)問は除いた。")
        ]
    }

    mutating func describe(choice record: JSON) -> [String] {
        let items = Self.number(record["judged"]) ?? "", model = record["chosen_by"]?.string ?? "",
            isOdd = record["odd_one_out"]?.bool == true
        return [
            say(
                "In each of \(items) forced-choice items, \(isOdd ? "the option with the lowest mean cosine to the others" : "the option with the highest cosine to the cue") was chosen by the vectors of \(model); "
                    + "ties counted as wrong. The accuracy's interval is the exact binomial one (Clopper–Pearson), and it was tested against guessing among each item's options.",
                "\(items)個の強制選択項目のそれぞれで、\(model)のベクトルにより\(isOdd ? "他の選択肢とのコサイン類似度の平均が最も低い" : "手がかりとのコサイン類似度が最も高い")選択肢を選んだ。"
                    + "同値は誤答とした。正答率の信頼区間は二項分布による正確なもの（Clopper–Pearson）であり、各項目の選択肢からの無作為な選択を帰無仮説として検定した。")
        ]
    }
}
