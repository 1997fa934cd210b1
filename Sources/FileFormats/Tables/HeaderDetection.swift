/// Whether a table's first record names the columns: one rule for every command.
///
/// A requested name, or a common name of a text column, makes a header. What merely looks like one is reported to the user;
/// `--header` and `--no-header` overrule.
enum HeaderDetection {
    struct Verdict: Equatable {
        var isHeader: Bool
        /// What to tell the user where the first row might be the other thing.
        var note: String?
    }

    /// Names that columns of texts, pairs and their groups go by.
    static let textNames = [
        "text", "sentence", "caption", "sent", "utterance", "文", "文章", "テキスト", "本文", "キャプション", "説明文", "発話", "raw", "content",
    ]
    static let groupNames = ["group", "グループ", "群"]
    static let idNames = ["id", "番号"]
    static let firstNames = [
        "sentence1", "sentence_a", "sentence_a_ja", "sentencea", "text1", "text_a", "word1", "s1", "premise", "文1", "query",
    ]
    static let secondNames = [
        "sentence2", "sentence_b", "sentence_b_ja", "sentenceb", "text2", "text_b", "word2", "s2", "hypothesis", "文2", "document",
    ]
    static let scoreNames = [
        "label", "score", "similarity", "similarity_score", "relatedness_score", "relatedness_score_ja", "gold", "mean", "評価", "類似度",
    ]
    private static let otherNames = [
        "scene", "language", "lang", "condition", "participant", "subject", "frequency", "category", "image_id", "image", "speaker",
        "stimulus", "trial", "response",
        "accuracy", "rt", "reaction_time", "surprisal", "sent_id", "filename", "url", "条件", "言語", "場面", "話者", "被験者", "参加者", "頻度", "刺激",
        "試行", "反応",
        "反応時間", "正答率", "正誤", "年齢", "性別", "日付", "備考", "種類", "カテゴリ", "カテゴリー", "画像", "読み", "単語", "品詞", "意味", "容認度", "評定",
    ]
    /// Words that name columns but are in texts and word lists as well: they make a header only in company.
    private static let ordinaryNames = [
        "ja", "en", "zh", "ko", "fr", "de", "es", "it", "pt", "ru", "ar", "hi", "th", "vi", "jp", "eng", "jpn", "japanese", "english",
        "upper", "lower", "source", "target", "src", "tgt",
        "input", "output", "question", "answer", "context", "word", "item", "list", "name", "title", "date", "type", "class", "level", "no",
        "no.", "index", "number", "row",
        "from", "to", "first", "second", "before", "after", "note", "count", "age", "gender", "sex", "year", "session", "block", "list",
        "pos", "lemma", "token", "intended", "produced",
        "日本語", "英語", "中国語", "韓国語", "原文", "訳文", "訳", "上の句", "下の句", "質問", "回答", "前", "後", "名前", "タイトル", "項目", "水準", "語",
    ]
    private static let strong = Set(textNames + groupNames + idNames + firstNames + secondNames + scoreNames + otherNames)
    private static let known = strong.union(ordinaryNames)

    static func hasKnownName(_ record: [String]) -> Bool { record.contains { strong.contains(key($0)) } }

    private static func key(_ name: String) -> String { name.trimmingSpaces.lowercased() }

