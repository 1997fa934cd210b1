import FileFormats
import Foundation

/// A treebank from what a test writes down, read as a user's file is.
enum WrittenTreebank {
    /// One word: a line of CoNLL-U without its number.
    struct Word {
        var form: String
        var head: Int
        var upos = "NOUN"
        var xpos = "_"
        var relation = "dep"
        var misc = "_"
    }

    static func read(_ text: String) throws -> Treebank {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("probe-\(UUID().uuidString).conllu")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try Treebank(path: file.path)
    }

    /// - Parameters:
    ///   - text: the comment `text` of every sentence.
    ///   - tokens: multiword tokens by the number of their first word.
    static func make(_ sentences: [[Word]], text: String? = nil, tokens: [Int: (last: Int, form: String)] = [:]) throws -> Treebank {
        var lines = ""
        for sentence in sentences {
            if let text { lines += "# text = \(text)\n" }
            for (index, word) in sentence.enumerated() {
                if let token = tokens[index + 1] {
                    lines += "\(index + 1)-\(token.last)\t\(token.form)" + String(repeating: "\t_", count: 8) + "\n"
                }
                let columns = ["\(index + 1)", word.form, "_", word.upos, word.xpos, "_", "\(word.head)", word.relation, "_", word.misc]
                lines += columns.joined(separator: "\t") + "\n"
            }
            lines += "\n"
        }
        return try read(lines)
    }
}
