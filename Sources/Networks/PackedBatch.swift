/// Token ids of several sequences, one after the other, without padding.
///
/// Hidden states of such a batch are `(totalTokens, hiddenSize)`; the rows of sequence s are `offsets[s] ..< offsets[s + 1]`.
public struct PackedBatch: Sendable {
    /// Token ids of all sequences, one after the other.
    package private(set) var ids: [Int32] = []
    /// Segment of each token (BERT's sentence A and B); empty if all are 0.
    package private(set) var typeIDs: [Int32] = []
    /// First row of each sequence, and the end of the last one.
    package private(set) var offsets: [Int64] = [0]

    /// A batch without sequences.
    public init() {}

    /// A batch of sequences of token ids.
    package init(_ sequences: some Sequence<[Int32]>) {
        for sequence in sequences { append(sequence) }
    }

    /// - Precondition: `typeIDs` is nil or as long as `ids`.
    public mutating func append(_ ids: some Collection<Int32>, typeIDs types: [Int32]? = nil) {
        precondition(types == nil || types!.count == ids.count)
        if let types, types.contains(where: { $0 != 0 }) || !typeIDs.isEmpty {
            if typeIDs.isEmpty { typeIDs = [Int32](repeating: 0, count: self.ids.count) }
            typeIDs += types
        } else if !typeIDs.isEmpty {
            typeIDs += repeatElement(0, count: ids.count)
        }
        self.ids += ids
        offsets.append(Int64(self.ids.count))
    }

    /// Which sequences go into which batch: those of like length together, the longest first (so that the last batch is a small one, and
    /// workers end together), as many as fit into the budget, at least one; of equal lengths in their order.
    ///
    /// - Parameters:
    ///   - lengths: tokens of each sequence.
    ///   - budget: tokens of a batch.
    /// - Returns: for each batch the numbers of its sequences.
    package static func grouped(lengths: [Int], budget: Int) -> [[Int]] {
        var batches: [[Int]] = [], used = 0
        for index in lengths.indices.sorted(by: { (-lengths[$0], $0) < (-lengths[$1], $1) }) {
            if batches.isEmpty || used + lengths[index] > max(budget, 1) {
                batches.append([])
                used = 0
            }
            batches[batches.count - 1].append(index)
            used += lengths[index]
        }
        return batches
    }

    /// Number of sequences.
    public var sequences: Int { offsets.count - 1 }
    /// Number of tokens in all sequences.
    public var tokens: Int { ids.count }
    /// Tokens of one sequence.
    public func length(_ sequence: Int) -> Int { Int(offsets[sequence + 1] - offsets[sequence]) }
    /// Token ids of one sequence.
    package subscript(sequence: Int) -> ArraySlice<Int32> { ids[Int(offsets[sequence])..<Int(offsets[sequence + 1])] }
    /// Tokens of the longest sequence; 0 without any.
    package var longest: Int { (0..<sequences).map(length).max() ?? 0 }

    /// Place of each token in its own sequence, counted from `first`.
    ///
    /// - Parameter paddingID: tokens with this id keep the place `first - 1` and do not count, as in RoBERTa, whose tokenizer makes
    ///   one from a literal "<pad>" in the text.
    package func positions(from first: Int = 0, paddingID: Int32? = nil) -> [Int32] {
        [Int32](unsafeUninitializedCapacity: tokens) { positions, count in
            for s in 0..<sequences {
                var next = Int32(first)
                for i in Int(offsets[s])..<Int(offsets[s + 1]) {
                    if ids[i] == paddingID {
                        positions[i] = Int32(first) - 1
                    } else {
                        positions[i] = next
                        next += 1
                    }
                }
            }
            count = tokens
        }
    }
}
