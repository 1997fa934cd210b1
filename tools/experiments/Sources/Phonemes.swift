import FileFormats

/// Kana as phonemes, in the notation of the slips' own file: N, q, long vowels with a colon.
func phonemes(ofKana text: String) -> [String]? {
    var result: [String] = []
    for scalar in text.unicodeScalars {
        // Katakana lie 0x60 above hiragana.
        let kana = (0x30A1...0x30F6).contains(scalar.value) ? Character(UnicodeScalar(scalar.value - 0x60) ?? scalar) : Character(scalar)
        if kana == "ー" {
            guard let last = result.popLast() else { return nil }
            result.append(last.hasSuffix(":") ? last : last + ":")
        } else if let vowel = smallVowels[kana] {
            guard result.popLast() != nil else { return nil }
            if "ゃゅょ".contains(kana) {
                guard let consonant = result.popLast() else { return nil }
                result.append(["sh", "ch", "j"].contains(consonant) ? consonant : consonant + "y")
            }
            result.append(vowel)
        } else if let known = kanaPhonemes[kana] {
            if known == ["u"], let last = result.last, last == "o" || last == "u" {
                result[result.count - 1] += ":"
            } else if known == ["o"], result.last == "o" {
                result[result.count - 1] += ":"
            } else {
                result += known
            }
        } else {
            return nil
        }
    }
    return result
}

private let smallVowels: [Character: String] = ["ゃ": "a", "ゅ": "u", "ょ": "o", "ぁ": "a", "ぃ": "i", "ぅ": "u", "ぇ": "e", "ぉ": "o"]

private let kanaPhonemes: [Character: [String]] = {
    var table: [Character: [String]] = [:]
    for (consonant, row) in [
        ("", "あいうえお"), ("k", "かきくけこ"), ("s", "さしすせそ"), ("t", "たちつてと"), ("n", "なにぬねの"), ("h", "はひふへほ"), ("m", "まみむめも"),
        ("y", "や ゆ よ"), ("r", "らりるれろ"), ("w", "わ   を"), ("g", "がぎぐげご"), ("z", "ざじずぜぞ"), ("d", "だぢづでど"), ("b", "ばびぶべぼ"), ("p", "ぱぴぷぺぽ"),
    ] {
        for (kana, vowel) in zip(row, "aiueo") where kana != " " { table[kana] = (consonant.isEmpty ? [] : [consonant]) + [String(vowel)] }
    }
    table.merge([
        "し": ["sh", "i"], "ち": ["ch", "i"], "つ": ["ts", "u"], "ふ": ["f", "u"], "じ": ["j", "i"], "ぢ": ["j", "i"], "づ": ["z", "u"],
        "を": ["o"], "ん": ["N"], "っ": ["q"],
    ]) { $1 }
    return table
}()

/// A mora: its onset (empty for a vowel, N or q) and the rest.
struct Mora: Hashable {
    var onset: String
    var rest: String
    var phonemes: [String] { onset.isEmpty ? [rest] : [onset, rest] }
}

func isVowel(_ phoneme: String) -> Bool { phoneme.first.map { "aiueoE".contains($0) } ?? false }

/// Cuts phonemes into morae: a consonant belongs to the vowel after it; N, q and lone vowels stand alone.
func morae(_ phonemes: [String]) -> [Mora] {
    var result: [Mora] = [], onset = ""
    for phoneme in phonemes {
        if isVowel(phoneme) || phoneme == "N" || phoneme == "q" {
            result.append(Mora(onset: onset, rest: phoneme))
            onset = ""
        } else {
            if !onset.isEmpty { result.append(Mora(onset: onset, rest: "")) }
            onset = phoneme
        }
    }
    if !onset.isEmpty { result.append(Mora(onset: onset, rest: "")) }
    return result
}

/// What kind of slip leads from one form to another, by rule.
enum SlipType: String, CaseIterable {
    case none, exchange, anticipation, perseveration, substitution, other

    /// - exchange: two morae, onsets or rests have changed places, or the same morae stand in another order;
    /// - anticipation, perseveration: one place has the mora, onset or rest of a later or an earlier one (of the nearer, if both);
    /// - substitution: one place has something that the word does not have there or elsewhere; other: everything else.
    init(intended: [String], produced: [String]) {
        let a = morae(intended), b = morae(produced)
        if a == b {
            self = .none
            return
        }
        if intended.sorted() == produced.sorted() {
            self = .exchange
            return
        }
        guard a.count == b.count else {
            self = .other
            return
        }
        let changed = a.indices.filter { a[$0] != b[$0] }
        guard changed.count == 1, let place = changed.first else {
            self = .other
            return
        }
        func has(_ mora: Mora) -> Bool {
            if mora == b[place] { return true }
            if a[place].rest == b[place].rest { return mora.onset == b[place].onset && !mora.onset.isEmpty }
            return a[place].onset == b[place].onset && mora.rest == b[place].rest
        }
        let later = a.indices.first { $0 > place && has(a[$0]) }, earlier = a.indices.last { $0 < place && has(a[$0]) }
        switch (later, earlier) {
        case (let later?, let earlier?): self = later - place <= place - earlier ? .anticipation : .perseveration
        case (_?, nil): self = .anticipation
        case (nil, _?): self = .perseveration
        case (nil, nil): self = .substitution
        }
    }
}

/// One slip of the tongue over phonemes.
struct PhonologicalSlip: Sendable {
    let number: Int
    let intended: [String]
    let produced: [String]
    /// A form that no speaker says, where the file has one.
    let impossible: [String]?

    /// Reads the file; its JSON has bare NaN, which no JSON has, in place of null.
    static func read(_ path: String) throws -> [PhonologicalSlip] {
        let text = try MappedFile(path: path).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.replacing(": NaN", with: ": null")
        let json = try JSON(parsing: text, file: path)
        guard let rows = json.object else { throw DataError(.badData, "expected an object of slips", file: path) }
        return try rows.enumerated().map { index, member in
            func list(_ key: String) throws -> [String] {
                guard let values = member.value[key]?.array?.compactMap(\.string), !values.isEmpty else {
                    throw DataError(.badData, "slip '\(member.key)' has no phonemes in '\(key)'", file: path)
                }
                return values
            }
            return PhonologicalSlip(
                number: Int(member.key) ?? index, intended: try list("phon"), produced: try list("errphon"),
                impossible: member.value["あり得ない"]?.string.flatMap(phonemes(ofKana:)))
        }
    }
}
