import Foundation
import Kotonoha
import Testing

@testable import Serving

/// Two maps side by side, hills, and sizes around the ends of blocks.
@Suite struct ExploreMapsTests {
    private static func random(_ count: Int, seed: UInt64, clumps: Int = 1) -> [(x: Double, y: Double)] {
        var generator = SplitMix(state: seed)
        return (0..<count).map { _ in
            let clump = Double(Int(generator.next() % UInt64(clumps)))
            return (clump * 100 + Double(generator.next() % 10_000) / 5000, clump * clump + Double(generator.next() % 10_000) / 5000)
        }
    }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }

    private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("explore-\(UUID().uuidString).gz")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let gzip = Process(), output = Pipe()
        gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
        (gzip.arguments, gzip.standardOutput) = (["-dc", file.path], output)
        try gzip.run()
        return [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    }

    // MARK: Sizes

    /// Every position and every row comes back from the planes, also where a million is just missed or passed.
    @Test(arguments: [1, 255, 256, 257, 999_999, 1_000_000, 1_000_001])
    func planesHoldEveryPoint(_ count: Int) throws {
        let coordinates = Self.random(count, seed: 3, clumps: 7), points = MortonPoints(coordinates),
            rows = points.order.map { count - 1 - $0 }
        let planes = try inflated(points.blob(rows: rows))
        #expect(planes.count == 8 * count)
        var code: UInt32 = 0, wrong = 0
        for place in 0..<count {
            func number(_ first: Int) -> UInt32 { (0..<4).reduce(0) { $0 << 8 | UInt32(planes[(first + $1) * count + place]) } }
            code = code &+ number(0)
            var (x, y): (UInt16, UInt16) = (0, 0)
            for bit in 0..<16 {
                x |= UInt16(code >> UInt32(2 * bit) & 1) << UInt16(bit)
                y |= UInt16(code >> UInt32(2 * bit + 1) & 1) << UInt16(bit)
            }
            let row = Int(number(4)), steps = points.extent.steps(coordinates[count - 1 - row])
            wrong += row != rows[place] || steps.x != x || steps.y != y ? 1 : 0
        }
        #expect(wrong == 0)
        #expect(Set(rows).count == count)
    }

    /// Blocks of cells begin and end where they should, and none is behind the last.
    @Test(arguments: [255, 256, 257, 511, 512, 513])
    func blocksHoldEveryRow(_ count: Int) throws {
        let whole = try ExploreTests.map.get(), chosen = Array(whole.rows.indices.prefix(count))
        let map = try ExploreMap(
            title: "", caption: "", coordinates: chosen.map { whole.positions[$0] }, rows: chosen.map { whole.rows[$0] },
            index: whole.index, threads: 1)
        let last = (count - 1) / ExploreMap.blockSize
        let rows = try (0...last).flatMap { number -> [[String]] in
            try JSON(parsing: String(decoding: map.block(number), as: UTF8.self)).array!.map { $0.array!.map { $0.string! } }
        }
        #expect(rows.count == count)
        for (place, cells) in rows.enumerated() { #expect(cells == map.columns.map { $0[map.rows[place]] }) }
        let places = try JSON(parsing: String(decoding: map.block(last), as: UTF8.self)).array!.count
        #expect(places == count - last * ExploreMap.blockSize)
    }

    // MARK: Neighbours

    @Test(arguments: [2, 11, 13, 400, 3000])
    func neighboursInThePlaneAreTheNearest(_ count: Int) {
        // Clumps of very different density, some points on the same spot, some numbers without a point.
        var coordinates: [(x: Double, y: Double)?] = Self.random(count, seed: 5, clumps: 4)
        for place in stride(from: 0, to: count, by: 9) { coordinates[place] = coordinates[place].map { ($0.x.rounded(), $0.y.rounded()) } }
        for place in stride(from: 7, to: count, by: 31) { coordinates[place] = nil }
        let tree = PlaneNeighbours(coordinates)
        for place in stride(from: 0, to: count, by: max(1, count / 60)) {
            guard let p = coordinates[place] else { continue }
            let all = coordinates.indices.filter { $0 != place && coordinates[$0] != nil }.map { other -> (Float, Int) in
                let (dx, dy) = (Float(coordinates[other]!.x) - Float(p.x), Float(coordinates[other]!.y) - Float(p.y))
                return (dx * dx + dy * dy, other)
            }.sorted { $0 < $1 }
            #expect(tree.nearest(to: p, most: 10, except: place) == all.prefix(10).map(\.1))
        }
    }

    /// Codes of the vectors give the same answers, to the bit.
    @Test func codesFindTheSame() throws {
        var generator = SplitMix(state: 9)
        let vectors = Tensor((0..<6000 * 40).map { _ in Float(Int(generator.next() % 2001) - 1000) / 500 }, shape: [6000, 40])
        var valid = [Bool](repeating: true, count: 6000)
        valid[17] = false
        var search = try CosineSearch(corpus: vectors, valid: valid, threads: 2)
        let query = try vectors.withRows(17..<18) { Tensor(Array(UnsafeBufferPointer(start: $0, count: 40)), shape: [1, 40]) }
        let plain = try search.search(query, top: 12)
        search.codes = try RowCodes(int8: vectors, threads: 2)
        #expect(try search.search(query, top: 12) == plain)
    }

    // MARK: A second map

    @Test func aMapSharesAllNeighboursWithItself() throws {
        let first = Self.random(900, seed: 1), rows = Array(0..<900)
        let same = try SecondMap(
            title: "", caption: "", coordinates: first.map { ($0.x * 4, $0.y * 4) }, rows: rows, onto: rows, first: first,
            threads: 2)
        #expect(same.overlap.allSatisfy { $0 == 1 })
        let other = try SecondMap(
            title: "", caption: "", coordinates: Self.random(900, seed: 2), rows: rows, onto: rows, first: first, threads: 1)
        let mean = other.overlap.compactMap(\.self).reduce(0, +) / 900
        #expect(mean < 0.05)
    }

    @Test func pointsThatTheSecondMapLacksAreMarked() throws {
        let first = Self.random(600, seed: 1), there = Self.random(400, seed: 8), rows = (0..<400).map { 599 - $0 }
        let second = try SecondMap(title: "", caption: "", coordinates: there, rows: rows, onto: Array(0..<600), first: first, threads: 2)
        let planes = try inflated(second.blob())
        var (x, y): (UInt16, UInt16) = (0, 0)
        for place in 0..<600 {
            #expect(planes[4 * 600 + place] == (place < 200 ? 0 : 1) && (second.overlap[place] == nil) == (place < 200))
            guard place >= 200 else { continue }
            x = x &+ (UInt16(planes[place]) << 8 | UInt16(planes[600 + place]))
            y = y &+ (UInt16(planes[1200 + place]) << 8 | UInt16(planes[1800 + place]))
            #expect((x, y) == second.extent.steps(there[599 - place]))
        }
        #expect(throws: DataError.self) {
            try SecondMap(
                title: "", caption: "", coordinates: there, rows: rows.map { $0 + 1000 }, onto: Array(0..<600), first: first, threads: 1)
        }
    }

    @Test func overlapIsAColumn() throws {
        let whole = try ExploreTests.map.get()
        let map = try ExploreMap(
            title: "", caption: "", coordinates: whole.positions, rows: whole.rows, index: whole.index,
            second: ("other", "", whole.positions.map { ($0.y, $0.x) }, whole.rows), threads: 2)
        #expect(map.columns.last?.name == "overlap")
        let table = String(decoding: try map.export([0, 5], format: .tsv, label: nil), as: UTF8.self)
        #expect(
            table.hasPrefix("row\tx\ty\t") && table.split(separator: "\n")[0].contains("overlap")
                && table.split(separator: "\n")[1].contains("\t1.0"))
        #expect(String(decoding: map.start(canSearchMeaning: false), as: UTF8.self).contains("\"second\":{\"title\":\"other\""))
    }

    // MARK: Hills

    /// Three hills, two languages: each has the words of its own texts, and no word that is everywhere.
    @Test func hillsHaveTheirWords() {
        let themes = [
            ["the dog runs through the snow", "a dog in the deep snow"], ["パン職人が生地を捏ねる", "生地からパンを焼く"],
            ["the waves of the sea", "boats on the sea"],
        ]
        let middles = [(0.2, 0.2), (0.8, 0.3), (0.5, 0.8)]
        var generator = SplitMix(state: 4)
        var shares: [(x: Double, y: Double)] = [], texts: [[UInt8]] = []
        for place in 0..<1500 {
            let hill = place % 3
            func off() -> Double { (0..<4).reduce(0) { sum, _ in sum + Double(generator.next() % 1000) / 1000 - 0.5 } * 0.06 }
            shares.append((middles[hill].0 + off(), middles[hill].1 + off()))
            texts.append(Array(themes[hill][place / 3 % 2].utf8))
        }
        let all = texts, labels = MapLabels.find(shares: shares, aspect: 1, text: { all[$0][...] }, threads: 2)
        #expect(labels.count == 3)
        for (hill, word) in [(0, "snow"), (1, "パン"), (2, "sea")] {
            let label = labels.min {
                hypot($0.x - middles[hill].0, $0.y - middles[hill].1) < hypot($1.x - middles[hill].0, $1.y - middles[hill].1)
            }
            #expect(label?.words.contains(word) == true && abs((label?.size ?? 0) - 500) < 60, "\(label.map { "\($0)" } ?? "")")
        }
        #expect(!labels.flatMap(\.words).contains { ["the", "and", "を", "が"].contains($0) })
        #expect(MapLabels.find(shares: shares, aspect: 1, text: { all[$0][...] }, threads: 1) == labels)
    }
}