    /// - Parameters:
    ///   - records: the first records of the table.
    ///   - wanted: requested columns, by name or number.
    ///   - isPlainText: each line is one text, so that hardly any has a header.
    ///   - isBrokenBelow: rows follow, but none of them can be read.
    static func judge(_ records: [[String]], wanted: [String], isPlainText: Bool = false, isBrokenBelow: Bool = false) -> Verdict {
        guard let first = records.first else { return Verdict(isHeader: false) }
        let rest = records.dropFirst()
        if wanted.contains(where: { Int($0) == nil && first.contains($0) }) { return Verdict(isHeader: true) }
        let filled = first.indices.filter { !first[$0].trimmingSpaces.isEmpty }
        guard !filled.isEmpty, !filled.contains(where: { PlainNumber.value(of: first[$0]) != nil }) else { return Verdict(isHeader: false) }
        // A value that comes again below it is a value: `ja` in a column of languages names nothing.
        func isName(_ column: Int, _ names: Set<String>) -> Bool {
            names.contains(key(first[column])) && !rest.contains { column < $0.count && $0[column] == first[column] }
        }
        // Numbers below a word: the word is their name.
        let overNumbers = filled.filter { column in
            !PlainNumber.missingMarks.contains(first[column]) && column < first.count && TextTable.isNumeric(column, in: rest)
        }
        let shown = first.map { $0.count > 24 ? $0.prefix(24) + "…" : $0 }.joined(separator: ", ")
        let isTaken = "note: the first row (\(shown)) is read as column names; add \(Setting.noHeader) if it is data"
        let isData =
            "warning: the first row (\(shown)) looks like column names but is read as data; add \(Setting.header) if it is a header"
        if filled.count == 1, first.count == 1 {
            guard !rest.isEmpty else { return Verdict(isHeader: false) }
            let looksDifferent = !isPlainText || isLonger(rest, column: 0, than: first[0])
            if isName(0, Set(textNames)) {
                return looksDifferent ? Verdict(isHeader: true, note: isPlainText ? isTaken : nil) : Verdict(isHeader: false, note: isData)
            }
            if !overNumbers.isEmpty, !isPlainText { return Verdict(isHeader: true, note: isTaken) }
            return Verdict(isHeader: false, note: isName(0, known) && isLonger(rest, column: 0, than: first[0]) ? isData : nil)
        }
        let names = filled.filter { isName($0, known) }, strongNames = filled.filter { isName($0, strong) }
        if rest.isEmpty {
            // A header above nothing, or a single row of data: nothing more can be told. Above rows that are reported as broken names are
            // names.
            let isHeader = isBrokenBelow && !strongNames.isEmpty
            return Verdict(isHeader: isHeader, note: isHeader ? isTaken : names.count == filled.count ? isData : nil)
        }
        let isCertain =
            names.count == filled.count || strongNames.count >= 2 || (!strongNames.isEmpty && names.count * 2 > filled.count)
            || (!names.isEmpty && !overNumbers.isEmpty)
        if isCertain { return Verdict(isHeader: true) }
        if !strongNames.isEmpty || !overNumbers.isEmpty { return Verdict(isHeader: true, note: isTaken) }
        return Verdict(isHeader: false, note: looksLikeNames(first, filled, rest) ? isData : nil)
    }

    /// Short, different, without the marks of a sentence, and shorter than what is below them or written like identifiers.
    private static func looksLikeNames(_ first: [String], _ filled: [Int], _ rest: ArraySlice<[String]>) -> Bool {
        let cells = filled.map { first[$0] }
        guard filled.count == first.count, Set(cells).count == cells.count,
            cells.allSatisfy({ $0.count <= 24 && !$0.contains { "。、.!?！？,;「」\"".contains($0) } })
        else {
            return false
        }
        let areIdentifiers =
            cells.allSatisfy {
                $0.utf8.allSatisfy { $0 == 0x5F || $0 == 0x2D || ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) }
            }
            && cells.contains { $0.contains("_") || $0.contains { $0.isNumber } }
        return areIdentifiers || filled.allSatisfy { isLonger(rest, column: $0, than: first[$0]) }
    }

    /// True if the texts of a column are typically three times as long as its head, or more.
    private static func isLonger(_ rest: ArraySlice<[String]>, column: Int, than head: String) -> Bool {
        let lengths = rest.compactMap { column < $0.count && !$0[column].isEmpty ? $0[column].count : nil }.sorted()
        return !lengths.isEmpty && lengths[lengths.count / 2] >= 3 * head.count
    }

    /// The names of a header: empty ones become their number, repeated ones get a suffix.
    static func columnNames(_ header: [String]) -> [String] {
        var taken: Set<String> = []
        return header.enumerated().map { index, name in
            let plain = name.isEmpty ? String(index + 1) : name
            var unique = plain, count = 2
            while !taken.insert(unique).inserted {
                unique = "\(plain)_\(count)"
                count += 1
            }
            return unique
        }
    }

    /// Names that are in several rows, joined column by column. What is empty in an upper row belongs to the name at its left, as in a
    /// table whose cells were merged before it was exported.
    static func joined(_ rows: [[String]], width: Int, fillsGaps: Bool) -> [String] {
        var rows = rows.map { $0 + Array(repeating: "", count: max(0, width - $0.count)) }
        if fillsGaps {
            for row in rows.indices.dropLast() {
                for column in rows[row].indices.dropFirst() where rows[row][column].isEmpty && rows.last?[column].isEmpty == false {
                    rows[row][column] = rows[row][column - 1]
                }
            }
        }
        return (0..<width).map { column in
            var parts: [String] = []
            for row in rows where !row[column].isEmpty && parts.last != row[column] { parts.append(row[column]) }
            return parts.joined(separator: " ")
        }
    }
}
