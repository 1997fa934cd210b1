import FileFormats
import Foundation

/// What can be said of a model's folder without computing anything.
public struct ModelDescription: Sendable {
    /// What the model is called.
    package let name: String
    /// The model's folder.
    package let folder: URL
    /// `model_type`, "model2vec", or empty if config.json does not say.
    package let family: String
    /// "sentence vectors", "reranker", "classifier" or "encoder".
    public let kind: String
    /// Bytes of weights.
    package let weightBytes: Int
    /// Languages and licence as the front matter of README.md states them.
    package let languages: [String]
    package let license: String?

    /// Reads the folder's configuration.
    ///
    /// - Throws: `DataError` that names the file that does not fit.
    public init(folder: URL, name: String) throws {
        let directory = try ModelDirectory(folder: folder)
        self.name = name
        self.folder = folder
        family = directory.configuration["model_type"]?.string ?? (directory.isStatic ? "static embeddings" : "")
        let architecture = directory.configuration["architectures"]?.array?.first?.string ?? ""
        if architecture.hasSuffix("ForSequenceClassification") {
            kind = directory.configuration["id2label"]?.object?.count == 1 ? "reranker" : "classifier"
        } else {
            kind = directory.assumesMeanPooling ? "encoder" : "sentence vectors"
        }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.transformerFolder.path)) ?? []
        weightBytes = files.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".gguf") || $0.hasPrefix("pytorch_model") }.reduce(0) {
            sum, file in
            let path = directory.transformerFolder.appendingPathComponent(file).resolvingSymlinksInPath().path
            return sum + ((try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0)
        }
        let readme = folder.appendingPathComponent("README.md").resolvingSymlinksInPath().path
        let text = (try? MappedFile(path: readme)).map { String(decoding: $0.bytes.prefix(1 << 16), as: UTF8.self) } ?? ""
        let matter = Self.frontMatter(text)
        languages = matter["language"] ?? []
        license = matter["license"]?.first
    }

    /// The keys between the `---` lines at the top of a model card: "key: value", "key: [a, b]" and lists of "- value" below a key.
    static func frontMatter(_ text: String) -> [String: [String]] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.hasSuffix("\r") ? $0.dropLast() : $0 }[...]
        guard lines.popFirst() == "---" else { return [:] }
        var values: [String: [String]] = [:], key = ""
        func plain(_ text: Substring) -> String { text.trimmingCharacters(in: CharacterSet(charactersIn: " \t'\"")) }
        for line in lines {
            if line == "---" { return values }
            let trimmed = line.drop { $0 == " " }
            if trimmed.hasPrefix("- "), !key.isEmpty {
                values[key, default: []].append(plain(trimmed.dropFirst(2)))
            } else if let colon = line.firstIndex(of: ":"), line.first != " " {
                key = plain(line[..<colon])
                let rest = plain(line[line.index(after: colon)...])
                let items =
                    rest.hasPrefix("[") && rest.hasSuffix("]") ? rest.dropFirst().dropLast().split(separator: ",").map(plain) : [rest]
                values[key] = items.filter { !$0.isEmpty }
            }
        }
        // Without the closing line it was no front matter.
        return [:]
    }
}

extension ModelLocation {
    /// Every model that a name finds, in the order in which they are looked for; of equal names the first.
    package static func all() -> [ModelDescription] {
        let manager = FileManager.default
        func children(_ folder: URL) -> [String] { ((try? manager.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() }
        var found: [ModelDescription] = [], seen: Set<String> = []
        func add(_ name: String, _ folder: URL) {
            guard
                manager.fileExists(atPath: folder.appendingPathComponent("config.json").path)
                    || manager.fileExists(atPath: folder.appendingPathComponent("modules.json").path),
                let description = try? ModelDescription(folder: folder, name: name), seen.insert(name).inserted
            else { return }
            found.append(description)
        }
        for place in modelFolders() { for name in children(place) { add(name, place.appendingPathComponent(name)) } }
        for entry in children(huggingFaceCache()) where entry.hasPrefix("models--") {
            let name = entry.dropFirst("models--".count).replacingOccurrences(of: "--", with: "/")
            if let folder = try? folder(for: name) { add(name, folder) }
        }
        return found
    }
}
