// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of probes, attention and attributions.
    static let inspectionHelp: KeyValuePairs<String, String> = [
        // probe
        """
        A probe is a linear map under which distances between word vectors approximate
        distances in the dependency tree (Hewitt & Manning 2019). Make word vectors
        first:

          kotonoha embed train.conllu -o train.h5 --tokens
          kotonoha embed dev.conllu -o dev.h5 --tokens
          kotonoha probe sweep --train train.h5 train.conllu --dev dev.h5 dev.conllu -o layers.tsv --figure layers.svg
        """: """
        プローブは、単語ベクトルの間の距離が係り受け木の上の距離に近づくような
        線形写像です(Hewitt & Manning 2019)。先に単語ベクトルを作ります:

          kotonoha embed train.conllu -o train.h5 --tokens
          kotonoha embed dev.conllu -o dev.h5 --tokens
          kotonoha probe sweep --train train.h5 train.conllu --dev dev.h5 dev.conllu -o layers.tsv --figure layers.svg
        """,

        // probe train
        "The layer: 0 for the embeddings, then 1, 2, …": "層: 0 は埋め込み層、以下 1, 2, …",
        "Rank of the map B; by default 128, or the dimension of the vectors if smaller.": "写像 B のランク。既定は 128、ベクトルの次元数がそれより小さければその数。",
        "Seed of the initialization and of the order of sentences.": "初期値と文の順序のシード。",
        "The probe's file (.safetensors).": "プローブのファイル(.safetensors)。",

        // probe sweep
        "Use the settings of the public reference implementation, to reproduce published results.": "公開されている参照実装の設定を使います(公刊された結果の再現用)。",
        "Sentences in a batch.": "バッチの文の数。",
        "Learning rate of Adam.": "Adam の学習率。",
        "Maximum number of epochs.": "最大のエポック数。",
        "Word vectors and treebank to learn from.": "学習に使う単語ベクトルとツリーバンク。",
        "Word vectors and treebank that decide when to stop.": "学習を止める時点を決める単語ベクトルとツリーバンク。",
        "Word vectors and treebank to score; those of --dev if not given.": "評価する単語ベクトルとツリーバンク。指定しなければ --dev のもの。",
        "all, or numbers separated by commas.": "all、またはカンマ区切りの番号。",
        "Ranks of B, separated by commas; by default 128 or the dimension of the vectors.": "B のランク(カンマ区切り)。既定は 128、またはベクトルの次元数。",
        "Seeds, separated by commas.": "シード(カンマ区切り)。",
        "distance or depth; both if not given.": "distance(距離)または depth(深さ)。指定しなければ両方。",
        "Also train on the control task of Hewitt & Liang (2019); the real score minus the control's is the selectivity.": "Hewitt & Liang (2019) の統制課題でも学習します。実際の値から統制課題の値を引いたものが選択性です。",
        "Vectors of an untrained encoder for train, dev (and test).": "未学習のエンコーダーの、train と dev(と test)のベクトル。",
        "Table to write (.tsv, .csv or .xlsx); standard output by default.": "書き出す表(.tsv、.csv、.xlsx)。指定しなければ標準出力に書きます。",
        "Figure of the scores over layers, or over ranks if there is only one layer (.svg, .pdf or .png).": "層ごとの値の図。層が一つだけならランクごと(.svg、.pdf、.png)。",
        """
        Prints one line per probe: scores with 95 % intervals, next to controls:
        baselines without syntax, random projections, the control task (--controls), an
        untrained encoder (--untrained, made by embed --tokens --untrained-seed).
        """: """
        プローブごとに1行で、値と 95 % 区間を、対照と並べて示します。対照は、
        統語情報のないベースライン、ランダム射影、統制課題(--controls)、未学習の
        エンコーダー(--untrained。embed --tokens --untrained-seed で作ります)です。
        """,

        // probe evaluate
        "The probe's file.": "プローブのファイル。",
        "Word vectors and treebank to score.": "評価する単語ベクトルとツリーバンク。",
        "Also report recall by relation and by distance.": "関係ごと、距離ごとの再現率も報告します。",

        // probe parse
        "A treebank to take the sentence from.": "文を取り出すツリーバンク。",
        "Its sent_id, or its number from 1.": "文の sent_id、または 1 からの番号。",
        "Picture of the arcs (.svg, .pdf, .png).": "係り受けの弧の図(.svg、.pdf、.png)。",
        "Picture of the predicted distances as a heat map.": "予測した距離のヒートマップ。",
        "Picture of the probed space on its first two principal components, with the tree.": "プローブの空間の第1・第2主成分に木を描いた図。",
        """
        Words are separated by spaces, with punctuation split off. Japanese without
        spaces is split by MeCab; with spaces it is split there, and the encoder reads
        the sentence without them. With --treebank the sentence comes from a treebank,
        and pictures also show its gold tree.
        """: """
        単語は空白で区切り、句読点は切り離します。空白のない日本語は MeCab で分けます。
        空白のある日本語はそこで分け、エンコーダーには空白なしで渡します。--treebank
        なら文をツリーバンクから取り、図に正解の木も示します。
        """,

        // probe compare
        "The first probe's file.": "一つめのプローブのファイル。",
        "The second probe's file.": "二つめのプローブのファイル。",
        "Punctuation left out of trees, by tag set: upos, penn, unidic or none. By default the one that fits the treebank's tags.": "木から除く句読点を決めるタグ体系: upos、penn、unidic、none(除かない)。既定はツリーバンクのタグに合うもの。",
        "The model whose word pieces the vectors belong to, for files of other programs with one vector per piece.": "サブワードごとに一つのベクトルを持つ、ほかのプログラムのファイルのための、サブワードのもとになったモデル。",
        "Word vectors for the first probe.": "一つめのプローブの単語ベクトル。",
        "Word vectors for the second probe.": "二つめのプローブの単語ベクトル。",
        "The treebank of both.": "両方に使うツリーバンク。",
        """
        Differences are first minus second, with 95 % intervals and p-values of the paired bootstrap over sentences.
        """: """
        差は一つめから二つめを引いたものです。95 % 区間と p 値は、文の対応のある
        ブートストラップによります。
        """,

        // attention
        "The sentence.": "文。",
        "A second sentence, read together with the first.": "一緒に読む、二つめの文。",
        "A page with every head, in one file.": "すべてのヘッドを示すページ(一つのファイル)。",
        "A picture (.svg, .pdf, .png): layer means, the heads of --layer, or one head with --layer and --head; may be given several times.": "図(.svg、.pdf、.png): 各層の平均、--layer の全ヘッド、または --layer と --head の一つのヘッド。複数回指定できます。",
        "A table of the heads, or of the rollout.": "ヘッドの表、または --rollout の表。",
        "Layer of the picture, from 1.": "図に描く層(1 から)。",
        "Head of the picture, from 1.": "図に描くヘッド(1 から)。",
        "Draw and write the rollout of all layers instead of heads.": "ヘッドの代わりに、全層のロールアウトを描き、書き出します。",
        "Language of pictures and page: en or ja; by default the page follows the browser.": "図とページの言語: en または ja。指定しなければ、ページはブラウザーに合わせます。",
        "Width of the picture, such as 180mm.": "図の幅(180mm など)。",
        """
        kotonoha attention MODEL "二匹の犬が雪の上で遊んでいる。" --html heads.html
        kotonoha attention MODEL "The dog ran." "It was fast." --figure layer3.pdf --layer 3
        kotonoha attention MODEL "The dog ran." -o heads.csv

        The page shows thumbnails of all heads and one head enlarged, as lines between
        tokens or as a matrix. The table has one row per head: the entropy of its
        weights, the mean distance, and the proportion of attention to the token
        itself, its neighbours, the first token and special tokens; with --rollout, one
        row per pair of tokens: how much of one reaches the other through all layers
        (Abnar & Zuidema 2020). Attention shows where a head looks, not why the model
        decides as it does.
        """: """
        kotonoha attention モデル "二匹の犬が雪の上で遊んでいる。" --html heads.html
        kotonoha attention モデル "犬が走った。" "速かった。" --figure layer3.pdf --layer 3
        kotonoha attention モデル "犬が走った。" -o heads.csv

        ページには全ヘッドの縮小図と、拡大した一つのヘッド(トークンを結ぶ線、または行列)
        を示します。表はヘッドごとに1行で、重みのエントロピー、平均距離、そのトークン
        自身・隣・先頭のトークン・特殊トークンへのアテンションの割合です。--rollout では
        トークンの対ごとに1行で、一方が全層を通してもう一方にどれだけ届くかを示します
        (Abnar & Zuidema 2020)。アテンションはヘッドがどこを見ているかを示すもので、
        モデルの判断の理由ではありません。
        """,

        // explain
        "The first sentence.": "一つめの文。",
        "The second sentence; not needed for a classifier of single texts.": "二つめの文。単独のテキストの分類器では不要です。",
        "integrated or gradient-input.": "integrated(積分)または gradient-input(勾配と入力の積)。",
        "Unit of the map: word (in Japanese, MeCab words) or token.": "単位: word(単語。日本語は MeCab で分割)または token(トークン)。",
        "Number of points between the reference and the text at which the derivative is taken.": "基準点からテキストまでの間で微分を求める点の数。",
        "For a classifier: the label to explain, by name or number from 0; by default the one with the highest score.": "分類器で、説明するラベル(名前、または 0 からの番号)。既定はスコアの最も高いもの。",
        "A table of the map (.tsv, .csv, .xlsx, .jsonl, .json); standard output if neither -o nor --figure is given.": "寄与の表(.tsv、.csv、.xlsx、.jsonl、.json)。-o も --figure もなければ標準出力に書きます。",
        "A picture of the map (.svg, .pdf, .png); may be given several times.": "寄与の図(.svg、.pdf、.png)。複数回指定できます。",
        "Width of the picture, such as 120mm.": "図の幅(120mm など)。",
        "How to split words: auto, spaces or mecab.": "単語の分け方: auto、spaces(空白)、mecab。",
        "MeCab dictionary (by default KOTONOHA_MECAB_DIC, or else Debian's).": "MeCab の辞書(既定は KOTONOHA_MECAB_DIC、なければ Debian のもの)。",
        """
        kotonoha explain MODEL "犬が雪で遊ぶ。" "二匹の犬が雪の上にいる。" --figure map.pdf -o map.csv
        kotonoha explain RERANKER "query" "a text"

        For a sentence-embedding model, the cosine is decomposed over word pairs by
        integrated Jacobians of both sides (Moeller, Nikolaev & Padó 2023, 2024); the
        parts add up to the cosine relative to references with padding instead of
        words, and both sums are printed. For a classifier or reranker, the score is
        decomposed over words by integrated gradients. --method gradient-input is
        gradient times input at the text itself. --untrained-seed shows what the
        architecture alone would give: if that map looks the same, it explains nothing
        about training.
        """: """
        kotonoha explain モデル "犬が雪で遊ぶ。" "二匹の犬が雪の上にいる。" --figure map.pdf -o map.csv
        kotonoha explain リランカー "クエリ" "テキスト"

        文の埋め込みモデルでは、コサイン類似度を両側の積分ヤコビ行列で語の対に分解します
        (Moeller, Nikolaev & Padó 2023, 2024)。その合計は、語をパディングで置き換えた
        基準に対するコサイン類似度に等しく、両方の値を示します。分類器とリランカーでは、
        スコアを積分勾配で語に分解します。--method gradient-input は、
        テキストそのものでの勾配と入力の積です。--untrained-seed は構造だけで生じる
        分解を示します。それが同じように見えるなら、学習については何も説明していません。
        """,
    ]
}
