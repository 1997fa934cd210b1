// One pair of texts per line.
// swift-format-ignore-file

/// The Japanese of what the program says, by the English; `Translation` looks it up. `Help` has the texts of `--help`, `Messages` what commands say
/// as they run, each split by groups of commands.
///
/// `{0}`, `{1}`, … in a key are places for values, numbered from the left; the Japanese may use them in any order.
enum Japanese {
    /// Abstracts, paragraphs and options of every command.
    static let allHelp = [
        help, discussions, vectorHelp, mapHelp, conditionHelp, languageModelHelp, inspectionHelp, trainHelp, evaluateHelp, teachingHelp, serviceHelp,
    ]

    /// What the argument parser and the commands say as they run. Prefixes such as `note:` are not part of a key.
    static let allMessages = [
        parser, messages, classifierMessages, vectorMessages, mapMessages, conditionMessages, languageModelMessages, inspectionMessages, trainMessages,
        evaluateMessages, teachingMessages, serviceMessages, fileMessages, modelMessages, analysisMessages, trainingMessages,
    ]

    /// Headings of help texts.
    static let headings: KeyValuePairs<String, String> = [
        "Arguments": "引数",
        "Options": "オプション",
        "Subcommands": "サブコマンド",
        "Vector Subcommands": "ベクトル",
        "Search Subcommands": "検索",
        "Map Subcommands": "地図",
        "Condition Subcommands": "条件",
        "Language-model Subcommands": "言語モデル",
        "Inspection Subcommands": "分析",
        "Model Subcommands": "モデル",
        "Teaching Subcommands": "教育",
        "Service Subcommands": "補助",
        "Input": "入力",
        "Input of --queries": "--queries の入力",
        "Model": "モデル",
        "Words in context": "文脈の中の単語",
        "Output": "出力",
        "Report": "報告",
        "Table": "表",
        "Sums and differences": "和と差",
        "Picture": "図",
        "Pictures": "図",
        "Picture of the first two components": "第1・第2主成分の図",
        "Matrix": "行列",
        "Arrays over time": "時間軸のある配列",
        "Scoring": "サプライザルの計算",
        "Labels": "ラベル",
        "Figures": "図",
        "Computation": "計算",
        "Picture of the first two units": "第1・第2ユニットの図",
        "Matrices": "行列",
        "Data": "データ",
        "Items": "項目",
        "Items, with --target": "項目(--target とともに)",
        "Minimal pairs, by a language model": "ミニマルペア(言語モデルによる)",
        "Shape of a new network": "新しいネットワークの構造",
        "Training": "学習",
        "Server": "サーバー",
    ]

    /// What stands in parentheses after the help of an option.
    static let remarks: KeyValuePairs<String, String> = [
        "default: {0}": "既定値: {0}",
        "default as flag: {0}": "値を省いたとき: {0}",
        "values: {0}": "値: {0}",
        "from {0} to {1}": "{0}〜{1}",
        "from {0} to below {1}": "{0} 以上 {1} 未満",
        "above {0}, up to {1}": "{0} より大きく {1} 以下",
        "equal to {0}": "{0} のみ",
    ]

    /// Lines below pictures.
    static let captions: KeyValuePairs<String, String> = [
        "t-SNE, perplexity {0}, {1}, n = {2}, KL {3}": "t-SNE、パープレキシティ {0}、{1}、n = {2}、KL {3}",
        "UMAP, {0} neighbours, {1}, n = {2}": "UMAP、近傍 {0}、{1}、n = {2}",
        "placed on {0}, n = {1}": "{0} に配置、n = {1}",
    ]

