import Foundation
import Testing

/// docs/architecture.md, Package.swift and the imports in Sources say the same of the rooms: a room imports lower floors only.
@Suite struct FloorTests {
    private struct Room {
        var dependencies: Set<String> = []
        var path = ""
        var isSwift = false
        var imports: Set<String> = []
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let roof = 99

    private static func text(_ path: String) throws -> String { try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) }

    /// The floor of each room in the page's table.
    private static func floors() throws -> [String: Int] {
        var floors: [String: Int] = [:]
        for line in try text("docs/architecture.md").split(separator: "\n") {
            guard let row = line.firstMatch(of: /^\| (\d+|roof) \| ([^|]*) \|/) else { continue }
            for name in row.output.2.matches(of: /`(\w+)`/) { floors[String(name.output.1)] = Int(row.output.1) ?? roof }
        }
        return floors
    }

    /// Targets of Package.swift that lie in Sources, with what they declare and what they import.
    private static func rooms() throws -> [String: Room] {
        let package = try text("Package.swift")
        let starts = package.matches(of: /\.(?:target|executableTarget|systemLibrary|testTarget|plugin)\(\s*name: "([^"]+)"/)
        var rooms: [String: Room] = [:]
        for (index, start) in starts.enumerated() where !package[start.range].hasPrefix(".testTarget") {
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : package.endIndex
            let body = package[start.range.upperBound..<end], name = String(start.output.1)
            var room = Room()
            room.path = body.firstMatch(of: /path: "([^"]+)"/).map { String($0.output.1) } ?? "Sources/\(name)"
            guard room.path.hasPrefix("Sources/") else { continue }
            if let list = body.firstMatch(of: /dependencies: \[([^\]]*)\]/) {
                let names = list.output.1.replacing(/\.product\([^)]*\)/, with: "").matches(of: /"([^"]+)"/)
                room.dependencies = Set(names.map { String($0.output.1) })
            }
            rooms[name] = room
        }
        for (name, room) in rooms {
            let folder = root.appendingPathComponent(room.path)
            guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { continue }
            for case let file as URL in files where file.pathExtension == "swift" {
                rooms[name]?.isSwift = true
                for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                    guard
                        let found = line.firstMatch(
                            of:
                                /^(?:@\w+(?:\(\w+\))? |package |public |internal |private )*import (?:struct |class |enum |func |protocol )?(\w+)/
                        )
                    else { continue }
                    rooms[name]?.imports.insert(String(found.output.1))
                }
            }
        }
        return rooms
    }

    @Test func thePageAndThePackageNameTheSameRooms() throws {
        let floors = try Self.floors(), rooms = try Self.rooms()
        #expect(
            floors.count > 25 && rooms.count > 25,
            "\(floors.count) floors, \(rooms.count) rooms: the page or the package is written otherwise than this test reads")
        #expect(Set(rooms.keys).subtracting(floors.keys).sorted() == [], "rooms without a floor in docs/architecture.md")
        #expect(Set(floors.keys).subtracting(rooms.keys).sorted() == [], "names in docs/architecture.md that are no target")
    }

    @Test func roomsDeclareLowerFloorsOnly() throws {
        let floors = try Self.floors()
        for (name, room) in try Self.rooms() {
            let own = try #require(floors[name])
            // Faces of C libraries may include one another; the program stands on the library's roof.
            for other in room.dependencies where own > 0 && own < Self.roof {
                #expect((floors[other] ?? -1) < own, "\(name) on floor \(own) declares \(other) on floor \(floors[other] ?? -1)")
            }
        }
    }

    @Test func importsAreDeclaredAndUsed() throws {
        let floors = try Self.floors(), rooms = try Self.rooms()
        for (name, room) in rooms where room.isSwift {
            let own = room.imports.intersection(rooms.keys)
            #expect(own.subtracting(room.dependencies).sorted() == [], "\(name) imports what it does not declare")
            if floors[name] != Self.roof {
                #expect(room.dependencies.subtracting(own).sorted() == [], "\(name) declares what it does not import")
            }
        }
    }
}
