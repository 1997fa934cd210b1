import FileFormats

/// How often each class was taken for each: rows are the true classes, columns the predicted ones. Measures are scikit-learn's.
package struct ConfusionMatrix: Sendable, Equatable {
    package let classes: Int
    /// `classes × classes`, row-major.
    private var cells: [Int]

    package init(classes: Int) {
        self.classes = classes
        cells = [Int](repeating: 0, count: classes * classes)
    }

    /// - Precondition: both lists are of one length and hold classes 0 ..< classes.
    package init(truth: [Int], predicted: [Int], classes: Int) {
        self.init(classes: classes)
        for (t, p) in zip(truth, predicted) { add(truth: t, predicted: p) }
    }

    package mutating func add(truth: Int, predicted: Int) { cells[truth * classes + predicted] += 1 }

    package subscript(truth: Int, predicted: Int) -> Int { cells[truth * classes + predicted] }
    package var total: Int { cells.reduce(0, +) }
    /// Rows of a class.
    package func support(_ k: Int) -> Int { (0..<classes).reduce(0) { $0 + self[k, $1] } }
    /// Rows taken for a class.
    package func predictions(_ k: Int) -> Int { (0..<classes).reduce(0) { $0 + self[$1, k] } }

    /// Share of rows predicted right.
    package var accuracy: Double { Double((0..<classes).reduce(0) { $0 + self[$1, $1] }) / Double(total) }
    /// Of the rows taken for a class the share that are of it; 0 if there are none.
    package func precision(_ k: Int) -> Double { Self.share(self[k, k], predictions(k)) }
    /// Of the rows of a class the share that were recognized; 0 if there are none.
    package func recall(_ k: Int) -> Double { Self.share(self[k, k], support(k)) }
    /// Harmonic mean of precision and recall; 0 where both are.
    package func f1(_ k: Int) -> Double { Self.share(2 * self[k, k], support(k) + predictions(k)) }
    private static func share(_ a: Int, _ b: Int) -> Double { b == 0 ? 0 : Double(a) / Double(b) }

    /// Mean of F1 over the classes that occur, in truth or prediction.
    package var macroF1: Double {
        let present = (0..<classes).filter { support($0) + predictions($0) > 0 }
        return present.reduce(0) { $0 + f1($1) } / Double(present.count)
    }
    /// Mean of F1 weighted by the classes' rows.
    package var weightedF1: Double { (0..<classes).reduce(0) { $0 + f1($1) * Double(support($1)) } / Double(total) }

    /// Matthews' correlation coefficient in [−1, 1], for any number of classes (Matthews 1975; Gorodkin 2004); 0 where truth or prediction
    /// is constant.
    package var matthews: Double {
        let n = Double(total), right = Double((0..<classes).reduce(0) { $0 + self[$1, $1] })
        var both = 0.0, truths = 0.0, guesses = 0.0
        for k in 0..<classes {
            let t = Double(support(k)), p = Double(predictions(k))
            both += t * p
            truths += t * t
            guesses += p * p
        }
        let scale = (n * n - truths) * (n * n - guesses)
        return scale > 0 ? (right * n - both) / scale.squareRoot() : 0
    }
}
