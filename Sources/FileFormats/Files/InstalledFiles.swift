import Foundation

/// What an installed program brings along, in `share/kotonoha` next to the folder of the executable.
public enum InstalledFiles {
    /// `share/kotonoha/NAME`, nil if the program is not installed or came without it.
    public static func find(_ name: String) -> URL? {
        let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let place = executable.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("share/kotonoha").appendingPathComponent(name)
        return FileManager.default.fileExists(atPath: place.path) ? place : nil
    }
}
