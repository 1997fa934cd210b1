import Analysis
import Foundation

/// Values of SciPy, scikit-learn, rsatoolbox and himalaya; see tools/golden/representations.py.
struct Golden: Decodable {
    struct Distances: Decodable { let rows: Int, x, cosine, correlation, euclidean, sqeuclidean: [Double] }
    struct Tree: Decodable {
        let n: Int, distances: [Double], method: String, merges: [[Double]], leaves: [Int], height: Double, byHeight: [Int],
            cophenetic: [Double]
    }
    struct Scaling: Decodable { let stress: Double, iterations: Int, distances: [Double] }
    struct Scalings: Decodable { let distances, eigenvalues, distancesOfClassical: [Double], metric, nonmetric: Scaling }
    struct Comparisons: Decodable {
        let conditions: Int, subjects, models: [[Double]], agreement: [String: [[Double]]], ceiling: [String: [Double]]
    }
    struct Encodings: Decodable { let x, y: [Double], leaveTwoOut: Double }

    struct Noise: Decodable { let covariance, mahalanobis, crossnobis: [Double] }
    struct Trials: Decodable {
        let x: [Double], conditions, folds: [String], channels: Int, diagonal, identity, none: Noise, decoding: [Double]
    }
    struct Banded: Decodable {
        let x, y: [Double], rows: Int, widths: [Int], weightings: [[Double]], penalties: [Double], scores: [[Double]], coefficients,
            intercepts: [Double], split: [[Double]]
    }
    struct Alignments: Decodable { let a, b: [Double], disparity: Double }

    let trials: Trials, banded: Banded, alignments: Alignments
    let distances: Distances, trees: [Tree], scalings: Scalings, comparisons: Comparisons, encodings: Encodings

    static func load() throws -> Golden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/representations.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
}

func largest(_ a: [Double], _ b: [Double]) -> Double { a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity }

func rdm(_ values: [Double], _ n: Int) throws -> RDM { try RDM(labels: (0..<n).map { "c\($0)" }, values: values) }

/// A folder of data that lies beside the repository and is never part of it.
func shared(_ path: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../shared/data/" + path).standardizedFileURL
        .path
}
func isShared(_ path: String) -> Bool { FileManager.default.fileExists(atPath: shared(path)) }

/// A tab-separated table as rows of texts.
func rows(_ path: String) throws -> [[String]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
}
