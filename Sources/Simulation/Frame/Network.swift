import FileFormats

/// Banks of units and the weighted links between them.
///
/// A network holds no state and no numbers that are fitted: a link is a matrix times a named parameter, whose value is given when the
/// network runs.
package struct Network: Sendable {
    /// Units that belong together: semantic features, words, phonemes.
    package struct Bank: Sendable, Equatable {
        package let name: String
        /// Places of its units among all units of the network.
        package let units: Range<Int>

        package var count: Int { units.count }
        /// The place of its unit `index`, from 0.
        package subscript(_ index: Int) -> Int { units.lowerBound + index }
    }

    package struct Link: Sendable {
        package let from: Bank, to: Bank
        /// `(to.count, from.count)`.
        package let weights: [[Double]]
        /// The weights are multiplied by the value of this parameter; by 1 where nil.
        package let parameter: String?
        /// Whether activation also flows back, through the transposed matrix.
        package let isSymmetric: Bool
    }

    package private(set) var banks: [Bank] = []
    package private(set) var links: [Link] = []
    /// One name per unit.
    package private(set) var unitNames: [String] = []

    package init() {}

    package var unitCount: Int { unitNames.count }

    /// Adds a bank with these units and returns it.
    package mutating func addBank(_ name: String, units: [String]) -> Bank {
        let bank = Bank(name: name, units: unitNames.count..<unitNames.count + units.count)
        unitNames += units
        banks.append(bank)
        return bank
    }

    /// Adds a link.
    ///
    /// - Parameter weights: `(to.count, from.count)`.
    /// - Precondition: the matrix has that shape, and both banks are this network's.
    package mutating func addLink(from: Bank, to: Bank, weights: [[Double]], parameter: String? = nil, isSymmetric: Bool = false) {
        precondition(
            weights.count == to.count && weights.allSatisfy { $0.count == from.count } && banks.contains(from) && banks.contains(to))
        links.append(Link(from: from, to: to, weights: weights, parameter: parameter, isSymmetric: isSymmetric))
    }

    /// One weight that is not zero, its parameter multiplied in.
    struct Edge: Sendable {
        var from: Int, to: Int
        var weight: Double
    }

    /// All edges, ordered by the unit that they lead to, so that sums are always taken in one order.
    ///
    /// - Throws: `DataError` if a link's parameter has no value.
    func edges(parameters: [String: Double]) throws -> [Edge] {
        if let bad = parameters.sorted(by: { $0.key < $1.key }).first(where: { !$0.value.isFinite }) {
            throw DataError(.usage, "the parameter \(bad.key) is \(bad.value); expected a finite number")
        }
        var edges: [Edge] = []
        for link in links {
            var factor = 1.0
            if let name = link.parameter {
                guard let value = parameters[name] else {
                    throw DataError(.usage, "the link from \(link.from.name) to \(link.to.name) needs a value of the parameter \(name)")
                }
                factor = value
            }
            for (row, weights) in link.weights.enumerated() {
                for (column, weight) in weights.enumerated() where weight != 0 {
                    edges.append(Edge(from: link.from[column], to: link.to[row], weight: weight * factor))
                    if link.isSymmetric { edges.append(Edge(from: link.to[row], to: link.from[column], weight: weight * factor)) }
                }
            }
        }
        return edges.sorted { ($0.to, $0.from) < ($1.to, $1.from) }
    }
}
