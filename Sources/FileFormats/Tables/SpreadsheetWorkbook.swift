/// Which sheets a workbook has and in which parts of the file things are.
final class SpreadsheetWorkbook {
    private(set) var countsFrom1904 = false
    private(set) var sharedStrings: String?
    private(set) var styles: String?
    private(set) var sheets: [(name: String, relation: String, isHidden: Bool)] = []
    private var targets: [String: String] = [:]

    init(_ archive: ZipArchive, path: String) throws {
        // The package says where its main part is; nearly always it is this one.
        var main = "xl/workbook.xml"
        if archive.contains("_rels/.rels") {
            let relations = try Relations(archive, part: "_rels/.rels", folder: "", path: path)
            if let found = relations.list.first(where: { $0.type.hasSuffix("/officeDocument") }) { main = found.target }
        }
        guard archive.contains(main) else {
            throw DataError(.badData, "this zip file is not a spreadsheet: it has no \(main)", file: path)
        }
        let folder = main.split(separator: "/").dropLast().joined(separator: "/")
        let name = main.split(separator: "/").last.map(String.init) ?? main
        let relations = try Relations(
            archive, part: (folder.isEmpty ? "" : folder + "/") + "_rels/\(name).rels", folder: folder, path: path)
        for relation in relations.list {
            targets[relation.id] = relation.target
            if relation.type.hasSuffix("/sharedStrings") { sharedStrings = relation.target }
            if relation.type.hasSuffix("/styles") { styles = relation.target }
        }
        if let part = sharedStrings, !archive.contains(part) { sharedStrings = nil }
        if let part = styles, !archive.contains(part) { styles = nil }
        let list = SheetList()
        try archive.parse(main, path: path, handler: list)
        (sheets, countsFrom1904) = (list.sheets, list.countsFrom1904)
    }

    var visibleSheets: [String] { sheets.filter { !$0.isHidden }.map(\.name) }

    /// The part of a sheet, and the sheet's name.
    func part(ofSheet wanted: String?, path: String) throws -> (part: String, name: String) {
        let chosen: (name: String, relation: String, isHidden: Bool)?
        if let wanted {
            chosen = sheets.first { $0.name == wanted } ?? Int(wanted).flatMap { sheets.indices.contains($0 - 1) ? sheets[$0 - 1] : nil }
        } else {
            chosen = sheets.first { !$0.isHidden } ?? sheets.first
        }
        guard let chosen else {
            let list = sheets.enumerated().map { "\($0 + 1) \($1.name)" }.joined(separator: ", ")
            guard let wanted, !sheets.isEmpty else { throw DataError(.badData, "the spreadsheet has no sheets", file: path) }
            throw DataError(.usage, "no sheet \(wanted); its sheets are: \(list)", file: path)
        }
        guard let part = targets[chosen.relation] else {
            throw DataError(.badData, "the spreadsheet does not say where its sheet \(chosen.name) is", file: path)
        }
        return (part, chosen.name)
    }

    private final class SheetList: XMLHandler {
        var sheets: [(name: String, relation: String, isHidden: Bool)] = []
        var countsFrom1904 = false

        func begin(_ name: String, _ attributes: [String: String]) {
            if name == "sheet", let title = attributes["name"], let relation = attributes["id"] {
                sheets.append((title, relation, attributes["state"].map { $0 != "visible" } ?? false))
            } else if name == "workbookPr" {
                countsFrom1904 = ["1", "true"].contains(attributes["date1904"] ?? "")
            }
        }
        func end(_ name: String) {}
        func text(_ bytes: UnsafeRawBufferPointer) {}
    }

    /// Which part stands for which id.
    private final class Relations: XMLHandler {
        private(set) var list: [(id: String, type: String, target: String)] = []
        private let folder: String

        init(_ archive: ZipArchive, part: String, folder: String, path: String) throws {
            self.folder = folder
            try archive.parse(part, path: path, handler: self)
        }

        func begin(_ name: String, _ attributes: [String: String]) {
            guard name == "Relationship", let id = attributes["Id"], let type = attributes["Type"], let target = attributes["Target"] else {
                return
            }
            list.append((id, type, resolve(target)))
        }
        func end(_ name: String) {}
        func text(_ bytes: UnsafeRawBufferPointer) {}

        /// A target is relative to its part's folder, or begins at the root with `/`.
        private func resolve(_ target: String) -> String {
            var parts = target.hasPrefix("/") ? [] : folder.split(separator: "/").map(String.init)
            for part in target.split(separator: "/") {
                if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
            }
            return parts.joined(separator: "/")
        }
    }
}
