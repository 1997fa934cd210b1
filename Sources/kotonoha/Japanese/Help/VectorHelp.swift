// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of vectors and word vectors, `rerank`, `mine`.
    static let vectorHelp: KeyValuePairs<String, String> = [
        // tokenize
        "Print ids instead of tokens.": "トークンの代わりに ID を示します。",
        "Truncate to this many tokens, including special tokens; by default nothing is truncated.": "このトークン数(特殊トークンを含む)で切り詰めます。既定では切り詰めません。",

        // vectors select
        "A table with a column 'row' (from 0): keep only these rows, in its order.": "列 'row'(0 から)のある表。その順に、その行だけを残します。",
        "Drop rows this similar to an earlier one: a cosine, or a quantile of random pairs (q99).": "先にある行とこれほど似た行を除きます: コサイン類似度、または無作為な対の分位点(q99)。",
        "A table of the rows dropped by --distinct, each with the row it duplicates.": "--distinct で除いた行と、それが重複していた行の表。",
        "Draw this many rows at random, keeping their order.": "この数の行を、順序を保って無作為に選びます。",
        "With --distinct, compare only rows that are close in sorted lists of signatures: for large files; a few near-duplicates are missed.": "--distinct で、署名を並べたときに近い行だけを比べます。大きなファイル用で、ほぼ同じ行をまれに見落とします。",
        "Codes stored next to the vectors for faster search: int8 (the same results) or binary. By default those of the file.": "検索を速くするためにベクトルと一緒に保存する符号: int8(結果は同じ)または binary。既定はファイルのもの。",
        "Seed of the random pairs, the sample and the signatures.": "無作為な対、標本、署名のシード。",
        """
        kotonoha vectors select all.h5 -o nouns.h5 --where pos=noun --distinct q99.9 --dropped dropped.csv
        kotonoha vectors select all.h5 -o coded.h5 --codes int8

        kotonoha vectors select corpus.kset -o sample.h5 --sample 1000000

        --distinct drops near-duplicates: rows whose cosine to an earlier kept row
        reaches a value, or a quantile of random pairs.
        """: """
        kotonoha vectors select all.h5 -o nouns.h5 --where pos=noun --distinct q99.9 --dropped dropped.csv
        kotonoha vectors select all.h5 -o coded.h5 --codes int8

        kotonoha vectors select corpus.kset -o sample.h5 --sample 1000000

        --distinct は、ほぼ同じ行(先に残した行とのコサイン類似度が、指定した値、または
        無作為な対の分位点に達する行)を除きます。
        """,

        // vectors label
        "The table of labels.": "ラベルの表。",
        "The column to join by; by default 'row'.": "結び付ける列。既定は 'row'。",
        """
        kotonoha vectors label vectors.h5 picked.csv -o labelled.h5

        TABLE has a column 'row' (from 0), or --key names a column that both files
        have. Its other columns are added; existing columns of the same name are
        replaced. Rows that are not in the table get empty cells.
        """: """
        kotonoha vectors label vectors.h5 picked.csv -o labelled.h5

        表には列 'row'(0 から)が必要です。または、両方のファイルにある列を --key で
        指定します。ほかの列を加え、同じ名前の列があれば置き換えます。表にない行のセルは
        空になります。
        """,

        // vectors project
        "For --onto a vector file; for --axis a table (.tsv, .csv or .xlsx), standard output if not given.": "--onto ではベクトルファイル、--axis では表(.tsv、.csv、.xlsx)。表は、指定しなければ標準出力に書きます。",
        "Texts or ids of rows.": "行のテキストまたは id。",
        "Remove the subspace instead.": "代わりに、その部分空間を取り除きます。",
        "The poles.": "二つの極。",
        """
        kotonoha vectors project words.h5 --onto 海,池,滝 -o projected.h5
        kotonoha vectors project words.h5 --onto 海,池,滝 --complement -o without.h5
        kotonoha vectors project words.h5 --axis 小さい:大きい -o size.tsv

        --onto projects every vector onto the span of those rows (--complement: onto
        its complement). This leaves all inner products with those rows unchanged, and
        so their order of similarity to any word; it changes the map, not the choice.
        --axis gives each row its position between two poles (which may have several
        rows: 小,低:大,高), assuming unit vectors.
        """: """
        kotonoha vectors project words.h5 --onto 海,池,滝 -o projected.h5
        kotonoha vectors project words.h5 --onto 海,池,滝 --complement -o without.h5
        kotonoha vectors project words.h5 --axis 小さい:大きい -o size.tsv

        --onto は、すべてのベクトルをそれらの行の張る空間に射影します(--complement なら
        直交補空間に)。それらの行との内積はすべて変わらないので、どの単語に近いかの
        順序も変わりません。変わるのは地図で、選択ではありません。--axis は、二つの極の
        間での各行の位置を示します(長さ1のベクトルを前提とします)。極には複数の行を
        使えます: 小,低:大,高。
        """,

        // convert
        "The file of word vectors.": "単語ベクトルのファイル。",
        "The file to write: .h5, .vec, .bin or .npy.": "書き出すファイル: .h5、.vec、.bin、.npy。",
        "Keep only the first N words of the file.": "ファイルの先頭からこの数の単語だけを残します。",
        "The words of an .npy file, one per line; by default NAME.vocab or NAME.txt.": ".npy ファイルの単語(1行に一つ)。既定は NAME.vocab または NAME.txt。",
        "Keep only these words, one per line; missing words are composed from n-grams if the file has them, otherwise listed.": "これらの単語だけを残します(1行に一つ)。ない単語は、ファイルに n-gram があれば合成し、なければ一覧にします。",
        "What .bin means: fasttext or word2vec.": ".bin の意味: fasttext または word2vec。",
        "Write words that are not UTF-8 to .h5, with U+FFFD for invalid bytes.": "UTF-8 でない単語も .h5 に書きます(不正なバイトは U+FFFD に)。",
        """
        kotonoha convert cc.ja.300.vec.gz -o words.h5 --limit 200000
        kotonoha convert words.h5 -o words.bin --binary word2vec

        Reads word2vec text and binary, GloVe text, fastText .vec and .bin (versions 11
        and 12), .npy with a word list, and vectors.h5; gzip is decompressed. The
        format is detected from the content. Writes .h5, .vec (word2vec text), .bin (a
        fastText model if the input is one, otherwise word2vec binary) and .npy with
        the words in NAME.vocab. Out-of-vocabulary words get vectors only from a
        fastText .bin, with --words.
        """: """
        kotonoha convert cc.ja.300.vec.gz -o words.h5 --limit 200000
        kotonoha convert words.h5 -o words.bin --binary word2vec

        word2vec のテキスト・バイナリ形式、GloVe のテキスト、fastText の .vec と
        .bin(版 11 と 12)、単語リスト付きの .npy、vectors.h5 を読みます。gzip は展開し、
        形式は内容から判別します。.h5、.vec(word2vec のテキスト形式)、.bin(入力が
        fastText のモデルならそのモデル、ほかは word2vec のバイナリ形式)、.npy(単語は
        NAME.vocab)を書きます。未知語にベクトルを与えるのは、--words を付けた fastText
        の .bin だけです。
        """,

        // rerank
        "The query.": "クエリ。",
        "A file of candidates; - is standard input.": "候補のファイル。- は標準入力です。",
        "Column of the candidates, by name or number from 1.": "候補の列(名前、または 1 からの番号)。",
        "Number of results; by default all.": "結果の数。既定はすべて。",
        """
        kotonoha rerank "two dogs play in snow" candidates.txt --model cross-encoder/ms-marco-MiniLM-L6-v2

        Prints score, row (from 0) and text, best first. Slower than rank, which
        compares vectors: use rank to find the candidates.
        """: """
        kotonoha rerank "犬が雪の上で遊ぶ" candidates.txt --model cross-encoder/ms-marco-MiniLM-L6-v2

        スコア、行(0 から)、テキストを良い順に示します。ベクトルを比べる rank より
        遅いので、候補は rank で選んでください。
        """,

        // mine
        "Number of pairs.": "対の数。",
        "Only pairs with at least this cosine, or above this quantile of random pairs (q99, q99.9).": "コサイン類似度がこの値以上、または無作為な対のこの分位点(q99、q99.9)を超える対だけを示します。",
        "Leave out pairs of identical sentences.": "同一の文の対を除きます。",
        "Only pairs of different groups.": "グループの異なる対だけを示します。",
        "Seed of the random pairs.": "無作為な対のシード。",
        """
        The similarity of random pairs is reported too, because what counts as similar
        differs between models.
        """: """
        無作為な対の類似度も報告します。どのくらいで似ていると言えるかは、モデルによって
        違うからです。
        """,
    ]
}
