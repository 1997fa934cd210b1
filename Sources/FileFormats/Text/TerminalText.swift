extension String {
    /// The text as a terminal may show it: characters that steer a terminal (C0, C1, DEL) or turn the direction of writing are spelled
    /// out as `\u001B`; tabs and line ends stay. Data from strangers can then neither hide, recolour nor overwrite what is next to it.
    ///
    /// - Complexity: O(length); nothing is copied where nothing is spelled out.
    package var escapedForTerminal: String {
        guard unicodeScalars.contains(where: Self.steersTerminal) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if Self.steersTerminal(scalar) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func steersTerminal(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F..<0xA0: true
        // Arabic letter mark, left-to-right and right-to-left marks, embeddings, overrides, isolates.
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
