// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `mds`, `autoencoder`, `compare`.
    static let mapMessages: KeyValuePairs<String, String> = [
        // autoencoder
        "codes are written as {0}, not '{1}'": "符号は {0} のファイルに書きます('{1}' ではなく)",
        "codes are written to a file, not to standard output": "符号はファイルに書きます(標準出力ではなく)",
        "--active {0} exceeds the {1} units of the code (--code)": "--active {0} が符号のユニット数 {1}(--code)を超えています",
        "a picture needs two units; --code asks for {0}": "図にはユニットが二つ必要です。--code は {0} です",
        "stopped after {0} iterations without convergence; --iterations allows more": "{0} 回の反復で収束しませんでした。--iterations で増やせます",
        "{0}: {1} × {2}; variance lost by the code {3}, by {4} principal components {5}": "{0}: {1} × {2}。失われる分散は、符号が {3}、{4} 個の主成分が {5}",
        "{0}: {1} × {2}; variance lost by the code {3}, by {4} principal components {5}; on {6} held out from both {7} and {8}": "{0}: {1} × {2}。失われる分散は、符号が {3}、{4} 個の主成分が {5}。学習に使わなかった{6}では {7} と {8}",
        "{0} of the code never became active": "符号の{0}が一度も活性化しませんでした",

        // mds, compare, pca
        "name at least one matrix": "行列を一つ以上指定してください",
        "--dimensions should be at least {0} and --starts at least {1}": "--dimensions は {0} 以上、--starts は {1} 以上にしてください",
        "{0}: {1} scaling of {2} conditions in {3} dimensions, stress-1 {4}; eigenvalues {5}, the first {6} {7} % of the positive ones": "{0}: {2} 条件の尺度構成法({1}、{3} 次元)、ストレス-1 {4}。固有値 {5}、第1〜{6} の合計は正の固有値の {7} %",
        "{0}: {1} scaling of {2} conditions in {3} dimensions, stress-1 {4}, distances correlate with dissimilarities at {5}": "{0}: {2} 条件の尺度構成法({1}、{3} 次元)、ストレス-1 {4}、距離と非類似度の相関 {5}",
        "{0}: {1} scaling of {2} conditions in {3} dimensions, stress-1 {4}, distances correlate with dissimilarities at {5}; eigenvalues {6}, the first {7} {8} % of the positive ones": "{0}: {2} 条件の尺度構成法({1}、{3} 次元)、ストレス-1 {4}、距離と非類似度の相関 {5}。固有値 {6}、第1〜{7} の合計は正の固有値の {8} %",
        "random start {0} was better than the classical solution": "無作為な初期値 {0} が古典的な解より良い結果でした",
        "no random start was better than the classical solution": "古典的な解より良い無作為な初期値はありませんでした",
        "--shepard draws one matrix; there are {0}": "--shepard は一つの行列の図ですが、{0} 個あります",
        "{0}: stress-1 {1}, disparity from the mean map {2}": "{0}: ストレス-1 {1}、平均の地図との不一致度 {2}",
        "a map needs two dimensions; --dimensions asks for {0}": "地図には次元が二つ必要です。--dimensions は {0} です",
        "this map shows {0} sentences and {1} {2}, or different ones; both must be made from the same vector file": "この地図は {0} 文、{1} は {2} 文を示すか、文が違います。どちらも同じベクトルファイルから作ったものでなければなりません",
        "the maps have points for rows that this file does not have": "地図に、このファイルにない行の点があります",
        "principal components are written as {0}, not '{1}'": "主成分は {0} のファイルに書きます('{1}' ではなく)",
        "{0} cannot be combined with --from, whose components are used unchanged": "{0} は --from(主成分をそのまま使います)と同時に指定できません",
    ]
}
