// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `mds`, `autoencoder`, `compare`.
    static let mapHelp: KeyValuePairs<String, String> = [
        // mds
        "A dissimilarity matrix, vector file or table; several give aligned maps.": "非類似度行列、ベクトルファイル、または表。複数なら地図をそろえて重ねます。",
        "The table of coordinates (.tsv, .csv, .xlsx, .jsonl, .json).": "座標の表(.tsv、.csv、.xlsx、.jsonl、.json)。",
        "classical, metric or nonmetric.": "classical(古典的)、metric(計量)、nonmetric(非計量)。",
        "The same as --method nonmetric.": "--method nonmetric と同じ。",
        "Dimensions of the map.": "地図の次元数。",
        "Random starts in addition to the classical solution.": "古典的な解のほかに試す、無作為な初期値の数。",
        "Seed of random starts.": "無作為な初期値のシード。",
        "The Shepard diagram: .svg, .pdf or .png.": "シェパード図: .svg、.pdf、.png。",
        """
        kotonoha mds model.rdm.h5 -o mds.csv --figure mds.pdf --method nonmetric

        Classical scaling (Torgerson) initializes metric and nonmetric scaling
        (SMACOF); --starts adds random starts. Stress-1 measures how far distances
        deviate from dissimilarities; --shepard plots one against the other.

        kotonoha mds layer4.rdm.h5 layer12.rdm.h5 -o maps.csv --figure maps.pdf

        Several matrices of the same conditions give maps that are translated, rotated
        and scaled onto each other (Procrustes); a line joins the points of each
        condition, and the disparity is the part of a map that their mean does not
        explain.
        """: """
        kotonoha mds model.rdm.h5 -o mds.csv --figure mds.pdf --method nonmetric

        古典的な尺度構成法(Torgerson)の解を初期値として、計量・非計量の尺度構成法
        (SMACOF)を行います。--starts は無作為な初期値を加えます。ストレス-1 は、距離が
        非類似度からどれだけずれているかを示します。--shepard は両者の関係を図にします。

        kotonoha mds layer4.rdm.h5 layer12.rdm.h5 -o maps.csv --figure maps.pdf

        同じ条件の行列が複数あれば、地図を平行移動・回転・拡大縮小して重ねます
        (プロクラステス法)。各条件の点は線で結びます。不一致度は、地図のうち平均の地図で
        説明されない割合です。
        """,

        // autoencoder
        "The vector file of codes to write.": "書き出す符号のベクトルファイル。",
        "Units of the code.": "符号のユニット数。",
        "Units of a hidden layer on either side of the code; linear by default.": "符号の両側の隠れ層のユニット数。既定は線形(隠れ層なし)。",
        "Tie the decoder's matrices to the encoder's, transposed.": "デコーダーの行列を、エンコーダーの行列の転置と共有します。",
        "Strength of an L1 penalty on the code; its units are then rectified.": "符号に対する L1 罰則の強さ。符号のユニットは正の部分だけを取ります(ReLU)。",
        "Number of units kept in each row's code, the largest; the others are 0.": "各行の符号に残す、値の大きいユニットの数。ほかは 0 にします。",
        "Probability of hiding each input component, which the network must reconstruct.": "入力の各成分を隠す確率。ネットワークは隠された成分も復元します。",
        "Iterations of L-BFGS (by default 1000), or with --sparse, --active or --denoise epochs (by default 100).": "L-BFGS の反復回数(既定は 1000)。--sparse、--active、--denoise ではエポック数(既定は 100)。",
        "Learning rate of Adam, with --sparse, --active or --denoise.": "Adam の学習率(--sparse、--active、--denoise とともに)。",
        "Proportion of rows held out for computing errors.": "誤差の計算のために取り分ける行の割合。",
        "A table of the sentences that activate each unit most (.tsv, .csv, .xlsx, .jsonl).": "各ユニットを最も強く活性化する文の表(.tsv、.csv、.xlsx、.jsonl)。",
        "Sentences listed for each unit.": "ユニットごとに並べる文の数。",
        "Seed of weights, held-out rows and batches.": "重み、取り分ける行、バッチのシード。",
        """
        kotonoha autoencoder vectors.h5 -o codes.h5 --code 2 --hidden 64 --figure map.svg
        kotonoha autoencoder vectors.h5 -o features.h5 --code 256 --active 8 --features features.tsv

        A network learns to reconstruct each vector from its code. codes.h5 is a vector
        file, so tsne, umap and cluster can read it. The reconstruction error is
        reported next to that of as many principal components, on a held-out tenth of
        the rows. Without --hidden the network is linear, and its code spans the
        subspace of the components. --active keeps the largest units of each row as
        sparse features; --features lists the sentences that activate each.
        """: """
        kotonoha autoencoder vectors.h5 -o codes.h5 --code 2 --hidden 64 --figure map.svg
        kotonoha autoencoder vectors.h5 -o features.h5 --code 256 --active 8 --features features.tsv

        ネットワークが、各ベクトルをその符号から復元することを学習します。codes.h5 は
        ベクトルファイルなので、tsne、umap、cluster で読めます。復元誤差は、取り分けた1
        割の行で、同じ数の主成分の誤差と並べて報告します。--hidden がなければ
        ネットワークは線形で、符号は主成分と同じ部分空間を張ります。--active は、各行の
        最も大きいユニットを疎な特徴として残します。--features は、それぞれのユニットを
        活性化する文を並べます。
        """,

        // compare
        "A map.h5.": "地図(map.h5)。",
        "Another map.h5.": "もう一つの地図(map.h5)。",
        "Number of neighbours to compare.": "比べる近傍の数。",
        "The vector file that both maps were made from.": "両方の地図のもとになったベクトルファイル。",
        """
        Prints the proportion of neighbours that the maps share and the disparity after
        the best rotation, reflection, scaling and translation (Procrustes); with
        --vectors, also how faithful each map is to the vectors.
        """: """
        二つの地図に共通する近傍の割合と、最適な回転・反転・拡大縮小・平行移動
        (プロクラステス法)のあとに残る不一致度を示します。--vectors を付けると、
        それぞれの地図がベクトルにどれだけ忠実かも示します。
        """,
    ]
}
