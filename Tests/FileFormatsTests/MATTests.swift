import Foundation
import Testing

@testable import FileFormats

@Suite struct MATTests {
    private static func fixture(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
    }

    /// As NumPy has it: the last axis fastest.
    private static let signal = (0..<24).map { Double($0) / 8 - 1 }

    @Test(arguments: ["plain.mat", "packed.mat"]) func arraysOfSciPy(name: String) throws {
        let file = try MATFile(path: Self.fixture(name))
        #expect(try MATFile.isVersion5(path: Self.fixture(name)))
        #expect(Set(file.names) == ["signal", "short", "single"])
        #expect(try file.array("signal") == NumericArray(shape: [2, 3, 4], values: Self.signal))
        #expect(try file.array("short").values == Self.signal.map { $0.rounded(.towardZero) })
        #expect(try file.array("single") == NumericArray(shape: [3, 4], values: Array(Self.signal[..<12])))
        #expect(throws: DataError.self) { try file.array(nil) }
        #expect(throws: DataError.self) { try file.array("cells") }
    }

    /// The other byte order, which old machines wrote: every word of an unpacked file turned round.
    @Test func bigEndian() throws {
        var bytes = [UInt8](repeating: 0x20, count: 124) + [1, 0] + Array("MI".utf8)
        func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        func element(_ type: UInt32, _ data: [UInt8]) -> [UInt8] {
            word(type) + word(UInt32(data.count)) + data + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
        }
        let numbers = [1.5, -2, 3.25, 1e300].flatMap { value in withUnsafeBytes(of: value.bitPattern.bigEndian, Array.init) }
        bytes += element(
            14, element(6, word(6) + word(0)) + element(5, word(2) + word(2)) + element(1, Array("a".utf8)) + element(9, numbers))
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("big-\(UUID().uuidString).mat").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try MATFile(path: path).array("a") == NumericArray(shape: [2, 2], values: [1.5, 3.25, -2, 1e300]))
    }

    /// Cut or changed anywhere, a file is read or refused; it never traps.
    @Test(arguments: ["plain.mat", "packed.mat"]) func damage(name: String) throws {
        let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: Self.fixture(name)))),
            path = FileManager.default.temporaryDirectory.appendingPathComponent("damaged-\(UUID().uuidString).mat").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func refused(_ bytes: [UInt8]) throws -> Bool {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                _ = try MATFile(path: path)
                return false
            } catch is DataError { return true }
        }
        var count = 0
        for length in stride(from: 0, to: whole.count, by: 7) { count += try refused(Array(whole[..<length])) ? 1 : 0 }
        #expect(count > whole.count / 14)
        for place in stride(from: 120, to: whole.count, by: 3) {
            var bytes = whole
            bytes[place] ^= 0xFF
            _ = try refused(bytes)
        }
    }
}
