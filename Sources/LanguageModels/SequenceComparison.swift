import FileFormats

/// Two sequences side by side: the fewest substitutions, insertions and deletions that turn one into the other (Levenshtein 1966).
package struct SequenceComparison: Sendable, Equatable {
    package enum Edit: Sendable, Equatable {
        case equal(String)
        /// A wrong unit in place of the right one.
        case substituted(target: String, output: String)
        /// A unit of the target that the output lacks.
        case missing(String)
        /// A unit that the target does not have.
        case extra(String)
    }

    package let edits: [Edit]
    package let targetLength: Int

    /// Units that differ.
    package var distance: Int { edits.reduce(0) { if case .equal = $1 { $0 } else { $0 + 1 } } }

    /// - Parameters: units (characters, phonemes, tokens) of both.
    package init(target: [String], output: [String]) {
        targetLength = target.count
        let columns = output.count + 1
        var costs = [Int](repeating: 0, count: (target.count + 1) * columns)
        for t in 0...target.count {
            for o in 0...output.count {
                if t == 0 || o == 0 {
                    costs[t * columns + o] = t + o
                    continue
                }
                let changed = costs[(t - 1) * columns + o - 1] + (target[t - 1] == output[o - 1] ? 0 : 1)
                costs[t * columns + o] = min(changed, costs[(t - 1) * columns + o] + 1, costs[t * columns + o - 1] + 1)
            }
        }
        var found: [Edit] = [], t = target.count, o = output.count
        while t > 0 || o > 0 {
            let cost = costs[t * columns + o]
            if t > 0, o > 0, cost == costs[(t - 1) * columns + o - 1] + (target[t - 1] == output[o - 1] ? 0 : 1) {
                found.append(
                    target[t - 1] == output[o - 1] ? .equal(target[t - 1]) : .substituted(target: target[t - 1], output: output[o - 1]))
                (t, o) = (t - 1, o - 1)
            } else if t > 0, cost == costs[(t - 1) * columns + o] + 1 {
                found.append(.missing(target[t - 1]))
                t -= 1
            } else {
                found.append(.extra(output[o - 1]))
                o -= 1
            }
        }
        edits = found.reversed()
    }

    /// The output for a terminal: wrong and additional units red, a missing one as a red underscore; characters that would steer it spelled
    /// out.
    package var coloured: String {
        edits.map { edit in
            switch edit {
            case .equal(let unit): unit.escapedForTerminal
            case .substituted(_, let unit), .extra(let unit): "\u{1B}[31m\(unit.escapedForTerminal)\u{1B}[0m"
            case .missing: "\u{1B}[31m_\u{1B}[0m"
            }
        }.joined()
    }
}