    /// Parts of messages and captions, where they fill a place on their own.
    static let phrases: KeyValuePairs<String, String> = [
        "Euclidean": "ユークリッド距離",
        "Euclidean on L2-normalized vectors": "L2 正規化したベクトルのユークリッド距離",
        "{0}, {1} principal components": "{0}（第{1}主成分まで）",
        "fine-tuning": "ファインチューニング",
        "fine-tuned {0}": "ファインチューニングした {0}",
        "frozen {0}": "固定した {0}",
        "{0}, fold {1} of {2}": "{0}、分割 {1}/{2}",
        "{0}, seed {1}, fold {2} of {3}": "{0}、シード {1}、分割 {2}/{3}",
        "over all pairs": "全対",
        "{0} over all pairs": "{0}(全対)",
        "{0} over all pairs (its normalization interpolated)": "{0}(全対、正規化は補間)",
        "{0} over the {1} nearest neighbours, {2} over all pairs": "{0}(最近傍 {1} 点)、{2}(全対)",
        "{0} over the {1} nearest neighbours (its normalization interpolated), {2} over all pairs": "{0}(最近傍 {1} 点、正規化は補間)、{2}(全対)",
        "{0} over the {1} nearest neighbours (not computed over all pairs)": "{0}(最近傍 {1} 点。全対では計算していません)",
        "{0} over the {1} nearest neighbours (its normalization interpolated) (not computed over all pairs)": "{0}(最近傍 {1} 点、正規化は補間。全対では計算していません)",
        "over the {0} nearest neighbours": "最近傍 {0} 点",
        "{0}, … ({1} in all)": "{0}, …(全 {1} 個)",
        "it scores whole texts; use it with rerank, classify or explain": "テキスト全体のスコアを求めるモデルなので、rerank、classify、explain で使ってください",
        "use it with embed, similarity, rank, attention or explain": "embed、similarity、rank、attention、explain で使ってください",
        "line {0}": "{0} 行目",
        "lines {0}": "{0} 行目",
        "a finished vector file": "完成したベクトルファイル",
        "a finished file of word vectors": "完成した単語ベクトルのファイル",
        "is an input": "入力そのもの",
        "belongs to an input": "入力の一部",
        "what standard input reads": "標準入力が読むファイル",
        "its columns are": "列は次のとおりです",
        "no row names its columns (--header, if the first one does), so they have numbers only": "列名の行がないので番号だけです(最初の行が列名なら --header)",
        "its content": "内容",
        "the input {0}": "入力 {0}",
        "the model {0}": "モデル {0}",
        "the shard {0}": "シャード {0}",
        "'{0}' or '{1}'": "'{0}', '{1}'",
        "'{0}' and '{1}'": "'{0}', '{1}'",
        ".{0} or .{1}": ".{0}, .{1}",
        "a whole number from {0} to {1}": "{0} から {1} までの整数",
        "a number from {0} to {1}": "{0} から {1} までの数",
        "a number from {0} to below {1}": "{0} 以上 {1} 未満の数",
        "a number above {0}, up to {1}": "{0} より大きく {1} 以下の数",
        "a folder or a list of folders": "フォルダー、またはフォルダーのリスト",
        "true or false": "true か false",
        "a text": "文字列",
        "a finished model": "完成したモデル",
        "a finished model's weights": "完成したモデルの重み",
    ]

    /// What the progress line counts.
    static let units: KeyValuePairs<String, String> = [
        "sentences": "文",
        "iterations": "反復",
        "epochs": "エポック",
        "queries": "クエリ",
        "pairs": "対",
        "rows": "行",
        "texts": "テキスト",
        "bytes": "バイト",
        "sources": "入力",
        "steps": "ステップ",
        "tokens": "トークン",
        "words": "語",
        "probes": "プローブ",
    ]

    /// What follows a number, "rows" in "700 rows".
    static let counts: KeyValuePairs<String, String> = [
        "row": "{0} 行",
        "rows": "{0} 行",
        "query": "クエリ {0} 件",
        "queries": "クエリ {0} 件",
        "vector": "ベクトル {0} 個",
        "vectors": "ベクトル {0} 個",
        "point": "{0} 点",
        "points": "{0} 点",
        "word": "{0} 語",
        "words": "{0} 語",
        "sentence": "{0} 文",
        "sentences": "{0} 文",
        "file": "{0} ファイル",
        "files": "{0} ファイル",
        "document": "{0} 文書",
        "documents": "{0} 文書",
        "text": "テキスト {0} 件",
        "texts": "テキスト {0} 件",
        "cell": "セル {0} 個",
        "cells": "セル {0} 個",
        "token": "{0} トークン",
        "tokens": "{0} トークン",
        "pair": "{0} 対",
        "pairs": "{0} 対",
        "key": "キー {0} 個",
        "keys": "キー {0} 個",
        "region": "{0} 領域",
        "regions": "{0} 領域",
        "cluster": "クラスター {0} 個",
        "clusters": "クラスター {0} 個",
        "community": "コミュニティ {0} 個",
        "communities": "コミュニティ {0} 個",
        "component": "主成分 {0} 個",
        "components": "主成分 {0} 個",
        "unit": "ユニット {0} 個",
        "units": "ユニット {0} 個",
        "task": "タスク {0} 個",
        "tasks": "タスク {0} 個",
        "shard": "シャード {0} 個",
        "shards": "シャード {0} 個",
        "tie": "同点 {0} 件",
        "ties": "同点 {0} 件",
        "cell": "セル {0} 個",
        "cells": "セル {0} 個",
        "row has": "{0} 行",
        "rows have": "{0} 行",
        "row is": "{0} 行",
        "rows are": "{0} 行",
        "word has": "{0} 語",
        "words have": "{0} 語",
        "empty row": "空の行 {0} 行",
        "empty rows": "空の行 {0} 行",
    ]
}
