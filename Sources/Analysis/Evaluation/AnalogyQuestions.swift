import FileFormats

/// Analogy questions as word2vec's `questions-words.txt` has them: `: section`, then four words a line, "a is to b as c is to d".
package struct AnalogyQuestions: Sendable {
    package struct Section: Sendable, Equatable {
        package var name: String
        package var questions: [Question]
        /// By the convention of the file's authors, sections whose names begin with "gram" are syntactic and all others semantic.
        package var isSyntactic: Bool { name.hasPrefix("gram") }
    }
    package struct Question: Sendable, Equatable {
        package var a, b, c, d: String
        /// Line of the file, from 1.
        package var line: Int
    }

    package var sections: [Section]

    /// - Throws: `DataError` with the line where a question has not four words or comes before the first section.
    package init(path: String) throws {
        var sections: [Section] = []
        var number = 0
        var options = TableOptions()
        options.format = .txt
        options.hasHeader = false
        let table = try TextTable(path: path, options: options)
        var cells: [String] = []
        while let line = try table.next(into: &cells) {
            number = line
            let words = cells[0].split(whereSeparator: \.isWhitespace).map(String.init)
            if words.isEmpty { continue }
            if words[0].hasPrefix(":") {
                let name = (words[0].dropFirst().isEmpty ? [] : [String(words[0].dropFirst())]) + words.dropFirst()
                sections.append(Section(name: name.joined(separator: " "), questions: []))
                continue
            }
            guard words.count == 4 else {
                throw DataError(
                    .badData,
                    "expected four words per question, found \(words.count): "
                        + "\"\(cells[0].prefix(60))\"", file: path, line: line)
            }
            if sections.isEmpty { sections.append(Section(name: "all", questions: [])) }
            sections[sections.count - 1].questions.append(Question(a: words[0], b: words[1], c: words[2], d: words[3], line: line))
        }
        guard sections.contains(where: { !$0.questions.isEmpty }) else {
            throw DataError(.badData, "no questions found in \(number) lines", file: path)
        }
        self.sections = sections
    }
}
