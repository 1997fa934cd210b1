/// What the reference's Oniguruma counts to a script and Debian's does not yet, as the inside of a character class, by the script's folded name.
/// Found by tools/unicode/later_scripts.py; scripts that Debian's does not know at all stay unknown.
let laterScripts: [String: String] = [
    "arabic": #"\x{897}\x{10ec2}-\x{10ec4}\x{10efc}-\x{10eff}"#,
    "balinese": #"\x{1b4e}-\x{1b4f}\x{1b7f}"#,
    "common":
        #"\x{2427}-\x{2429}\x{2ffc}-\x{2fff}\x{31e4}-\x{31e5}\x{31ef}\x{1cc00}-\x{1ccf9}\x{1cd00}-\x{1ceb3}"#
        + #"\x{1d2c0}-\x{1d2d3}\x{1f6dc}\x{1f774}-\x{1f776}\x{1f77b}-\x{1f77f}\x{1f7d9}\x{1f8b2}-\x{1f8bb}"#
        + #"\x{1f8c0}-\x{1f8c1}\x{1fa75}-\x{1fa77}\x{1fa87}-\x{1fa89}\x{1fa8f}\x{1faad}-\x{1faaf}\x{1fabb}-\x{1fabf}"#
        + #"\x{1fac6}\x{1face}-\x{1facf}\x{1fada}-\x{1fadc}\x{1fadf}\x{1fae8}-\x{1fae9}\x{1faf7}-\x{1faf8}"#
        + #"\x{1fbcb}-\x{1fbef}"#,
    "cyrillic": #"\x{1c89}-\x{1c8a}\x{1e030}-\x{1e06d}\x{1e08f}"#,
    "devanagari": #"\x{11b00}-\x{11b09}"#,
    "egyptianhieroglyphs": #"\x{1342f}\x{13439}-\x{13455}\x{13460}-\x{143fa}"#,
    "han": #"\x{2b739}\x{2ebf0}-\x{2ee5d}\x{31350}-\x{323af}"#,
    "hiragana": #"\x{1b132}"#,
    "kannada": #"\x{cf3}"#,
    "katakana": #"\x{1b155}"#,
    "khitansmallscript": #"\x{18cff}"#,
    "khojki": #"\x{1123f}-\x{11241}"#,
    "lao": #"\x{ece}"#,
    "latin": #"\x{a7cb}-\x{a7cd}\x{a7da}-\x{a7dc}\x{1df25}-\x{1df2a}"#,
    "myanmar": #"\x{116d0}-\x{116e3}"#,
]
