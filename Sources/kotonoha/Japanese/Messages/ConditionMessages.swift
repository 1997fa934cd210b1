// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `rsa` and `encoding`.
    static let conditionMessages: KeyValuePairs<String, String> = [
        // rsa
        "name at least one model's matrix": "モデルの行列を一つ以上指定してください",
        "--permutations should be at least {0}, and --resamples at least {1}": "--permutations は {0} 以上、--resamples は {1} 以上にしてください",
        "--fdr is between {0} and {1}, not {2}": "--fdr は {0} から {1} までの間です({2} ではなく)",
        "--data mixes matrices over time ({0}) with single matrices ({1})": "--data に、時間軸のある行列({0})と一つだけの行列({1})が混ざっています",
        "up to {0} of {1} pairs are missing from a matrix; each comparison leaves out pairs missing from either of its matrices": "行列に、{1} 対のうち最大 {0} 対がありません。比較のたびに、どちらかの行列にない対を除きます",
        "noise ceiling {0} to {1} ({2} subjects, {3} conditions)": "ノイズシーリング {0}〜{1}(被験者 {2} 名、{3} 条件)",
        "{0}: peak {1} {2} at {3}; {4} of {5} times significant (FDR {6})": "{0}: {1} の最大値 {2}(時点 {3})。{5} 時点のうち {4} 時点が有意(FDR {6})",
        "{0}: peak {1} {2} at {3}; {4} of {5} times significant (FDR {6}): {7}": "{0}: {1} の最大値 {2}(時点 {3})。{5} 時点のうち {4} 時点が有意(FDR {6}): {7}",

        // encoding
        "scores are written as {0}, not '{1}'": "成績は {0} のファイルに書きます('{1}' ではなく)",
        "give the measurements with --data": "測定値は --data で指定します",
        "--leave must be 2, not {0}; for larger parts use --folds": "--leave は 2 だけです({0} ではなく)。より多く除くなら --folds を使ってください",
        "{0} is for folds, and --leave 2 leaves pairs out": "{0} は分割のためのもので、--leave 2 は対を除きます",
        "--permutations and --band-samples should be at least {0}": "--permutations と --band-samples は {0} 以上にしてください",
        "--alpha is a number from {0}, not {1}": "--alpha は {0} 以上の数です({1} ではなく)",
        "--alphas expects LOW:HIGH:COUNT, such as 1e-2:1e5:15, not '{0}'": "--alphas には、1e-2:1e5:15 のように 最小:最大:個数 を指定してください('{0}' ではなく)",
        "--stable {0} chooses voxels by reliability: give --data several times, or an array (repetitions, rows, voxels)": "--stable {0} は信頼性でボクセルを選びます。--data を複数回、または(反復, 行, ボクセル)の配列を指定してください",
        "--stable {0} exceeds the number of voxels, {1}": "--stable {0} がボクセルの数 {1} を超えています",
        "it has {0} rows, {1} has {2}; bands describe the same rows in the same order": "{0} 行ありますが、{1} は {2} 行です。特徴空間は、同じ行を同じ順序で表すものでなければなりません",
        "row {0} has no vector, but {1} has one there": "行 {0} にベクトルがありませんが、{1} にはあります",
        "--bands {0} adds up to {1} features; the vectors have {2}": "--bands {0} の合計は {1} ですが、ベクトルは {2} 次元です",
        "the column {0} is empty in some rows": "列 {0} に空の行があります",
        "no voxel has a correlation: all {0} are constant": "相関のあるボクセルがありません。{0} 個すべてが一定です",
        "the best penalty is at the edge of the grid for {0} (lower) and {1} (upper) of {2} voxels; widen --alphas": "{2} 個のボクセルのうち、最良の罰則が格子の下端にあるもの {0} 個、上端にあるもの {1} 個。--alphas を広げてください",
        "{0} voxels were not stable in any fold and have no r": "{0} 個のボクセルはどの分割でも選ばれず、r がありません",
        "{0} voxels are constant and have no r": "{0} 個のボクセルは一定で、r がありません",
        "this repetition has {0} rows and {1} voxels, but {2} has {3} and {4}, or their names differ": "この反復は {0} 行・{1} ボクセルですが、{2} は {3} 行・{4} ボクセルであるか、名前が違います",
        "the column {0} lists different rows, or in a different order, than in {1}": "列 {0} の行またはその順序が {1} と違います",
        "row {0}, voxel {1} is {2} (rows are numbered from 0); leave out that voxel or row": "行 {0}、ボクセル {1} が {2} です(行は 0 から)。そのボクセルか行を除いてください",
        "{0} of {1} vectors have no measurements, or are empty, and were left out": "{1} 個のベクトルのうち {0} 個は、測定値がないか空なので除きました",
        "it has no numeric columns": "数値の列がありません",
        "expected an array (rows, voxels) or (repetitions, rows, voxels), found shape {0}": "配列は(行, ボクセル)か(反復, 行, ボクセル)でなければなりませんが、形は {0} です",
        "--match needs a table with a named column; the rows of an array are matched in order": "--match には名前のある列を持つ表が必要です。配列の行は順に対応させます",
        "it has {0} rows, the vector file has {1}; --match COLUMN matches them by text or id": "{0} 行ありますが、ベクトルファイルは {1} 行です。--match 列 なら、テキストか id で対応させます",
        "{0} of its rows have no vector: {1}": "ベクトルのない行が {0} 行あります: {1}",
        "'{0}' occurs twice; give repetitions as --data several times": "'{0}' が二度あります。反復は --data を複数回指定してください",

        // arrays over time
        "expected an array (times, conditions or trials, channels), found shape {0}": "配列は(時点, 条件または試行, チャンネル)でなければなりませんが、形は {0} です",
        "it has {0} trials; the array of shape {1} has {2} (its axes are times, trials, channels)": "{0} 試行ありますが、形が {1} の配列は {2} 試行です(軸は時点、試行、チャンネル)",
        "it has {0} times, the array has {1}": "{0} 時点ありますが、配列は {1} 時点です",
        "'{0}' is not a layer number": "'{0}' は層の番号ではありません",
    ]
}
