import CServing
import Foundation
import Kotonoha
import Synchronization

/// The cells of a column as bytes, one after the other: a million texts without a million objects.
struct TextColumn: Sendable {
    let name: String
    let role: VectorLayout.Role
    private var bytes: [UInt8] = []
    private var offsets: [Int] = [0]

    /// Reads a column in portions.
    init(_ column: VectorLayout.Column, of file: VectorFile) throws {
        (name, role) = (column.name, column.role)
        offsets.reserveCapacity(file.count + 1)
        for range in Parallel.chunks(file.count, size: 65_536) {
            for cell in try file.column(column, rows: range) {
                bytes.append(contentsOf: cell.utf8)
                offsets.append(bytes.count)
            }
        }
    }

    /// A column that was computed.
    /// - Parameter place: behind the columns of the file.
    init(name: String, place: Int, cells: some Sequence<String>) {
        (self.name, role) = (name, .other(place))
        for cell in cells {
            bytes.append(contentsOf: cell.utf8)
            offsets.append(bytes.count)
        }
    }

    /// Neither id nor group nor text.
    var isOther: Bool { if case .other = role { true } else { false } }

    subscript(row: Int) -> String { String(decoding: bytes[offsets[row]..<offsets[row + 1]], as: UTF8.self) }
    func utf8(_ row: Int) -> ArraySlice<UInt8> { bytes[offsets[row]..<offsets[row + 1]] }
}

/// Texts made alike in width and case (NFKC), for search by parts of words.
final class FoldedTexts: Sendable {
    private let bytes: [UInt8]
    /// Where the text of each place begins, and the end of the last one.
    private let offsets: [Int]
    var count: Int { offsets.count - 1 }

    /// - Parameters:
    ///   - columns: whose cells are searched, with a line end between.
    ///   - rows: the row of each place.
    init(_ columns: [TextColumn], rows: [Int], threads: Int) {
        let pieces = Parallel.chunks(rows.count, size: 8192)
        let parts: [(bytes: [UInt8], lengths: [Int])] = Parallel.map(pieces.count, threads: threads) { piece, _ in
            var bytes: [UInt8] = [], lengths: [Int] = []
            for place in pieces[piece] {
                let before = bytes.count
                for column in columns {
                    Self.append(column.utf8(rows[place]), to: &bytes)
                    bytes.append(0x0A)
                }
                lengths.append(bytes.count - before)
            }
            return (bytes, lengths)
        }
        var all: [UInt8] = [], offsets = [0]
        all.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
        offsets.reserveCapacity(rows.count + 1)
        for part in parts {
            all += part.bytes
            for length in part.lengths { offsets.append(offsets[offsets.count - 1] + length) }
        }
        (bytes, self.offsets) = (all, offsets)
    }

    static func fold(_ text: String) -> String {
        text.precomposedStringWithCompatibilityMapping.uppercased().lowercased().precomposedStringWithCompatibilityMapping.replacing(
            "ς", with: "σ")
    }

    private static func append(_ text: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        if text.allSatisfy({ $0 < 0x80 }) {
            for byte in text { bytes.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
        } else {
            bytes.append(contentsOf: fold(String(decoding: text, as: UTF8.self)).utf8)
        }
    }

    /// The places whose text holds all of the words, as bits, the lowest bit of a byte first.
    func find(_ query: String, threads: Int) -> [UInt8] {
        let words = Self.fold(query).split(whereSeparator: \.isWhitespace).map { Array($0.utf8) }
        var found = [UInt8](repeating: 0, count: (count + 7) / 8)
        // The longest word is the rarest, as a rule.
        guard let first = words.max(by: { $0.count < $1.count }) else { return found }
        let others = words.filter { $0 != first }
        // Pieces of whole bytes of the answer.
        let pieces = Parallel.chunks(count, size: 65_536)
        let parts: [[Int]] = Parallel.map(pieces.count, threads: threads) { piece, _ in
            self.bytes.withUnsafeBytes { all in
                var hits: [Int] = [], place = pieces[piece].lowerBound, at = offsets[place]
                let end = offsets[pieces[piece].upperBound]
                while at < end, let hit = memmem(all.baseAddress! + at, end - at, first, first.count) {
                    let position = UnsafeRawPointer(hit) - all.baseAddress!
                    // The text that the hit lies in: near the last one, mostly.
                    place = self.place(of: position, from: place, to: pieces[piece].upperBound)
                    let (start, stop) = (offsets[place], offsets[place + 1])
                    if others.allSatisfy({ memmem(all.baseAddress! + start, stop - start, $0, $0.count) != nil }) { hits.append(place) }
                    at = stop
                }
                return hits
            }
        }
        for hit in parts.joined() { found[hit >> 3] |= 1 << UInt8(hit & 7) }
        return found
    }

    private func place(of position: Int, from low: Int, to high: Int) -> Int {
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= position { low = middle } else { high = middle }
        }
        return low
    }
}
