import FileFormats
import Foundation
import Tensors

/// Which condition each trial belongs to, and which fold (run, session) it was measured in.
package struct TrialDesign: Sendable, Equatable {
    /// Names of the conditions, in the order of their first trials.
    package let conditions: [String]
    /// Condition of each trial.
    package let condition: [Int]
    /// Names of the folds, in the order of their first trials.
    package let folds: [String]
    /// Fold of each trial.
    package let fold: [Int]

    package var count: Int { condition.count }

    /// - Parameters:
    ///   - conditions: the condition of each trial.
    ///   - folds: the fold of each trial; nil deals each condition's trials to `defaultFolds` folds in turn.
    /// - Throws: `DataError` for empty cells, fewer than two conditions, or conditions that some fold lacks (named).
    package init(conditions values: [String], folds: [String]? = nil, defaultFolds: Int = 2) throws {
        if let empty = values.firstIndex(of: "") {
            throw DataError(.badData, "trial \(empty) has no condition (trials are numbered from 0)")
        }
        let factor = Factor(name: "condition", values: values)
        guard factor.levels.count >= 2 else {
            throw DataError(.badData, "all trials belong to the condition '\(factor.levels.first ?? "")'; at least two are needed")
        }
        conditions = factor.levels
        condition = factor.codes.compactMap { $0 }
        if let given = folds {
            guard given.count == values.count else { throw DataError(.badData, "\(given.count) folds do not fit \(values.count) trials") }
            if let empty = given.firstIndex(of: "") { throw DataError(.badData, "trial \(empty) has no fold (trials are numbered from 0)") }
            let parts = Factor(name: "fold", values: given)
            (self.folds, fold) = (parts.levels, parts.codes.compactMap { $0 })
        } else {
            var seen = [Int](repeating: 0, count: factor.levels.count)
            fold = condition.map { level in
                seen[level] += 1
                return (seen[level] - 1) % defaultFolds
            }
            self.folds = (0..<defaultFolds).map { String($0 + 1) }
        }
    }

    /// Trials of each condition in the folds that `isIn` takes.
    func members(_ isIn: (Int) -> Bool = { _ in true }) -> [[Int]] {
        var result = [[Int]](repeating: [], count: conditions.count)
        for trial in condition.indices where isIn(fold[trial]) { result[condition[trial]].append(trial) }
        return result
    }

    /// - Throws: `DataError` that names a condition without trials in some fold: cross-validation needs each of them in every fold.
    func requireComplete() throws {
        guard folds.count >= 2 else {
            throw DataError(.badData, "cross-validation needs at least two folds; all trials are in fold '\(folds.first ?? "")'")
        }
        for place in folds.indices {
            let counts = members { $0 == place }
            let missing = conditions.indices.filter { counts[$0].isEmpty }.map { "'\(conditions[$0])'" }
            guard missing.isEmpty else {
                throw DataError(
                    .badData,
                    "fold '\(folds[place])' has no trials of \(missing.prefix(5).joined(separator: ", "))\(missing.count > 5 ? " and \(missing.count - 5) more" : ""); "
                        + "cross-validation needs every condition in every fold")
            }
        }
    }
}
