/// A trie over bytes in two arrays (Aoe 1989): one memory access a byte finds every token that begins at a place in a text.
struct DoubleArrayTrie: Sendable {
    /// The child by byte b of node n is `base + b`, if its `parent` is n; a base may be negative.
    private struct Unit {
        var base: Int32 = 0
        var parent: Int32 = -1
        /// What the key that ends here stands for, −1 if none does.
        var value: Int32 = -1
    }

    private var units: [Unit]

    /// Keys need not be sorted; of equal keys the last one counts.
    init(_ keys: [(key: ArraySlice<UInt8>, value: Int32)]) {
        var builder = Builder(keys)
        units = builder.build()
    }

    /// Calls `body` with the length and the value of every key that begins at `start`, shortest first.
    @inline(__always)
    func forEachPrefix(of text: UnsafeBufferPointer<UInt8>, from start: Int, _ body: (Int, Int32) -> Void) {
        units.withUnsafeBufferPointer { units in
            var node = 0
            var i = start
            while i < text.count {
                let child = Int(units[node].base) + Int(text[i])
                guard UInt(bitPattern: child) < UInt(units.count), units[child].parent == Int32(truncatingIfNeeded: node) else { return }
                node = child
                i &+= 1
                let value = units[node].value
                if value >= 0 { body(i &- start, value) }
            }
        }
    }

    private struct Builder {
        let keys: [(key: ArraySlice<UInt8>, value: Int32)]
        var order: [Int] = []
        var nodes: [Unit] = []
        /// Free nodes form a ring through node 0.
        var next: [Int32] = []
        var previous: [Int32] = []
        /// Where the next search for several children begins.
        var searched = 1

        init(_ keys: [(key: ArraySlice<UInt8>, value: Int32)]) { self.keys = keys }

        mutating func build() -> [Unit] {
            sort()
            grow(to: 512)
            take(0)
            nodes[0].parent = -2
            var work: [(node: Int, low: Int, high: Int, depth: Int)] = [(0, 0, order.count, 0)]
            var labels: [UInt8] = []
            var bounds: [Int] = []
            while let (node, from, high, depth) = work.popLast() {
                var low = from
                while low < high, key(low).count == depth {
                    nodes[node].value = keys[order[low]].value
                    low += 1
                }
                guard low < high else { continue }
                labels.removeAll(keepingCapacity: true)
                bounds.removeAll(keepingCapacity: true)
                for i in low..<high {
                    let byte = key(i)[key(i).startIndex + depth]
                    if labels.last != byte {
                        labels.append(byte)
                        bounds.append(i)
                    }
                }
                bounds.append(high)
                let base = place(labels)
                nodes[node].base = Int32(truncatingIfNeeded: base)
                for (k, label) in labels.enumerated() {
                    let child = base + Int(label)
                    take(child)
                    nodes[child].parent = Int32(truncatingIfNeeded: node)
                    work.append((child, bounds[k], bounds[k + 1], depth + 1))
                }
            }
            return nodes
        }

        private func key(_ i: Int) -> ArraySlice<UInt8> { keys[order[i]].key }

        /// Sorts by the first eight bytes, byte by byte from the last (a radix sort, stable); what those leave equal by the rest.
        private mutating func sort() {
            var heads: [(head: UInt64, number: Int32)] = []
            heads.reserveCapacity(keys.count)
            for (number, (key, _)) in keys.enumerated() {
                var head: UInt64 = 0
                for byte in key.prefix(8) { head = head << 8 | UInt64(byte) }
                if key.count < 8 { head <<= UInt64(8 * (8 - key.count)) }
                heads.append((head, Int32(truncatingIfNeeded: number)))
            }
            var sorted = heads
            for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
                var starts = [Int](repeating: 0, count: 257)
                for entry in heads { starts[Int(entry.head >> shift & 255) + 1] += 1 }
                if starts.contains(heads.count) { continue }
                for byte in 1..<257 { starts[byte] += starts[byte - 1] }
                for entry in heads {
                    let byte = Int(entry.head >> shift & 255)
                    sorted[starts[byte]] = entry
                    starts[byte] += 1
                }
                swap(&heads, &sorted)
            }
            order = heads.map { Int($0.number) }
            var first = 0
            while first < heads.count {
                var end = first + 1
                while end < heads.count, heads[end].head == heads[first].head { end += 1 }
                if end - first > 1 {
                    // Of equal keys the first stays in front.
                    order[first..<end].sort { a, b in
                        let (x, y) = (keys[a].key, keys[b].key)
                        return x.elementsEqual(y) ? a < b : x.lexicographicallyPrecedes(y)
                    }
                }
                first = end
            }
        }

        private mutating func grow(to count: Int) {
            let old = nodes.count
            guard count > old else { return }
            if old == 0 {
                nodes.append(Unit())
                next.append(0)
                previous.append(0)
            }
            for i in nodes.count..<count {
                nodes.append(Unit())
                let last = previous[0]
                next.append(0)
                previous.append(last)
                next[Int(last)] = Int32(truncatingIfNeeded: i)
                previous[0] = Int32(truncatingIfNeeded: i)
            }
        }

        private mutating func take(_ node: Int) {
            guard node != 0 else { return }
            let (before, after) = (previous[node], next[node])
            next[Int(before)] = after
            previous[Int(after)] = before
            nodes[node].parent = -3  // taken; the caller puts the parent in
        }

        /// A base at which all children fall on free nodes. A single child takes the first hole; several are tried from where the last
        /// search ended, since the holes before are too scattered for them, and else come behind the last node.
        private mutating func place(_ labels: [UInt8]) -> Int {
            let first = Int(labels[0])
            var free = Int(next[0])
            if labels.count > 1 {
                while searched < nodes.count, nodes[searched].parent != -1 { searched += 1 }
                free = searched < nodes.count ? searched : 0
            }
            var tries = 0
            while free != 0, tries < 64 {
                let base = free - first
                if labels.allSatisfy({ label in
                    let child = base + Int(label)
                    return child >= nodes.count || nodes[child].parent == -1
                }) {
                    grow(to: base + 256)
                    return base
                }
                if labels.count > 1 { searched = free }
                free = Int(next[free])
                tries += 1
            }
            let base = nodes.count
            grow(to: base + 256)
            return base
        }
    }
}
