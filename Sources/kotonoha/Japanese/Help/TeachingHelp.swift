// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of simulations and teaching figures.
    static let teachingHelp: KeyValuePairs<String, String> = [
        // simulate
        """
        Each model is one file in Sources/Simulation/Models; docs/simulations.md compares published and recomputed figures.
        """: """
        各モデルは Sources/Simulation/Models の一つのファイルです。公刊値と再計算の値の
        比較は docs/simulations.md にあります。
        """,

        // simulate naming
        "A table of naming responses; - is standard input.": "呼称反応の表。- は標準入力です。",
        "sp (semantic and phonological weights s and p) or wd (connection weight and decay); may be repeated to compare them.": "sp(意味と音韻の重み s と p)または wd(結合の重みと減衰率)。複数回指定すると比べます。",
        "Parameters to fit, such as s,p or s; the others keep the values of people without aphasia.": "当てはめるパラメーター(s,p や s など)。ほかは失語のない人の値に固定します。",
        "Add λ (θ − θ₀)² to the negative log-likelihood, such as s=1000@0.0698 (λ in nats per squared unit).": "負の対数尤度に λ (θ − θ₀)² を加えます(s=1000@0.0698 など。λ の単位は、パラメーターの2乗あたりのナット)。",
        "Number of pictures in the test, if the table has proportions.": "表が割合のときの、検査の絵の枚数。",
        "Responses outside the six categories: exclude (proportions of classified responses) or keep (proportions of all pictures).": "六つのカテゴリーに入らない反応の扱い: exclude(分類できた反応に対する割合)または keep(すべての絵に対する割合)。",
        "Values to simulate, such as s=0.02,p=0.03.": "シミュレートする値(s=0.02,p=0.03 など)。",
        "Simulated pictures per person or point.": "1人または1点あたりの、シミュレートする絵の数。",
        "Simulated pictures at each point of the parameter space.": "パラメーター空間の各点でシミュレートする絵の数。",
        "File of the simulated parameter space; read if it exists, otherwise written.": "シミュレートしたパラメーター空間のファイル。あれば読み、なければ書きます。",
        "Refine the fit by direct simulation.": "直接のシミュレーションで当てはめを続けます。",
        "Also print the proportions that follow from the exact mean and covariance of the activations, and their bias.": "活性値の正確な平均と共分散から求めた割合と、その偏りも示します。",
        "Parameter recovery: fit this many simulated people of --items pictures.": "パラメーターの回復: --items 枚の絵を呼称する、この数の人をシミュレートして当てはめます。",
        "How many pictures are needed to distinguish two people of the table, such as L.H.,I.G.": "表の二人(L.H.,I.G. など)を区別するのに必要な絵の枚数を求めます。",
        "Word vectors: predict each word's errors, with semantic neighbours from the vectors.": "単語ベクトル: ベクトルから求めた意味的な近傍を使い、語ごとの誤りを予測します。",
        "Maximum number of semantic neighbours per word.": "語ごとの意味的な近傍の最大の数。",
        """
        kotonoha simulate naming patients.xlsx --omissions exclude -o fits.tsv --figure map.pdf

        fits the model to each person: parameters with 95 % profile intervals,
        predicted proportions, RMSD, AIC and BIC. The table has a row per person with
        the columns patient (患者), correct (正答), semantic (意味性錯語), formal (形式性錯語),
        nonword (非語), mixed (混合性錯語), unrelated (無関連錯語) and perhaps other (無反応): counts,
        or proportions of --items pictures. Or it has one row per response with the
        columns patient and category. Prefer counts: intervals depend on them.

        Without a table the model is run at --at (by default the published values for
        people without aphasia).

        --semantics takes the neighbours of real words from vectors: a neighbour shares
        10 (cos − c) / (1 − c) of ten features with its target, where c is the mean
        cosine of all pairs.

        The first fit simulates the model over its parameter space and caches the
        result in ~/.cache/kotonoha for later fits.
        """: """
        kotonoha simulate naming patients.xlsx --omissions exclude -o fits.tsv --figure map.pdf

        は、モデルを各人に当てはめます。パラメーターと 95 % プロファイル尤度区間、
        予測される割合、RMSD、AIC、BIC を示します。表は1人1行で、列は patient(患者)、
        correct(正答)、semantic(意味性錯語)、formal(形式性錯語)、nonword(非語)、
        mixed(混合性錯語)、unrelated(無関連錯語)と、あれば other(無反応)です。値は度数、
        または --items 枚の絵に対する割合です。1反応1行で、列 patient と category の表も
        読めます。区間は度数で決まるので、割合より度数が適しています。

        表がなければ、--at の値(既定は、失語のない人の公刊値)でモデルを動かします。

        --semantics は、実在する語の近傍をベクトルから求めます。近傍は、目標語と 10 個の
        特徴のうち 10 (cos − c) / (1 − c) 個を共有します。c は全対のコサイン類似度の
        平均です。

        最初の当てはめでは、モデルをパラメーター空間全体でシミュレートし、結果を
        ~/.cache/kotonoha に保存して、以後の当てはめに使います。
        """,

        // simulate stroop
        "pathways: Cohen, Dunbar & McClelland's network. transfer: a text encoder with a head for each task.": "pathways: Cohen, Dunbar & McClelland のネットワーク。transfer: 課題ごとのヘッドを持つテキストエンコーダー。",
        "Onset of the ignored stimulus in milliseconds after the other one, such as -400:400:100.": "もう一方の刺激から無視する刺激の提示までの時間(ミリ秒、-400:400:100 など)。",
        "Activation of the task unit; 1 is full attention.": "課題ユニットの活性値。1 は注意を完全に向けた状態です。",
        "Weights as a table with the columns from, to, weight.": "列 from、to、weight のある重みの表。",
        "Train the weights, with word reading this many times as frequent as colour naming (in the paper, 10). --account transfer always trains.": "重みを学習します。色の呼称に対する語の読みの頻度を指定します(論文では 10 倍)。--account transfer はつねに学習します。",
        "Epochs of --train.": "--train のエポック数。",
        "Number of networks for --account transfer, each with its own initial weights.": "--account transfer のネットワークの数。初期の重みがそれぞれ異なります。",
        "Trials of each condition, with noise.": "各条件の、ノイズのある試行の数。",
        "τ, the rate of the cascade.": "τ(カスケードの速さ)。",
        "σ, the noise of the accumulators.": "σ(蓄積器のノイズ)。",
        "Milliseconds per cycle, for --soa.": "1サイクルのミリ秒数(--soa 用)。",
        """
        Cycles of correct responses, with and without noise, and the line from cycles
        to the times of Stroop (1935). --soa presents the ignored stimulus earlier or
        later. τ, α, σ, the threshold and milliseconds per cycle are remembered from
        the paper; the weights are its figure 3.

        --account transfer tests another explanation: small text encoders (--networks)
        learn to read, and colour naming starts from what they have learned. For
        comparison, words are read in black only, or naming starts from random weights.
        Its figures are surprisals of the correct response (nats).
        """: """
        正しい反応までのサイクル数(ノイズなしとあり)と、それを Stroop (1935) の時間に
        変える直線を示します。--soa は、無視する刺激を先またはあとに提示します。τ、α、
        σ、しきい値、1サイクルのミリ秒数は記憶による値で、重みは論文の図3のものです。

        --account transfer は別の説明を検証します。小さなテキストエンコーダー
        (--networks)が読みを学習し、色の呼称はその結果から始まります。比較のため、語を
        黒だけで読む場合と、呼称を無作為な重みから始める場合も調べます。値は正しい反応の
        サプライザル(ナット)です。
        """,

        // simulate weaver
        "Onset of the distractor after the picture in milliseconds, such as -400:400:100.": "絵から妨害語の提示までの時間(ミリ秒、-400:400:100 など)。",
        "Minimum lead over every competitor.": "すべての競合語に対して必要な差の最小値。",
        "Conceptual bias of what was named before, per step.": "先に呼称したものへの概念のバイアス(ステップごと)。",
        "Duration of a distractor in milliseconds.": "妨害語の提示時間(ミリ秒)。",
        "Measured effects to plot next to the model.": "モデルと並べて描く、測定された効果。",
        """
        Mean latencies of lemma selection: bilingual picture–word interference over
        --soa, and continuous naming of one category. --compare takes a table of
        measured effects (columns task, condition and one per SOA in milliseconds,
        effects in ms) and plots its picture naming next to the model.
        """: """
        レンマ選択の平均潜時: --soa についての二言語の絵‐単語干渉と、一つのカテゴリーの
        連続呼称です。--compare は、測定された効果の表(列 task、condition と、SOA(ミリ
        秒)ごとの列。効果はミリ秒)を読み、その絵の呼称をモデルと並べて描きます。
        """,

        // simulate cumulative
        "A table of mean latencies, one row per position within the category.": "平均潜時の表(カテゴリー内の位置ごとに1行)。",
        "The table to write: .tsv, .csv or .xlsx.": "書き出す表: .tsv、.csv、.xlsx。",
        "Seed of the simulated noise.": "シミュレーションのノイズのシード。",
        "The column of latencies in milliseconds.": "潜時(ミリ秒)の列。",
        "Inhibition between words, per cycle.": "語の間の抑制(サイクルごと)。",
        "Increase of the link from meaning to word with each naming, relative to its initial weight.": "呼称のたびに意味から語への結合が強まる量(初期の重みに対する比)。",
        "Positions to simulate.": "シミュレートする位置の数。",
        "Lags: numbers of pictures of other categories between members of a category, such as 2,4,6,8.": "ラグ: カテゴリーの項目の間に入る、ほかのカテゴリーの絵の数(2,4,6,8 など)。",
        """
        kotonoha simulate cumulative latencies.tsv --column human_ms

        fits lateral inhibition, strengthening and the line from cycles to milliseconds
        to mean latencies, one row per position. With four constants, five means say
        little about each. Without a table, series are simulated at --inhibition and
        --strengthening.
        """: """
        kotonoha simulate cumulative latencies.tsv --column human_ms

        は、側抑制、強化、サイクルをミリ秒に変える直線を、位置ごとに1行の平均潜時に
        当てはめます。定数が四つあるので、五つの平均ではそれぞれについてほとんど何も
        言えません。表がなければ、--inhibition と --strengthening の値で系列を
        シミュレートします。
        """,

        // simulate erp
        "A text, or a table with --column; - is standard input.": "テキスト、または --column を指定した表。- は標準入力です。",
        "The column of texts.": "テキストの列。",
        "Number of strings of each kind.": "各種類の文字列の数。",
        "Epochs of training.": "学習のエポック数。",
        "Number of networks, each with its own initial weights, pseudowords and illegal strings; intervals are over networks.": "ネットワークの数。初期の重み、擬似語、非単語列がそれぞれ異なり、区間はネットワークについて求めます。",
        "Proportion of its resource that a unit at full output uses per second.": "最大の出力のユニットが1秒間に使う資源の割合。",
        "Milliseconds from first to second presentation.": "1回目から2回目の提示までの時間(ミリ秒)。",
        """
        kotonoha simulate erp captions.tsv --column text -o erp.tsv --figure erp.pdf

        Words, pseudowords, acronyms and illegal strings of three letters are made from
        the text, which should be in Latin script. A network learns to read words and
        acronyms; the activation of its semantic units in the envelope of an alpha
        function is the potential. Sizes and time constants are the project's own.
        """: """
        kotonoha simulate erp captions.tsv --column text -o erp.tsv --figure erp.pdf

        3文字の単語、擬似語、頭字語、非単語列をテキスト(ラテン文字)から作ります。
        ネットワークは単語と頭字語の読みを学習し、その意味ユニットの活性値にアルファ
        関数の包絡を掛けたものを電位とします。大きさと時定数はこのプロジェクト
        独自のものです。
        """,

        // draw
        """
        Attention is drawn by `generate --attention`, maps by `tsne` and `pca`.
        """: """
        アテンションの図は `generate --attention`、地図は `tsne` と `pca` で描きます。
        """,

        // draw positions
        "Dimensions of the encoding.": "位置符号の次元数。",
        "Dimensions to draw, from 0, such as 4-7.": "描く次元(0 から、4-7 など)。",
        "Positions, from 0.": "位置(0 から)。",
        """
        Column 2i of position p is sin(p / 10000^(2i/size)), column 2i + 1 the cosine. The default draws dimensions 4 to 7 of 20 over positions 0 to 99.
        """: """
        位置 p の列 2i は sin(p / 10000^(2i/size))、列 2i + 1 はその余弦です。既定では、
        20 次元のうち第 4〜7 次元を位置 0〜99 について描きます。
        """,

        // draw characters
        "The text, or a table with --column; - is standard input.": "テキスト、または --column を指定した表。- は標準入力です。",
        "The picture: .svg, .pdf or .png.": "図: .svg、.pdf、.png。",
        "Columns to count, by name or number from 1; all if not given. May be repeated.": "数える列(名前、または 1 からの番号)。指定しなければすべて。複数回指定できます。",
        "Characters to show.": "示す文字の数。",
        "Use a logarithmic frequency axis (Zipf).": "頻度の軸を対数にします(Zipf)。",
        "All counts, as .csv, .tsv or .xlsx.": "すべての頻度(.csv、.tsv、.xlsx)。",
        """
        White space is not counted. --table writes all counts.
        """: """
        空白は数えません。--table にはすべての頻度を書きます。
        """,

        // draw overfitting
        "Number of points on the interval.": "区間上の点の数。",
        "Number of points to fit; the others are held out.": "当てはめに使う点の数。ほかは評価用に取り分けます。",
        "Standard deviation of the noise.": "ノイズの標準偏差。",
        "Highest degree.": "最大の次数。",
        "Degree of the polynomial fitted with increasing penalty λ.": "罰則 λ を強めながら当てはめる多項式の次数。",
        "Number of data sets for bias and variance.": "バイアスと分散を求めるデータセットの数。",
        "All numbers, as .tsv, .csv or .xlsx.": "すべての数値(.tsv、.csv、.xlsx)。",
        "Seed of noise and sample.": "ノイズと標本のシード。",
        """
        Polynomials are fitted to --sampled of --points noisy points of a sine on 0 … 6π. --table writes the numbers of all panels.
        """: """
        ノイズを加えた 0 … 6π の正弦波です。--points 個の点のうち --sampled 個に多項式を
        当てはめます。--table にはすべてのパネルの数値を書きます。
        """,
    ]
}
