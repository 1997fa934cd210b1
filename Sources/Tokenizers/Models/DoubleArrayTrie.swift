import Foundation

/// A trie over bytes in two arrays (Aoe 1989): one memory access a byte finds every token that begins at a place in a text.
struct DoubleArrayTrie: Sendable {
    /// The child by byte b of node n is `base + b`, if its `parent` is n; a base may be negative.
    fileprivate struct Unit {
        var base: Int32 = 0
        var parent: Int32 = -1
        /// What the key that ends here stands for, −1 if none does.
        var value: Int32 = -1
    }

    /// A key is `pool[start..<start + count]`.
    struct Key {
        var start: UInt32
        var count: Int32
        var value: Int32
    }

    private let units: [Unit]

    private init(pool: [UInt8], keys: [Key]) {
        units = pool.withUnsafeBufferPointer { pool in
            var builder = TrieBuilder(SortedKeys(keys, pool))
            return builder.build()
        }
    }

    /// Keys need not be sorted; of equal keys the last one counts. A value of −1 is as if the key were not there.
    init<Bytes: Collection<UInt8>>(_ keys: some Collection<(key: Bytes, value: Int32)>) {
        var pool: [UInt8] = []
        var spans: [Key] = []
        pool.reserveCapacity(keys.count * 8)
        spans.reserveCapacity(keys.count)
        for (key, value) in keys {
            let start = pool.count
            pool.append(contentsOf: key)
            spans.append(Key(start: UInt32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: pool.count - start), value: value))
        }
        self.init(pool: pool, keys: spans)
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
}

/// Keys in the order of their bytes, equal ones in the order given.
private struct SortedKeys {
    /// The first eight bytes of a key as a number, padded with zeros, and the key's place in the list.
    private struct Entry {
        var head: UInt64
        var number: Int32
    }

    private let entries: [Entry]
    private let keys: [DoubleArrayTrie.Key]
    private let pool: UnsafeBufferPointer<UInt8>

    var count: Int { entries.count }
    func key(_ i: Int) -> DoubleArrayTrie.Key { keys[i] }
    /// The byte of key i at `depth`, which is less than its count.
    @inline(__always)
    func byte(_ i: Int, _ depth: Int) -> UInt8 {
        if depth < 8 { return UInt8(truncatingIfNeeded: entries[i].head >> UInt64(56 - 8 * depth)) }
        return pool[Int(keys[i].start) + depth]
    }

    init(_ keys: [DoubleArrayTrie.Key], _ pool: UnsafeBufferPointer<UInt8>) {
        self.pool = pool
        func eight(_ key: DoubleArrayTrie.Key, from depth: Int) -> UInt64 {
            var head: UInt64 = 0
            let count = min(Int(key.count) - depth, 8)
            for i in 0..<max(count, 0) { head |= UInt64(pool[Int(key.start) + depth + i]) << UInt64(56 - 8 * i) }
            return head
        }
        var entries = [Entry](unsafeUninitializedCapacity: keys.count) { buffer, count in
            for (i, key) in keys.enumerated() {
                buffer.initializeElement(at: i, to: Entry(head: eight(key, from: 0), number: Int32(truncatingIfNeeded: i)))
            }
            count = keys.count
        }
        Self.radixSort(&entries)
        // What the heads leave equal, by the next eight bytes, and that by all of them.
        var tails: [Entry] = []
        var first = 0
        while first < entries.count {
            var end = first + 1
            while end < entries.count, entries[end].head == entries[first].head { end += 1 }
            if end - first > 1 {
                tails.removeAll(keepingCapacity: true)
                for entry in entries[first..<end] {
                    tails.append(Entry(head: eight(keys[Int(entry.number)], from: 8), number: entry.number))
                }
                tails.sort { a, b in
                    a.head == b.head ? Self.precedes(Int(a.number), Int(b.number), keys, pool) : a.head < b.head
                }
                for (i, tail) in tails.enumerated() { entries[first + i].number = tail.number }
            }
            first = end
        }
        self.entries = entries
        self.keys = entries.map { keys[Int($0.number)] }
    }

    private static func precedes(
        _ a: Int, _ b: Int, _ keys: [DoubleArrayTrie.Key], _ pool: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let (x, y) = (keys[a], keys[b])
        guard let bytes = pool.baseAddress else { return a < b }
        let order = memcmp(bytes + Int(x.start), bytes + Int(y.start), Int(min(x.count, y.count)))
        return order != 0 ? order < 0 : x.count != y.count ? x.count < y.count : a < b
    }

    /// By the head, byte by byte from the last; stable.
    private static func radixSort(_ entries: inout [Entry]) {
        var other = entries
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            var starts = [Int](repeating: 0, count: 257)
            for entry in entries { starts[Int(entry.head >> shift & 255) + 1] += 1 }
            if starts.contains(entries.count) { continue }
            for byte in 1..<257 { starts[byte] += starts[byte - 1] }
            for entry in entries {
                let byte = Int(entry.head >> shift & 255)
                other[starts[byte]] = entry
                starts[byte] += 1
            }
            swap(&entries, &other)
        }
    }

    /// The nodes of a trie of these keys, its root included.
    var nodeCount: Int {
        var total = 1
        for i in 0..<count {
            let length = Int(key(i).count)
            guard i > 0 else {
                total += length
                continue
            }
            var shared = min((entries[i].head ^ entries[i - 1].head).leadingZeroBitCount / 8, length, Int(key(i - 1).count))
            if shared == 8 {
                let (a, b) = (Int(key(i - 1).start), Int(key(i).start))
                let shorter = min(length, Int(key(i - 1).count))
                while shared < shorter, pool[a + shared] == pool[b + shared] { shared += 1 }
            }
            total += length - shared
        }
        return total
    }
}

