import FileFormats
import Foundation
import Glibc

/// The server is a program of its own, so that the toolkit is built and started without an HTTP library.
enum ServerProgram {
    static let name = "kotonoha-serve"

    /// Becomes the server's program, with the same arguments; does not return.
    /// - Throws: `DataError` of kind `unavailable` that says where it was looked for.
    static func become() throws -> Never {
        let places = candidates()
        guard let path = places.first(where: { access($0, X_OK) == 0 }) else {
            throw DataError(
                .unavailable,
                "the server is not installed; looked for \(places.joined(separator: ", ")). tools/install builds and installs it, "
                    + "or KOTONOHA_SERVE names the program", file: name)
        }
        var arguments = ([name] + CommandLine.arguments.dropFirst()).map { strdup($0) }
        arguments.append(nil)
        execv(path, &arguments)
        throw DataError(.unavailable, "the server did not start (\(String(cString: strerror(errno))))", file: path)
    }

    /// Beside this program, and where the package in Server is built.
    private static func candidates() -> [String] {
        if let named = ProcessInfo.processInfo.environment["KOTONOHA_SERVE"], !named.isEmpty { return [named] }
        let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        return [folder.appendingPathComponent(name).path]
    }
}
