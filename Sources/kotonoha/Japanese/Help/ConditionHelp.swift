// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `rsa` and `encoding`.
    static let conditionHelp: KeyValuePairs<String, String> = [
        // rsa
        "Dissimilarity matrices of models.": "モデルの非類似度行列。",
        "Dissimilarity matrices of subjects; may be given several times.": "被験者の非類似度行列。複数回指定できます。",
        "spearman, rho-a, tau-a, pearson, cosine or cov-weighted.": "比較の指標: spearman、rho-a、tau-a、pearson、cosine、cov-weighted。",
        "Permutations of conditions.": "条件の並べ替えの回数。",
        "What the bootstrap resamples: conditions, subjects or both.": "ブートストラップで再標本化するもの: conditions(条件)、subjects(被験者)、both(両方)。",
        "Bootstrap resamples; 0 for no intervals and no p-values of differences.": "ブートストラップの標本の数。0 なら区間も差の p 値も求めません。",
        "False discovery rate at which models are marked.": "モデルに印を付ける偽発見率(FDR)。",
        """
        kotonoha rsa layer4.rdm.h5 layer12.rdm.h5 --data s1.rdm.h5 --data s2.rdm.h5 -o rsa.csv --figure rsa.pdf

        Each model's dissimilarities are compared with each subject's. p-values permute
        conditions, never cells; the noise ceiling bounds what the best model could
        reach; matrices are matched by label. A table of pairs may contain several
        matrices: FILE.tsv:COLUMN,COLUMN selects some; a file of layers gives one model
        per layer.

        If --data are matrices over time (rdm of an array), the result is a time
        course: p is adjusted over times, and the figure marks significant times and
        shades the noise ceiling.
        """: """
        kotonoha rsa layer4.rdm.h5 layer12.rdm.h5 --data s1.rdm.h5 --data s2.rdm.h5 -o rsa.csv --figure rsa.pdf

        各モデルの非類似度を各被験者の非類似度と比べます。p 値のために並べ替えるのは
        条件で、行列の要素ではありません。ノイズシーリングは、最良のモデルが達しうる
        範囲を示します。行列はラベルで対応させます。対の表に複数の行列があれば FILE.tsv:
        列,列 で選べます。層のファイルは層ごとに一つのモデルになります。

        --data が時間軸のある行列(配列の rdm)なら、結果は時系列になります。p 値は
        時点について補正し、図では有意な時点に印を付け、ノイズシーリングを網掛けで
        示します。
        """,

        // encoding
        "Measurements: a table, .npy, .h5 or .mat (FILE:NAME), one row per vector, one column per voxel; several times for repetitions.": "測定値: 表、.npy、.h5、.mat(FILE:NAME)。ベクトルごとに1行、ボクセルごとに1列。反復測定なら複数回指定します。",
        "The column of --data whose values are the texts or ids of the vectors; rows are in order if not given.": "--data の、ベクトルのテキストまたは id を値とする列。指定しなければ行の順に対応させます。",
        "Penalties of ridge regression, equally spaced on a logarithmic scale.": "リッジ回帰の罰則(対数尺度で等間隔)。",
        "A fixed penalty instead of choosing one; 1 by default with --leave.": "罰則を選ばず、この値に固定します。--leave での既定は 1。",
        "Feature spaces with separate penalties: widths that add up to the dimension (50,250), or more vector files, whose vectors are appended.": "罰則を別々にする特徴空間: 合計が次元数になる幅(50,250)、またはベクトルをつなげるほかのベクトルファイル。",
        "Random weightings of the bands to try, in addition to equal weights and each band alone.": "等しい重みと各空間単独のほかに試す、無作為な重みの組の数。",
        "Use only this many voxels, those with the most reliable repetitions in the training rows of each fold; needs repetitions.": "各分割の学習用の行で、反復間の信頼性が最も高いこの数のボクセルだけを使います。反復測定が必要です。",
        "Number of outer and of inner folds.": "外側と内側の分割数。",
        "2: leave two items out.": "2 なら、項目を二つずつ除きます。",
        "Column of groups that are never split between folds, such as runs of a scan.": "分割をまたがないグループの列(スキャンのランなど)。",
        "Permutations for p-values; 0 for none.": "p 値のための並べ替えの回数。0 なら求めません。",
        "Scale features to mean 0 and standard deviation 1 over the training rows of each fold.": "各分割の学習用の行で、特徴を平均 0、標準偏差 1 に標準化します。",
        "Seed of folds and permutations.": "分割と並べ替えのシード。",
        "One row per voxel: r, R², penalty (.tsv, .csv, .xlsx, .jsonl, .json or .h5).": "ボクセルごとに1行: r、R²、罰則(.tsv、.csv、.xlsx、.jsonl、.json、.h5)。",
        """
        kotonoha encoding words.h5 --data P1.tsv --leave 2 --alpha 100

        leaves out each pair of items in turn and tests whether their predictions match
        the two items better than the reverse (Mitchell et al. 2008).

        kotonoha encoding sentences.h5 --data voxels.npy --group-column run -o scores.tsv

        predicts each fold from the others by ridge regression; the penalty of each
        voxel is chosen in inner folds. Rows of --data are in the order of the vector
        file, or are matched to its texts or ids by the column --match.

        Repeated measurements (--data given several times, or an array of repetitions,
        rows, voxels) are averaged, give each voxel a noise ceiling, and allow --stable
        N: only the most reliable voxels in the training rows of each fold. --bands
        gives feature spaces separate penalties.
        """: """
        kotonoha encoding words.h5 --data P1.tsv --leave 2 --alpha 100

        は、項目を二つずつ除き、その二つの予測が、入れ替えたときより正しい項目によく
        合うかを調べます(Mitchell et al. 2008)。

        kotonoha encoding sentences.h5 --data voxels.npy --group-column run -o scores.tsv

        は、各分割をほかの分割からリッジ回帰で予測します。罰則はボクセルごとに、内側の
        分割で選びます。--data の行は、ベクトルファイルの行の順に、または列 --match
        によってテキストか id に対応させます。

        反復測定(複数の --data、または(反復, 行, ボクセル)の配列)は平均し、
        ボクセルごとのノイズシーリングを求めます。--stable N を使うと、各分割の学習用の
        行で最も信頼性の高いボクセルだけを予測します。--bands は特徴空間ごとに別々の
        罰則を使います。
        """,
    ]
}
