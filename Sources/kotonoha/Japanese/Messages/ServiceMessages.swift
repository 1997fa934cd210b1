// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of `serve`, `explore` and `shard`.
    static let serviceMessages: KeyValuePairs<String, String> = [
        // serve, explore
        "the server is not installed; looked for {0}. tools/install builds and installs it, or KOTONOHA_SERVE names the program": "サーバーがインストールされていません。探した場所: {0}。tools/install でビルドしてインストールするか、KOTONOHA_SERVE でプログラムを指定してください",
        "the server did not start ({0})": "サーバーが起動しません({0})",

        // shard
        "the set's folder does not exist (is the shared disk mounted on this node?): {0}": "セットのフォルダーがありません(このノードに共有ディスクはマウントされていますか): {0}",
        "the name of a set must end in .kset, not '{0}'": "セットの名前は .kset で終わるものにしてください('{0}' ではなく)",
        "--kernels must be one of {0}, not '{1}'": "--kernels は {0} のどれかです('{1}' ではなく)",
        "{0} is for word vectors; shards are made with sentence models": "{0} は単語ベクトルのためのもので、シャードは文のモデルで作ります",
        "shards need a sentence model, and this is a file of word vectors": "シャードには文のモデルが必要ですが、これは単語ベクトルのファイルです",
        "{0}: {1} in {2} for {3}, {4} kernels. The script for sbatch goes to standard output; without Slurm, kotonoha shard run {5} does all of it": "{0}: {1}を{2}、{3}に分割。命令セット {4}。sbatch 用のスクリプトは標準出力に出ます。Slurm がなければ、kotonoha shard run {5} ですべて計算できます",
        "--tasks needs --task: which of them this is": "--tasks には --task(どのタスクか)が必要です",
        "the plan's precision '{0}' is unknown to this version": "計画の精度 '{0}' は、このバージョンにはありません",
        "made again: {0}": "作り直しました: {0}",
        "{0}: task {1} of {2}: {3}, {4} done before, {5} made": "{0}: タスク {1}/{2}: {3}。前に終わったもの {4}、今回作ったもの {5}",
        "{0}: task {1} of {2}: {3}, {4} done before, {5} made, {6} rows per second": "{0}: タスク {1}/{2}: {3}。前に終わったもの {4}、今回作ったもの {5}、毎秒 {6} 行",
        "{0}: task {1} of {2}: {3}, {4} done before, {5} made; {6} of an earlier run were kept": "{0}: タスク {1}/{2}: {3}。前に終わったもの {4}、今回作ったもの {5}。以前の計算の{6}を残しました",
        "{0}: task {1} of {2}: {3}, {4} done before, {5} made, {6} rows per second; {7} of an earlier run were kept": "{0}: タスク {1}/{2}: {3}。前に終わったもの {4}、今回作ったもの {5}、毎秒 {6} 行。以前の計算の{7}を残しました",
        "SLURM_ARRAY_TASK_ID is '{0}', not a number from 0; give --task": "SLURM_ARRAY_TASK_ID が 0 以上の数ではなく '{0}' です。--task を指定してください",
        "there are {0} tasks, numbered from 0; task {1} does not exist": "タスクは 0 から数えて {0} 個です。タスク {1} はありません",
        "a virtual dataset is written as {0}, not '{1}'": "仮想データセットは {0} のファイルに書きます('{1}' ではなく)",
        "{0}: views of the shards for h5py; HDF5 reads the rows of a missing or moved shard as zeros, without an error": "{0}: シャードを参照する h5py 用のファイル。シャードがないか移動していても、HDF5 はエラーにせず、その行を 0 として読みます",
        "{0}: {1} × {2} in {3}": "{0}: {1} × {2} 次元、{3}",
        "{0}: {1} × {2} in {3}, all hashes compared": "{0}: {1} × {2} 次元、{3}。すべてのハッシュを照合しました",
    ]
}
