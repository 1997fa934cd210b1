import FileFormats
import Foundation

/// A hierarchical clustering: which clusters join at which height, as `scipy.cluster.hierarchy.linkage` numbers them.
package struct Dendrogram: Sendable, Equatable {
    /// The distance between two clusters: mean, largest or smallest distance of their members, or Ward's increase in variance.
    package enum Linkage: String, Sendable, CaseIterable { case average, complete, single, ward }

    /// Two clusters that become one.
    package struct Merge: Sendable, Equatable {
        /// The clusters that join, the smaller number first: leaves are 0 ..< n, the cluster of merge k is n + k.
        package let first: Int, second: Int
        /// The distance at which they join.
        package let height: Double
        /// Leaves in the new cluster.
        package let size: Int
    }

    /// Names of the leaves, in the order of the matrix.
    package let labels: [String]
    /// n − 1 merges in order of height.
    package let merges: [Merge]
    /// The linkage that was used.
    package let linkage: Linkage

    /// Bytes that `init` needs next to its input.
    package static func memory(conditions n: Int) -> Int { n * (n - 1) / 2 * MemoryLayout<Double>.size }

    /// Nearest-neighbour chains for average, complete and Ward linkage (Müllner 2011), Prim's spanning tree for single linkage. Equal
    /// distances are taken in the order of rows.
    ///
    /// - Throws: `DataError` if a dissimilarity is missing.
    /// - Complexity: O(n²) time and memory.
    package init(_ rdm: RDM, linkage: Linkage = .average) throws {
        if let bad = rdm.values.firstIndex(where: \.isNaN) {
            let (i, j) = rdm.pair(bad)
            throw DataError(
                .badData,
                "the dissimilarity of '\(rdm.labels[i])' and '\(rdm.labels[j])' is missing; a tree needs all "
                    + "dissimilarities")
        }
        labels = rdm.labels
        self.linkage = linkage
        let raw = linkage == .single ? Self.spanningTree(rdm) : Self.chains(rdm, linkage)
        merges = Self.numbered(raw, leaves: rdm.count)
    }

    private typealias Raw = (a: Int, b: Int, height: Double)

    private static func chains(_ rdm: RDM, _ linkage: Linkage) -> [Raw] {
        let n = rdm.count
        var d = rdm.values, sizes = [Int](repeating: 1, count: n), chain: [Int] = [], result: [Raw] = []
        func place(_ i: Int, _ j: Int) -> Int { i < j ? RDM.index(i, j, of: n) : RDM.index(j, i, of: n) }
        for _ in 1..<n {
            if chain.isEmpty, let first = sizes.firstIndex(where: { $0 > 0 }) { chain.append(first) }
            var x = 0, y = -1, least = Double.infinity
            while true {
                x = chain[chain.count - 1]
                // The one before is preferred among equals, so that the chain does not go in circles.
                let before = chain.count > 1 ? chain[chain.count - 2] : -1
                (y, least) = before >= 0 ? (before, d[place(x, before)]) : (-1, .infinity)
                for i in 0..<n where sizes[i] > 0 && i != x {
                    let distance = d[place(x, i)]
                    if distance < least { (y, least) = (i, distance) }
                }
                if y == before { break }
                chain.append(y)
            }
            chain.removeLast(2)
            if x > y { swap(&x, &y) }
            let nx = Double(sizes[x]), ny = Double(sizes[y])
            result.append((x, y, least))
            sizes[y] += sizes[x]
            sizes[x] = 0
            for i in 0..<n where sizes[i] > 0 && i != y {
                let dx = d[place(i, x)], dy = d[place(i, y)]
                switch linkage {
                case .average: d[place(i, y)] = (nx * dx + ny * dy) / (nx + ny)
                case .complete: d[place(i, y)] = max(dx, dy)
                case .single: d[place(i, y)] = min(dx, dy)
                case .ward:
                    let ni = Double(sizes[i]), t = 1 / (nx + ny + ni)
                    d[place(i, y)] = ((ni + nx) * t * dx * dx + (ni + ny) * t * dy * dy - ni * t * least * least).squareRoot()
                }
            }
        }
        return result
    }

    private static func spanningTree(_ rdm: RDM) -> [Raw] {
        let n = rdm.count
        var isIn = [Bool](repeating: false, count: n), nearest = [Double](repeating: .infinity, count: n), x = 0, result: [Raw] = []
        for _ in 1..<n {
            isIn[x] = true
            var least = Double.infinity, y = 0
            for i in 0..<n where !isIn[i] {
                nearest[i] = min(nearest[i], rdm[x, i])
                if nearest[i] < least { (least, y) = (nearest[i], i) }
            }
            result.append((x, y, least))
            x = y
        }
        return result
    }

    private static func numbered(_ raw: [Raw], leaves n: Int) -> [Merge] {
        let sorted = raw.enumerated().sorted { ($0.element.height, $0.offset) < ($1.element.height, $1.offset) }.map(\.element)
        var parent = Array(0..<2 * n - 1), sizes = [Int](repeating: 1, count: 2 * n - 1)
        func root(_ i: Int) -> Int {
            var i = i
            while parent[i] != i {
                parent[i] = parent[parent[i]]
                i = parent[i]
            }
            return i
        }
        return sorted.enumerated().map { k, merge in
            let a = root(merge.a), b = root(merge.b), new = n + k
            parent[a] = new
            parent[b] = new
            sizes[new] = sizes[a] + sizes[b]
            return Merge(first: min(a, b), second: max(a, b), height: merge.height, size: sizes[new])
        }
    }

    /// Leaves from left to right, the branch with the smaller number first (scipy's `leaves_list`).
    package var leaves: [Int] {
        let n = labels.count
        var stack = [2 * n - 2], result: [Int] = []
        while let cluster = stack.popLast() {
            if cluster < n { result.append(cluster) } else { stack += [merges[cluster - n].second, merges[cluster - n].first] }
        }
        return result
    }

    /// The cluster of each leaf, numbered from 0 in the order in which rows first meet them, where merges above `height` are undone.
    package func clusters(height: Double) -> [Int] { clusters { $0.height <= height } }

    /// The cluster of each leaf where as few merges are undone as leave `count` clusters.
    package func clusters(count: Int) throws -> [Int] {
        guard count >= 1, count <= labels.count else { throw DataError(.usage, "\(labels.count) rows cannot make \(count) clusters") }
        let kept = labels.count - count
        var number = -1
        return clusters { _ in
            number += 1
            return number < kept
        }
    }

    private func clusters(_ isKept: (Merge) -> Bool) -> [Int] {
        let n = labels.count
        var parent = Array(0..<2 * n - 1)
        for (k, merge) in merges.enumerated() where isKept(merge) {
            parent[merge.first] = n + k
            parent[merge.second] = n + k
        }
        var names: [Int: Int] = [:]
        return (0..<n).map { leaf in
            var top = leaf
            while parent[top] != top { top = parent[top] }
            if let name = names[top] { return name }
            names[top] = names.count
            return names.count - 1
        }
    }

    /// The tree in Newick's notation, branch lengths being differences of heights.
    package var newick: String {
        let n = labels.count
        func height(_ cluster: Int) -> Double { cluster < n ? 0 : merges[cluster - n].height }
        func quoted(_ label: String) -> String { "'" + label.replacingOccurrences(of: "'", with: "''") + "'" }
        var texts: [Int: String] = [:]
        for (k, merge) in merges.enumerated() {
            let parts = [merge.first, merge.second].map { child in
                "\(child < n ? quoted(labels[child]) : texts.removeValue(forKey: child) ?? ""):\(max(0, merge.height - height(child)))"
            }
            texts[n + k] = "(" + parts.joined(separator: ",") + ")"
        }
        return (texts[2 * n - 2] ?? quoted(labels[0])) + ";"
    }

    /// The height at which each pair of leaves meets, in the order of `RDM.values`.
    package func copheneticDistances() -> [Double] {
        let n = labels.count
        var members: [[Int]] = (0..<n).map { [$0] }, result = [Double](repeating: 0, count: n * (n - 1) / 2)
        for merge in merges {
            for i in members[merge.first] {
                for j in members[merge.second] { result[RDM.index(min(i, j), max(i, j), of: n)] = merge.height }
            }
            members.append(members[merge.first] + members[merge.second])
            members[merge.first] = []
            members[merge.second] = []
        }
        return result
    }
}
