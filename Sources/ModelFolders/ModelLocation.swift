import FileFormats
import Foundation

/// Finds a model's folder by path or by name.
///
/// Looked through in this order: the path itself; `KOTONOHA_MODELS`; `share/kotonoha/models` next to the installed program; `Models`
/// of the checkout that the program was built in, and of the working folder; the Hugging Face cache (`HF_HUB_CACHE`, `HF_HOME`, the
/// default place).
public enum ModelLocation {
    /// The name of the default model.
    public static let defaultName = "kotonoha-small"

    /// - Throws: `DataError` of kind `noInput` that lists where it looked.
    public static func folder(for name: String) throws -> URL {
        // A folder that happens to be called like a model is not meant, unless it is one or is written as a path.
        if isFolder(name),
            name.contains("/")
                || ["config.json", "modules.json"].contains(where: { FileManager.default.fileExists(atPath: name + "/" + $0) })
        {
            return URL(fileURLWithPath: name)
        }
        if name.hasPrefix("/") || name.hasPrefix("./") || name.hasPrefix("../") || name.hasPrefix("~") {
            throw DataError(.noInput, "no such folder; \(Setting.model) expects a model's folder or name", file: name)
        }
        return try named(name)
    }

    /// Finds a name in the places for models; a folder of that name in the working folder does not count.
    private static func named(_ name: String) throws -> URL {
        for place in modelFolders() {
            let folder = place.appendingPathComponent(name)
            if isFolder(folder.path) { return folder }
        }
        if let folder = inHuggingFaceCache(name) { return folder }
        let places = modelFolders().map(\.path) + [huggingFaceCache().path]
        throw DataError(
            .noInput, "no model of this name; looked in \(places.joined(separator: ", ")). Give its folder, or set KOTONOHA_MODELS",
            file: name)
    }

    /// The default model's folder.
    /// - Throws: `DataError` of kind `noInput` if it is not installed: no other model is used instead, because its vectors would differ.
    package static func defaultFolder() throws -> URL {
        do {
            return try named(defaultName)
        } catch let error as DataError where error.kind == .noInput {
            let places = modelFolders().map(\.path) + [huggingFaceCache().path]
            throw DataError(
                .noInput,
                "the default model is not installed; looked in \(places.joined(separator: ", ")). It is in Models of the project's checkout "
                    + "and in share/kotonoha/models of an installed program: name its folder in KOTONOHA_MODELS, or choose another model",
                file: defaultName)
        }
    }

    /// Folders whose subfolders are models, in order of search; those that exist.
    package static func modelFolders() -> [URL] {
        let environment = ProcessInfo.processInfo.environment
        var places: [URL] = []
        for path in (environment["KOTONOHA_MODELS"] ?? "").split(separator: ":") { places.append(URL(fileURLWithPath: String(path))) }
        let executable = URL(fileURLWithPath: InstalledFiles.executable).resolvingSymlinksInPath()
        if let installed = InstalledFiles.find("models") { places.append(installed) }
        // A program run from a build folder of the checkout (`.build`, `.build-…`) finds the checkout's models.
        var above = executable.deletingLastPathComponent()
        while above.path != "/" {
            if above.lastPathComponent.hasPrefix(".build") {
                places.append(above.deletingLastPathComponent().appendingPathComponent("Models"))
                places.append(above.deletingLastPathComponent().appendingPathComponent("Models/downloaded"))
                break
            }
            above.deleteLastPathComponent()
        }
        places.append(URL(fileURLWithPath: "Models"))
        places.append(URL(fileURLWithPath: "Models/downloaded"))
        var seen: Set<String> = []
        return places.map(\.standardizedFileURL).filter { isFolder($0.path) && seen.insert($0.path).inserted }
    }

    /// The hub cache, whether it exists or not.
    package static func huggingFaceCache() -> URL {
        let environment = ProcessInfo.processInfo.environment
        if let cache = environment["HF_HUB_CACHE"], !cache.isEmpty { return URL(fileURLWithPath: cache) }
        if let home = environment["HF_HOME"], !home.isEmpty { return URL(fileURLWithPath: home).appendingPathComponent("hub") }
        let cache =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
            ?? URL(fileURLWithPath: NSHomeDirectory()).appendingPathComponent(".cache")
        return cache.appendingPathComponent("huggingface/hub")
    }

    /// `models--org--name/snapshots/REVISION`, the revision being what `refs/main` says, else the only one there is.
    private static func inHuggingFaceCache(_ name: String) -> URL? {
        let names = name.contains("/") ? [name] : [name, "sentence-transformers/" + name]
        for candidate in names {
            let repository = huggingFaceCache().appendingPathComponent("models--" + candidate.replacingOccurrences(of: "/", with: "--"))
            let snapshots = repository.appendingPathComponent("snapshots")
            if let revision = try? String(contentsOf: repository.appendingPathComponent("refs/main"), encoding: .utf8) {
                let folder = snapshots.appendingPathComponent(revision.trimmingCharacters(in: .whitespacesAndNewlines))
                if isFolder(folder.path) { return folder }
            }
            let revisions = ((try? FileManager.default.contentsOfDirectory(atPath: snapshots.path)) ?? []).sorted()
            if revisions.count == 1 { return snapshots.appendingPathComponent(revisions[0]) }
        }
        return nil
    }

    private static func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return !path.isEmpty && FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}
