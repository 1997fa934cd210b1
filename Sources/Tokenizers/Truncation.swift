import FileFormats

/// Which sequence of a pair is truncated when both together are too long.
public enum TruncationStrategy: String, Sendable, CaseIterable {
    /// The longer one first.
    case longestFirst
    case onlyFirst
    case onlySecond
}

/// The end at which a sequence is cut.
package enum TruncationSide: String, Sendable {
    case left, right
}

struct Truncation: Sendable {
    /// Tokens that may stay, those of the post-processor not counted.
    var room: Int
    var strategy: TruncationStrategy
    var stride: Int
    var side: TruncationSide

    func truncate(_ first: inout Encoding, _ second: inout Encoding?) throws {
        let total = first.count + (second?.count ?? 0)
        guard total > room else { return }
        let excess = total - room
        if room == 0 {
            try truncate(&first, to: 0)
            if second != nil { try truncate(&second!, to: 0) }
            return
        }
        switch strategy {
        case .longestFirst:
            guard let other = second else {
                try truncate(&first, to: room)
                return
            }
            var shorter = min(first.count, other.count)
            var longer = shorter > room ? shorter : max(shorter, room - shorter)
            if shorter + longer > room {
                shorter = room / 2
                longer = shorter + room % 2
            }
            let firstIsLonger = first.count > other.count
            try truncate(&first, to: firstIsLonger ? longer : shorter)
            try truncate(&second!, to: firstIsLonger ? shorter : longer)
        case .onlyFirst:
            guard first.count > excess else { throw tooShort }
            try truncate(&first, to: first.count - excess)
        case .onlySecond:
            guard let other = second else {
                throw DataError(.usage, "truncating only the second sequence needs a second sequence")
            }
            guard other.count > excess else { throw tooShort }
            try truncate(&second!, to: other.count - excess)
        }
    }

    private var tooShort: DataError {
        DataError(.usage, "the sequence to truncate is too short to reach the requested length")
    }

    private func truncate(_ encoding: inout Encoding, to length: Int) throws {
        guard length < encoding.count else { return }
        if length == 0 {
            var empty = Encoding()
            empty.overflow = [encoding]
            encoding = empty
            return
        }
        guard stride < length else {
            throw DataError(
                .usage,
                "the stride (\(stride)) must be smaller than the maximum length minus special tokens (\(length) "
                    + "tokens)")
        }
        let step = length - stride
        var windows: [Range<Int>] = []
        switch side {
        case .right:
            for start in Swift.stride(from: 0, to: encoding.count, by: step) {
                let end = min(start + length, encoding.count)
                windows.append(start..<end)
                if end == encoding.count { break }
            }
        case .left:
            for end in Swift.stride(from: encoding.count, to: 0, by: -step) {
                let start = max(end - length, 0)
                windows.append(start..<end)
                if start == 0 { break }
            }
        }
        let parts = windows.map { encoding.window($0) }
        encoding = parts[0]
        encoding.overflow = Array(parts.dropFirst())
    }
}
