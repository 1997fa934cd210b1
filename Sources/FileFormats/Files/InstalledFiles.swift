import CLinux
import Foundation
import Glibc

/// What an installed program brings along, in `share/kotonoha` next to the folder of the executable.
package enum InstalledFiles {
    /// The path of this program, to start it again: `/proc/self/exe` where that can be read. Containers and chroots without `/proc` have
    /// the path with which the program was started, noted before anything changes the working folder.
    package static let executable: String = {
        if access("/proc/self/exe", X_OK) == 0 { return "/proc/self/exe" }
        guard let path = kotonoha_started_as(), let whole = realpath(path, nil) else { return CommandLine.arguments.first ?? "kotonoha" }
        defer { free(whole) }
        return String(cString: whole)
    }()

    /// `share/kotonoha/NAME`, nil if the program is not installed or came without it.
    package static func find(_ name: String) -> URL? {
        let executable = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
        let place = executable.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("share/kotonoha")
            .appendingPathComponent(name)
        return FileManager.default.fileExists(atPath: place.path) ? place : nil
    }
}
