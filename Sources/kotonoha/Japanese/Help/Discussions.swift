// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// The paragraphs below the abstract of a command. Lines are broken as they are shown: 80 columns, 40 Japanese characters.
    static let discussions: KeyValuePairs<String, String> = [
        """
        captions.txt ──embed──▶ vectors.h5 ──rank──▶ the most similar sentences
                                           ──pca, tsne──▶ coordinates and pictures

        Results go to standard output or to -o; progress and warnings to standard
        error. --version --verbose also names commit, instruction set and libraries.
        """: """
        captions.txt ──embed──▶ vectors.h5 ──rank──▶ 最も似た文
                                           ──pca, tsne──▶ 座標と図

        結果は標準出力か -o へ、進行状況と警告は標準エラー出力へ出ます。
        --version --verbose はコミット、命令セット、ライブラリも示します。
        """,
        """
        Reads text (one sentence per line), TSV, CSV, spreadsheets, JSON lines and COCO
        or STAIR caption files, in UTF-8 or a Japanese encoding, and writes a vector
        file. Other columns are kept. --resume continues an interrupted run.
        """: """
        テキスト(1行1文)、TSV、CSV、表計算ファイル、JSON Lines、COCO や STAIR の
        キャプションを、UTF-8 や日本語の文字コードで読み、ベクトルファイルを書きます。
        ほかの列は引き継ぎます。--resume は中断したところから再開します。
        """,
        """
        The output's name determines the format: .npy (NumPy), .vec (word2vec text,
        keyed by id or row), .tsv (TensorBoard projector: vectors, and
        NAME.metadata.tsv), .csv, .xlsx and .jsonl (texts and vectors), .copy
        (PostgreSQL COPY, vectors for pgvector), .hdf5 (ANN-benchmarks: train, test,
        neighbors, distances).

        kotonoha export corpus.kset -o v.npy --per-shard        v-00000.npy, v-00001.npy …, for faiss
        """: """
        形式は出力の名前で決まります: .npy(NumPy)、.vec(word2vec のテキスト形式。
        キーは id または行番号)、.tsv(TensorBoard のプロジェクター用のベクトルと
        NAME.metadata.tsv)、.csv・.xlsx・.jsonl(テキストとベクトル)、.copy
        (PostgreSQL の COPY。pgvector 用)、.hdf5(ANN-benchmarks: train、test、
        neighbors、distances)。

        kotonoha export corpus.kset -o v.npy --per-shard        v-00000.npy, v-00001.npy …(faiss 用)
        """,
        """
        kotonoha similarity "two dogs play in snow" "dogs run outside in winter"
        kotonoha similarity --pairs pairs.tsv -o scores.tsv

        Cosines lie between -1 and 1. What counts as high depends on the model: compare
        only within one model.
        """: """
        kotonoha similarity "犬が雪の上で遊ぶ" "冬に犬が外を走る"
        kotonoha similarity --pairs pairs.tsv -o scores.tsv

        コサイン類似度は -1 から 1 までの値です。どのくらいで高いと言えるかはモデルに
        よるので、比べるのは同じモデルの値どうしに限ります。
        """,
        """
        kotonoha rank vectors.h5 "two dogs play in snow"
        kotonoha rank vectors.h5 --queries questions.txt --top 5 -o ranking.tsv

        Queries are embedded with the model that made the file; its hash is checked.
        Put -- before a query that begins with -.

        In a file of word vectors, a query is a word of the file, or a word for which
        --model has a vector:
        kotonoha nearest words.h5 犬
        kotonoha rank words.h5 --plus king,woman --minus man
        """: """
        kotonoha rank vectors.h5 "犬が雪の上で遊ぶ"
        kotonoha rank vectors.h5 --queries questions.txt --top 5 -o ranking.tsv

        クエリは、ファイルを作ったモデルで埋め込みます(ハッシュを確かめます)。
        - で始まるクエリの前には -- を置きます。

        単語ベクトルのファイルでは、クエリはファイルの単語か、--model にベクトルの
        ある単語です:
        kotonoha nearest words.h5 犬
        kotonoha rank words.h5 --plus 王,女 --minus 男
        """,
        """
        Writes pca.h5: components, mean, explained variance and the coordinates of
        every row. Vectors are read in blocks, so files of any length fit. Signs are
        chosen so that the largest entry of each component is positive.
        """: """
        pca.h5 に主成分、平均、説明された分散、各行の座標を書きます。ベクトルは少しずつ
        読むので、どんな長さのファイルでも扱えます。符号は、各主成分の絶対値が最大の
        要素が正になるように決めます。
        """,
        """
        kotonoha tsne vectors.h5 -o map.csv --figure map.svg --html map.html

        Distances are Euclidean between vectors scaled to unit length, at full
        dimension; --pca N reduces them first. On a map only proximity is meaningful:
        not the axes, the sizes of clusters, or the distances between distant clusters.

        kotonoha tsne new.h5 --onto map.h5 -o placed.csv

        places new sentences on an existing map, which does not change.
        """: """
        kotonoha tsne vectors.h5 -o map.csv --figure map.svg --html map.html

        距離は、長さ1に正規化したベクトルのユークリッド距離(全次元)です。--pca N なら
        先に次元を減らします。地図で意味があるのは近さだけで、軸、クラスターの大きさ、
        離れたクラスターの間の距離には意味がありません。

        kotonoha tsne new.h5 --onto map.h5 -o placed.csv

        は、できた地図を変えずに、新しい文を配置します。
        """,
        """
        kotonoha umap vectors.h5 -o map.csv --figure map.svg --html map.html

        Distances are Euclidean between vectors scaled to unit length. As with t-SNE,
        only proximity is meaningful: not the axes, the sizes of clusters, or the gaps
        between them. --by COLUMN separates the values of a column (supervised; such a
        map is not evidence that they differ).

        kotonoha umap new.h5 --onto map.h5 -o placed.csv

        places new sentences on an existing map, which does not change.
        """: """
        kotonoha umap vectors.h5 -o map.csv --figure map.svg --html map.html

        距離は、長さ1に正規化したベクトルのユークリッド距離です。t-SNE と同じく、意味が
        あるのは近さだけで、軸、クラスターの大きさ、その間の隔たりには意味がありません。
        --by 列 は列の値を分離します(教師あり。そうして作った地図は、値に違いがある
        証拠にはなりません)。

        kotonoha umap new.h5 --onto map.h5 -o placed.csv

        は、できた地図を変えずに、新しい文を配置します。
        """,
        """
        kotonoha cluster vectors.h5 -o clusters.tsv --threshold q99

        finds communities: sentences whose cosine to a central sentence reaches a
        threshold. Typical cosines differ between models, so the threshold can be a
        quantile of random pairs. --clusters K runs spherical k-means, which assigns
        every sentence to a cluster.

        --tree average, complete, single or ward builds a tree instead, from cosine
        distances or a dissimilarity matrix; -o tree.csv lists its merges, tree.newick
        is for other programs. With --clusters K or --threshold HEIGHT the tree is cut,
        and -o lists or copies rows with their clusters.

        -o clustered.h5 copies the vector file with the clusters as groups, so that
        maps are coloured by cluster.
        """: """
        kotonoha cluster vectors.h5 -o clusters.tsv --threshold q99

        は、コミュニティ(中心の文とのコサイン類似度がしきい値に達する文の集まり)を
        見つけます。コサイン類似度の普通の大きさはモデルによって違うので、しきい値は
        無作為な対の分位点でも指定できます。--clusters K は球面 k-means で、すべての文を
        どれかのクラスターに割り当てます。

        --tree average、complete、single、ward なら、コサイン距離または非類似度行列から
        樹形図を作ります。-o tree.csv は併合の一覧、tree.newick はほかのプログラム用
        です。--clusters K か --threshold 高さ で樹形図を切り、-o にクラスター付きの行を
        書きます。

        -o clustered.h5 はクラスターをグループとしてベクトルファイルを写すので、地図が
        クラスターで塗り分けられます。
        """,
        """
        kotonoha contrast vectors.h5 --by condition --between A,B --item item -o pairs.csv --figure c.pdf
        kotonoha contrast scores.csv --by condition --between A,B --item item --value surprisal

        With --item the same items occur in both conditions and the contrast is paired
        by item; without it the conditions are independent samples. Bootstrap and
        permutation are by item, never by pair. By-item results do not generalize over
        subjects.

        --toward C:D compares how much closer rows are to the rows of condition C than
        to those of D (as in WEAT).
        """: """
        kotonoha contrast vectors.h5 --by 条件 --between A,B --item 項目 -o pairs.csv --figure c.pdf
        kotonoha contrast scores.csv --by 条件 --between A,B --item 項目 --value サプライザル

        --item があれば、同じ項目が両方の条件に現れるものとして、項目ごとに対応のある
        比較をします。なければ、条件を独立な標本とします。ブートストラップと並べ替え
        検定の単位は項目で、対ではありません。項目による結果は被験者に一般化できません。

        --toward C:D は、行が条件 D の行より条件 C の行にどれだけ近いかを比べます
        (WEAT と同じ)。
        """,
        """
        kotonoha matrix vectors.h5 -o matrix.xlsx --by condition --figure heat.pdf

        With --metric euclidean, distances are written, as by rdm, because no
        similarity is defined.
        """: """
        kotonoha matrix vectors.h5 -o matrix.xlsx --by 条件 --figure heat.pdf

        --metric euclidean では類似度が定義されないので、rdm と同じく距離を書きます。
        """,
        """
        kotonoha rdm vectors.h5 -o model.rdm.h5 --by condition --figure rdm.pdf
        kotonoha rdm eeg.npy -o s1.rdm.h5 --trials trials.tsv --metric crossnobis --times -0.1:0.01

        INPUT is a vector file, a file of layers (layers.h5:4), a table of features
        (--label-column), a finished matrix (.rdm.h5, .npy, a square table, or a table
        of pairs), or an array over time: (times, conditions, channels), or (times,
        trials, channels) with --trials, from .npy, HDF5 (FILE.h5:NAME) or MATLAB's
        .mat (FILE.mat:NAME). An array over time gives one matrix per time, which rsa
        compares with models.
        """: """
        kotonoha rdm vectors.h5 -o model.rdm.h5 --by 条件 --figure rdm.pdf
        kotonoha rdm eeg.npy -o s1.rdm.h5 --trials trials.tsv --metric crossnobis --times -0.1:0.01

        入力は、ベクトルファイル、層のファイル(layers.h5:4)、特徴の表
        (--label-column)、できた行列(.rdm.h5、.npy、正方の表、対の表)、または時間軸の
        ある配列です。配列は(時点, 条件, チャンネル)、--trials があれば(時点, 試行,
        チャンネル)で、.npy、HDF5(FILE.h5:NAME)、MATLAB の .mat(FILE.mat:NAME)から
        読みます。時間軸のある配列からは時点ごとに一つの行列ができ、rsa でモデルと
        比べられます。
        """,
        """
        kotonoha surprisal MODEL items.xlsx --column 文 --unit word --lag 2 -o words.csv
        kotonoha surprisal MODEL "The dog / that barked / ran." --regions --unit region

        Causal models predict each token from the preceding ones, the first from the
        model's begin token. Masked models give pseudo-log-likelihoods: every token is
        masked in its own copy of the text (--pll). Words are separated by spaces, or
        by MeCab in Japanese; the table has one row per word, with the surprisal and
        length of preceding words, for regression of reading times (evaluate reading,
        or lme4).
        """: """
        kotonoha surprisal モデル items.xlsx --column 文 --unit word --lag 2 -o words.csv
        kotonoha surprisal モデル "The dog / that barked / ran." --regions --unit region

        因果言語モデルは、各トークンをそれより前のトークンから(最初のトークンは開始
        トークンから)予測します。マスク言語モデルは疑似対数尤度を与えます。各トークンを
        一つずつマスクした写しを使います(--pll)。単語は空白で、日本語では MeCab で
        分けます。表は1語1行で、直前の語のサプライザルと長さも並び、読み時間の回帰分析
        (evaluate reading や lme4)に使えます。
        """,
        """
        kotonoha train classifier ratings.xlsx --column 文 --label 評価 --folds 5 --group-column 話者 --freeze all -o predictions.xlsx
        kotonoha train classifier ratings.xlsx --column 文 --label 評価 --freeze all -o my-classifier
        kotonoha train classifier train.tsv --test dev.tsv --column sentence --label label --model all-MiniLM-L6-v2 --seeds 5
        kotonoha train classifier --tasks tasks.json --model all-MiniLM-L6-v2 -o tasks

        With --folds (or --test) no model is saved: accuracy, Matthews correlation and
        F1 (or correlations) are reported with bootstrap intervals over rows, or over
        groups with --group-column, next to a majority baseline, character n-grams and
        frozen embeddings; -o is then a table of predictions. --freeze all fits
        logistic or ridge regression on the model's vectors, its penalty chosen in
        inner folds; otherwise the encoder is fine-tuned. Epoch, penalty and
        temperature are always chosen within the training rows. --tasks fine-tunes one
        encoder on several tables at once, each with a head of its own.
        """: """
        kotonoha train classifier ratings.xlsx --column 文 --label 評価 --folds 5 --group-column 話者 --freeze all -o predictions.xlsx
        kotonoha train classifier ratings.xlsx --column 文 --label 評価 --freeze all -o my-classifier
        kotonoha train classifier train.tsv --test dev.tsv --column sentence --label label --model all-MiniLM-L6-v2 --seeds 5
        kotonoha train classifier --tasks tasks.json --model all-MiniLM-L6-v2 -o tasks

        --folds(または --test)ではモデルを保存せず、正答率、マシューズ相関係数、F1
        (または相関)を、行(--group-column があればグループ)のブートストラップ区間と
        ともに報告します。最頻ラベル、文字 n-gram、固定した埋め込みの成績も並べます。
        このとき -o は予測の表です。--freeze all は、モデルのベクトルにロジスティック
        回帰またはリッジ回帰を当てはめ、罰則を内側の分割で選びます。ほかの場合は
        エンコーダーをファインチューニングします。エポック、罰則、温度は、つねに学習用の
        行の中で選びます。--tasks は、一つのエンコーダーを複数の表で同時に
        ファインチューニングし、課題ごとにヘッドを置きます。
        """,
        """
        kotonoha classify my-classifier new.xlsx --column 文 -o labelled.xlsx

        Takes any …ForSequenceClassification model folder, and those written by `train
        classifier`. All columns of the input are kept; rows without text keep their
        place and get no label.
        """: """
        kotonoha classify my-classifier new.xlsx --column 文 -o labelled.xlsx

        …ForSequenceClassification のモデルのフォルダーと、`train classifier` が書いた
        ものを使えます。入力の列はすべて引き継ぎます。テキストのない行は位置を保ち、
        ラベルは付きません。
        """,
        """
        Reads JSTS, STS-B, JSICK, lists of word pairs (WordSim-353, SimLex-999) and any
        table with two columns of texts and one of scores. Prints Pearson's and
        Spearman's correlation with 95 % intervals (Fisher's z, and a seeded bootstrap
        over pairs); with a file of word vectors also how many pairs it covers.
        """: """
        JSTS、STS-B、JSICK、単語の対のリスト(WordSim-353、SimLex-999)、そのほかテキスト
        の列が二つと評定値の列が一つある表を読みます。ピアソンとスピアマンの相関係数を
        95 % 区間(フィッシャーの z 変換と、対のブートストラップ)とともに示します。
        単語ベクトルのファイルでは、ベクトルのある対の数も示します。
        """,
        """
        kotonoha evaluate retrieval pairs.tsv --columns ja,en

        Each row has two matching sentences. Every sentence of one column is a query
        against all sentences of the other. A sentence that occurs in several rows is
        one query, and each of its partners is correct. With --group-column (for
        example captions of one picture), every sentence of the group is correct.
        """: """
        kotonoha evaluate retrieval pairs.tsv --columns ja,en

        各行に、対応する二つの文があります。一方の列の各文をクエリとして、もう一方の列
        のすべての文から探します。複数の行に現れる文は一つのクエリとし、相手のどれも正解
        とします。--group-column(同じ写真のキャプションなど)では、同じグループの文は
        すべて正解です。
        """,
        """
        kotonoha model pull sentence-transformers/all-MiniLM-L6-v2

        An interrupted download resumes. When all files are complete the model is
        loaded once; only then is it found by name. HF_TOKEN gives access to private
        models, HF_ENDPOINT sets another hub, HF_HUB_CACHE or HF_HOME another cache,
        and HF_HUB_OFFLINE=1 forbids downloads.
        """: """
        kotonoha model pull sentence-transformers/all-MiniLM-L6-v2

        中断したダウンロードは再開します。ファイルがすべてそろうとモデルを一度読み込み、
        それで初めて名前で見つかるようになります。HF_TOKEN は非公開のモデル、
        HF_ENDPOINT はほかのハブ、HF_HUB_CACHE や HF_HOME はほかのキャッシュのための
        環境変数で、HF_HUB_OFFLINE=1 はダウンロードを禁じます。
        """,
        """
        kotonoha methods map.csv --language ja

        FILE is a vectors.h5, pca.h5, map.h5 or clustered file, word vectors of a
        treebank, a probe, or a table or picture with its NAME.provenance.json next to
        it.
        """: """
        kotonoha methods map.csv --language ja

        ファイルは、vectors.h5、pca.h5、map.h5、クラスターのファイル、ツリーバンクの単語
        ベクトル、プローブ、または NAME.provenance.json が隣にある表や図です。
        """,
    ]
}
