/// Minimization without derivatives by a simplex (Nelder & Mead 1965), with the coefficients that adapt to the number of parameters (Gao &
/// Han 2012).
///
/// A point where the function is infinite or NaN counts as worst, so that bounds can be given by the function.
package struct NelderMead: Sendable {
    /// Ends when the values at the corners differ by less than this …
    package var valueTolerance = 1e-8
    /// … and the corners themselves by less than this in every coordinate.
    package var pointTolerance = 1e-6
    package var maximumEvaluations = 2000

    package init() {}

    package struct Minimum: Sendable {
        package var point: [Double]
        package var value: Double
        package var evaluations: Int
        /// False if the evaluations were used up before the simplex was small.
        package var hasConverged: Bool
    }

    /// The minimum near `start`.
    ///
    /// - Parameter step: size of the first simplex along each coordinate, not zero.
    package func minimize(from start: [Double], step: [Double], _ function: ([Double]) throws -> Double) rethrows -> Minimum {
        let n = start.count, size = Double(max(n, 2))
        let (reflection, expansion, contraction, shrinkage) = (1.0, 1 + 2 / size, 0.75 - 1 / (2 * size), 1 - 1 / size)
        var evaluations = 0
        func value(_ x: [Double]) throws -> Double {
            evaluations += 1
            let y = try function(x)
            return y.isNaN ? .infinity : y
        }
        var corners = [(x: start, y: try value(start))]
        for i in 0..<n {
            var x = start
            x[i] += step[i]
            corners.append((x, try value(x)))
        }
        func isSmall() -> Bool {
            corners[n].y - corners[0].y <= valueTolerance
                && (0..<n).allSatisfy { i in corners.allSatisfy { abs($0.x[i] - corners[0].x[i]) <= pointTolerance } }
        }
        while true {
            corners.sort { $0.y < $1.y }
            if n == 0 || isSmall() || evaluations >= maximumEvaluations { break }
            let center = (0..<n).map { i in corners[..<n].reduce(0) { $0 + $1.x[i] } / Double(n) }
            func along(_ share: Double) throws -> (x: [Double], y: Double) {
                let x = (0..<n).map { center[$0] + share * (corners[n].x[$0] - center[$0]) }
                return (x, try value(x))
            }
            let reflected = try along(-reflection)
            if reflected.y < corners[0].y {
                let expanded = try along(-expansion)
                corners[n] = expanded.y < reflected.y ? expanded : reflected
            } else if reflected.y < corners[n - 1].y {
                corners[n] = reflected
            } else {
                let contracted = try along(reflected.y < corners[n].y ? -contraction : contraction)
                if contracted.y < min(reflected.y, corners[n].y) {
                    corners[n] = contracted
                } else {
                    for k in 1...n {
                        let x = (0..<n).map { corners[0].x[$0] + shrinkage * (corners[k].x[$0] - corners[0].x[$0]) }
                        corners[k] = (x, try value(x))
                    }
                }
            }
        }
        return Minimum(point: corners[0].x, value: corners[0].y, evaluations: evaluations, hasConverged: n == 0 || isSmall())
    }
}