private struct TrieBuilder {
    private typealias Unit = DoubleArrayTrie.Unit

    private let keys: SortedKeys
    /// Free nodes, whose parent is −1, form a ring through node 0: `base` is the next one, `value` the one before.
    private var nodes: [Unit] = []
    private var firstFree: Int32 = 0
    private var lastFree: Int32 = 0
    /// Behind the last taken node.
    private var end = 1
    /// Where the next search for several children begins.
    private var searched = 1

    init(_ keys: SortedKeys) {
        self.keys = keys
        let count = keys.nodeCount
        nodes.reserveCapacity(count + count / 16 + 512)
        nodes.append(Unit(parent: -2))
        grow(to: nodes.capacity)
    }

    mutating func build() -> [DoubleArrayTrie.Unit] {
        var work: [(node: Int, low: Int, high: Int, depth: Int)] = [(0, 0, keys.count, 0)]
        var labels: [UInt8] = []
        var bounds: [Int] = []
        while let (node, from, high, depth) = work.popLast() {
            var low = from
            while low < high, Int(keys.key(low).count) == depth {
                nodes[node].value = keys.key(low).value
                low += 1
            }
            guard low < high else { continue }
            if low + 1 == high {
                chain(from: node, low, depth)
                continue
            }
            labels.removeAll(keepingCapacity: true)
            bounds.removeAll(keepingCapacity: true)
            for i in low..<high {
                let byte = keys.byte(i, depth)
                if labels.last != byte {
                    labels.append(byte)
                    bounds.append(i)
                }
            }
            bounds.append(high)
            let base = place(labels)
            nodes[node].base = Int32(truncatingIfNeeded: base)
            for (k, label) in labels.enumerated() {
                take(base + Int(label), parent: node)
                work.append((base + Int(label), bounds[k], bounds[k + 1], depth + 1))
            }
        }
        nodes.removeSubrange(end...)
        return nodes
    }

    /// The nodes of the only key below `node`.
    private mutating func chain(from node: Int, _ number: Int, _ depth: Int) {
        let key = keys.key(number)
        var node = node
        for depth in depth..<Int(key.count) {
            let label = keys.byte(number, depth)
            if firstFree == 0 { grow(to: nodes.count + nodes.count / 8 + 256) }
            let child = Int(firstFree)
            nodes[node].base = Int32(truncatingIfNeeded: child - Int(label))
            take(child, parent: node)
            node = child
        }
        nodes[node].value = key.value
    }

    private mutating func grow(to count: Int) {
        let old = nodes.count
        guard count > old else { return }
        for i in old..<count {
            nodes.append(Unit(base: Int32(truncatingIfNeeded: i + 1), parent: -1, value: Int32(truncatingIfNeeded: i - 1)))
        }
        nodes[old].value = lastFree
        nodes[count - 1].base = 0
        if lastFree == 0 {
            firstFree = Int32(truncatingIfNeeded: old)
        } else {
            nodes[Int(lastFree)].base = Int32(truncatingIfNeeded: old)
        }
        lastFree = Int32(truncatingIfNeeded: count - 1)
    }

    private mutating func take(_ node: Int, parent: Int) {
        let (next, previous) = (nodes[node].base, nodes[node].value)
        if previous == 0 { firstFree = next } else { nodes[Int(previous)].base = next }
        if next == 0 { lastFree = previous } else { nodes[Int(next)].value = previous }
        nodes[node] = Unit(parent: Int32(truncatingIfNeeded: parent))
        end = max(end, node + 1)
    }

    /// A base at which all children fall on free nodes. A single child takes the first hole; several are tried from where the last search
    /// ended, since the holes before are too scattered for them, and else come behind the last node.
    private mutating func place(_ labels: [UInt8]) -> Int {
        let first = Int(labels[0]), widest = Int(labels[labels.count - 1])
        var free = Int(firstFree)
        if labels.count > 1 {
            while searched < nodes.count, nodes[searched].parent != -1 { searched += 1 }
            free = searched < nodes.count ? searched : 0
        }
        var base = end - first
        var tries = 0
        while free != 0, tries < 64 {
            let candidate = free - first
            var fits = true
            for label in labels where fits {
                let child = candidate + Int(label)
                fits = child >= nodes.count || nodes[child].parent == -1
            }
            if fits {
                base = candidate
                break
            }
            if labels.count > 1 { searched = free }
            free = Int(nodes[free].base)
            tries += 1
        }
        if base + widest >= nodes.count { grow(to: max(base + widest + 1, nodes.count + nodes.count / 8)) }
        return base
    }
}
