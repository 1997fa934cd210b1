import CMPI
import Kotonoha

/// MPI's ranks as the processes that train together. Bytes travel as they are: sums are taken by the program in an order of its own, never
/// by MPI, whose order depends on the number of ranks.
struct MPIPeers: TrainingPeers {
    let rank = Int(kmpi_rank())
    let count = Int(kmpi_count())

    /// MPI counts in 32 bits.
    private static let largest = 1 << 30

    func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) throws {
        for part in Self.parts(bytes.count) {
            try Self.check(
                kmpi_send(bytes.baseAddress.map { $0 + part.lowerBound }, Int32(part.count), Int32(rank)), "sending to rank \(rank)")
        }
    }

    func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws {
        for part in Self.parts(bytes.count) {
            try Self.check(
                kmpi_receive(bytes.baseAddress.map { $0 + part.lowerBound }, Int32(part.count), Int32(rank)), "receiving from rank \(rank)")
        }
    }

    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) throws {
        for part in Self.parts(bytes.count) {
            try Self.check(
                kmpi_broadcast(bytes.baseAddress.map { $0 + part.lowerBound }, Int32(part.count), Int32(rank)),
                "broadcasting from rank \(rank)")
        }
    }

    /// Waits for all ranks.
    func meet() throws { try Self.check(kmpi_barrier(), "waiting for the other ranks") }

    private static func parts(_ count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: largest).map { $0..<min(count, $0 + largest) }
    }

    static func check(_ status: Int32, _ what: String) throws {
        guard status != 0 else { return }
        var text = [CChar](repeating: 0, count: Int(kmpi_error_length()) + 1)
        kmpi_error_text(status, &text)
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw DataError(.unavailable, "MPI failed while \(what): \(words)")
    }
}
