import FileFormats
import Foundation
import Glibc
import Tensors

/// `kotonoha --version --verbose`: what a report of an error should say about the program.
enum VersionReport {
    static func isWanted(_ arguments: some Sequence<String>) -> Bool { arguments.sorted() == ["--verbose", "--version"] }

    /// Lines `key: value`. Commit and packages are known to an archive (`share/kotonoha/release`); a program built from a checkout has none.
    static func text() -> String {
        let program = URL(fileURLWithPath: InstalledFiles.executable).resolvingSymlinksInPath().path
        var lines = ["kotonoha \(KotonohaProgram.version)", "instruction set: \(processorKernels)", "program: \(program)"]
        if let release = InstalledFiles.find("release"), let text = try? String(contentsOf: release, encoding: .utf8) {
            lines += text.split(separator: "\n").map(String.init)
        } else {
            lines.append("commit: not recorded (a build of a checkout)")
        }
        var buffer = [CChar](repeating: 0, count: 64)
        if confstr(Int32(_CS_GNU_LIBC_VERSION), &buffer, buffer.count) > 0 {
            lines.append("C library: \(String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))")
        }
        // Which files the dynamic linker took is what decides; their versions stand in their names or in the archive's record.
        // Files of the kernel have no size, so they are read to their end.
        let handle = FileHandle(forReadingAtPath: "/proc/self/maps")
        guard let maps = try? handle?.readToEnd().map({ String(decoding: $0, as: UTF8.self) }) else {
            return (lines + ["libraries: not known where /proc is not mounted"]).joined(separator: "\n")
        }
        let libraries = Set(
            maps.split(separator: "\n").compactMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } }.filter {
                $0.contains(".so")
            })
        lines += libraries.sorted { ($0 as NSString).lastPathComponent < ($1 as NSString).lastPathComponent }.map { "library: \($0)" }
        return lines.joined(separator: "\n")
    }
}
