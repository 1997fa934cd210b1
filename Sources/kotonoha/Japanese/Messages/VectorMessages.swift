// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of vectors, word vectors, `rerank`, `mine`.
    static let vectorMessages: KeyValuePairs<String, String> = [
        // tokenize, vectors
        "{0}, {1} of them unknown to the model": "{0}、うち未知 {1}",
        "--approximate needs --distinct": "--approximate には --distinct が必要です",
        "--dropped needs --distinct": "--dropped には --distinct が必要です",
        "nothing to do: give --where, --rows, --sample, --distinct or --codes": "することがありません。--where、--rows、--sample、--distinct、--codes のどれかを指定してください",
        "no rows are left; nothing was written": "行が残りませんでした。何も書いていません",
        "{0}: {1} of {2} rows": "{0}: {2} 行のうち {1} 行",
        "{0}: {1} of {2} rows; {3} near-duplicates dropped": "{0}: {2} 行のうち {1} 行。ほぼ同じ {3} 行を除きました",
        "row {0} is not one of the {1} rows, numbered from 0": "行 {0} はありません。行は 0 から数えて {1} 行です",
        "'{0}' occurs twice in the column {1}": "列 {1} に '{0}' が二度あります",
        "no row of the table matches a row of the vector file by '{0}'": "'{0}' によってベクトルファイルの行に対応する行が、表にありません",
        "{0} not in the vector file: {1}": "{0}(ベクトルファイルにない行): {1}",
        "it has no column other than '{0}'": "'{0}' のほかに列がありません",
        "'{0}' is already the name of the vector file's texts, groups or ids; rename the table's column": "'{0}' はベクトルファイルのテキスト、グループ、id の名前です。表の列の名前を変えてください",
        "{0}: {1} for {2} of {3} rows": "{0}: {3} 行のうち {2} 行に {1}",
        "give either --onto or --axis": "--onto か --axis のどちらか一方を指定してください",
        "--onto writes a vector file; name it with -o": "--onto はベクトルファイルを書きます。-o で名前を指定してください",
        "--complement needs --onto": "--complement には --onto が必要です",
        "--axis expects two poles separated by a colon, such as 小:大, not '{0}'": "--axis には、小:大 のようにコロンで区切った二つの極を指定してください('{0}' ではなく)",
        "{0}: {1} rows, within the span of {2} (rank {3})": "{0}: {1} 行、{2} 行の張る空間の中(ランク {3})",
        "{0}: {1} rows, without the span of {2} (rank {3})": "{0}: {1} 行、{2} 行の張る空間を除く(ランク {3})",
        "no row has the text or id {0}": "テキストまたは id が {0} の行がありません",

        // convert
        "none of these words has a vector in {0}": "{0} に、これらの単語のベクトルがありません",
        "word {0} contains a line break, but the word list has one word per line": "単語 {0} に改行があります。単語のリストは1行に1語です",
        "{0} no vector: {1}": "{0}のベクトルがありません: {1}",
        "{0} further words left out": "ほかに {0} 語を除きました",
        "{0}: {1} words × {2}": "{0}: {1} 語 × {2} 次元",
        "{0} words occur more than once (first \"{1}\" at {2}); the first vector of each is kept": "{0} 語が二度以上現れます(最初は {2} の \"{1}\")。それぞれ最初のベクトルを残しました",
        "{0} words are not UTF-8 (first number {1}); kept byte for byte": "{0} 語が UTF-8 ではありません(最初は {1} 番目)。バイトをそのまま残しました",
        "{0} words contain spaces (first \"{1}\" at {2})": "{0} 語に空白があります(最初は {2} の \"{1}\")",

        // rerank, mine
        "the query is empty": "クエリが空です",
        "--model should name a reranker; sentence-embedding models are not rerankers": "--model にはリランカーを指定してください。文の埋め込みモデルはリランカーではありません",
        "the input has no texts": "入力にテキストがありません",
        "{0} of {1} texts was longer than {2} tokens together with the query and truncated (--max-length)": "{1} 件のテキストのうち {0} 件が、クエリと合わせて {2} トークンより長いので切り詰めました(--max-length)",
        "{0} of {1} texts were longer than {2} tokens together with the query and truncated (--max-length)": "{1} 件のテキストのうち {0} 件が、クエリと合わせて {2} トークンより長いので切り詰めました(--max-length)",
        "--between-groups needs groups, and the file has none; embed with --group-column": "--between-groups にはグループが必要ですが、ファイルにありません。--group-column を付けて埋め込んでください",
        "random pairs: mean cosine {0}, deviation {1}; {2} % below {3}, {4} % below {5}, {6} % below {7}, {8} % below {9}": "無作為な対: コサイン類似度の平均 {0}、標準偏差 {1}。{2} % が {3} 未満、{4} % が {5} 未満、{6} % が {7} 未満、{8} % が {9} 未満",
        "no pairs found": "対が見つかりませんでした",
    ]
}
