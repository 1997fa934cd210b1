// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// What the argument parser says of mistakes on the command line.
    static let parser: KeyValuePairs<String, String> = [
        "Missing expected argument '{0}'": "引数 '{0}' がありません",
        "Missing one of: '{0}'": "次のどれかが必要です: '{0}'",
        "Missing value for '{0}'": "'{0}' の値がありません",
        "Missing required subcommand.": "サブコマンドがありません。",
        "Unknown option '{0}'": "未知のオプション '{0}'",
        "Unknown option '{0}'. Did you mean '{1}'?": "未知のオプション '{0}'。'{1}' の間違いではありませんか。",
        "Unexpected argument '{0}'": "余分な引数 '{0}'",
        "{0} unexpected arguments: '{1}'": "余分な引数が {0} 個あります: '{1}'",
        "The value '{0}' is invalid for '{1}'": "'{1}' の値 '{0}' が正しくありません",
        "The value '{0}' is invalid for '{1}': expected {2}": "'{1}' の値 '{0}' が正しくありません(正しい値: {2})",
        "The value '{0}' is invalid for '{1}'. Please provide one of {2}.": "'{1}' の値 '{0}' が正しくありません。{2} のどれかを指定してください。",
        "The option '{0}' does not take any value, but '{1}' was specified.": "オプション '{0}' は値を取りませんが、'{1}' が指定されました。",
        "Value to be set with flag '{0}' had already been set with flag '{1}'": "フラグ '{0}' は、先に指定した '{1}' と両立しません",
    ]
}
