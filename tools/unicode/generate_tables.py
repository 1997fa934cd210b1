"""Writes Sources/CUnicodeTables/UnicodeTables.c: the Unicode facts that tokenizers depend on.

They are not taken from one release of the Unicode Character Database but asked of the pinned reference programs,
code point by code point, because each of their parts was built from another release:

    tokenizers 0.23.3 (Hugging Face)   normalizers and pre-tokenizers
    Python 3.11 unicodedata 14.0.0     BertJapaneseTokenizer of transformers 5.23.0
    regex 2026.11.15                   grapheme clusters, checked against the Precompiled normalizer by the tests

Run with that environment's Python from the root of the repository: python tools/unicode/generate_tables.py
"""
import struct
import sys
import unicodedata

import regex
import tokenizers
from tokenizers import normalizers, pre_tokenizers

from reference import matching

assert tokenizers.__version__ == "0.23.3" and unicodedata.unidata_version == "14.0.0"
OUTPUT = "Sources/CUnicodeTables/UnicodeTables.c"
ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
BLOCK = 64

# MARK: what Hugging Face tokenizers think of a code point

clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
strip = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
strip_accents, lowercase = normalizers.StripAccents(), normalizers.Lowercase()
nfd, nfkd, nfc = normalizers.NFD(), normalizers.NFKD(), normalizers.NFC()
space_split, bert, digits = pre_tokenizers.WhitespaceSplit(), pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits()
words = pre_tokenizers.Whitespace()


def onig(pattern):
    return matching(pattern, ALL)


whitespace = {c for c in ALL if not space_split.pre_tokenize_str(chr(c))}
# U+0000 and U+FFFD are named in the normalizer itself, but what is removed is all that matters.
other = {c for c in ALL if clean.normalize_str(chr(c)) == ""}
punctuation = {c for c in ALL if c not in whitespace and len(bert.pre_tokenize_str("a" + chr(c))) == 2}
nonspacing = {c for c in ALL if strip.normalize_str(chr(c)) == ""}
combining = {c for c in ALL if strip_accents.normalize_str(chr(c)) == ""}
numeric = {c for c in ALL if len(digits.pre_tokenize_str("a" + chr(c))) == 2}
word = {c for c in ALL if c not in whitespace and len(words.pre_tokenize_str("a" + chr(c))) == 1}
letter, number, onig_space = onig(r"\p{L}"), onig(r"\p{N}"), onig(r"\s")
onig_word = onig(r"\w")
# The order is that of the categories in RegularExpression.swift.
CATEGORIES = "Cn Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split()
onig_category = {}
for i, name in enumerate(CATEGORIES[1:], 1):
    if name != "Cs":
        for c in onig(r"\p{%s}" % name):
            onig_category[c] = i
assert {c for c in onig_category if CATEGORIES[onig_category[c]][0] == "L"} == letter

hf_lower = {c: lowercase.normalize_str(chr(c)) for c in ALL}
hf_canonical = {c: nfd.normalize_str(chr(c)) for c in ALL}
hf_compatible = {c: nfkd.normalize_str(chr(c)) for c in ALL}

# MARK: what Python thinks

py_canonical = {c: unicodedata.normalize("NFD", chr(c)) for c in ALL}
py_compatible = {c: unicodedata.normalize("NFKD", chr(c)) for c in ALL}
py_lower = {c: chr(c).lower() for c in ALL}
category = {c: unicodedata.category(chr(c)) for c in ALL}
py_class = {c: unicodedata.combining(chr(c)) for c in ALL}
py_space = {c for c in ALL if chr(c).isspace()}
py_punctuation = {c for c in ALL if 33 <= c <= 47 or 58 <= c <= 64 or 91 <= c <= 96 or 123 <= c <= 126 or category[c][0] == "P"}
py_control = {c for c in ALL if chr(c) not in "\t\n\r" and category[c][0] == "C"}
py_nonspacing = {c for c in ALL if category[c] == "Mn"}
py_cased = {c for c in ALL if (chr(c) + "\u03a3").lower()[-1] == "\u03c2"}
py_ignorable = {c for c in ALL if c not in py_cased and ("A" + chr(c) + "\u03a3").lower()[-1] == "\u03c2"}
assert {c for c in ALL if not chr(c).strip()} == py_space

# Combining classes never change once given, so a class that Python knows is Hugging Face's too if it reorders at all.
hf_class = {}
for c in ALL:
    k = py_class[c]
    probe = "a\u0345" + chr(c) if k < 240 else "a" + chr(c) + "\u0327"
    hf_class[c] = k if k and nfd.normalize_str(probe) != probe else 0

# MARK: scripts, as classes that join in the UnicodeScripts pre-tokenizer

scripts = pre_tokenizers.UnicodeScripts()


def joined(a, b):
    return len(scripts.pre_tokenize_str(chr(a) + chr(b))) == 1


representatives, script = [], {}
ANY = 0
for c in ALL:
    # A space joins with everything; so does nothing else, and it is told apart by two scripts that do not join.
    if joined(ord("a"), c) and joined(0x4E00, c):
        script[c] = ANY
        continue
    previous = script.get(c - 1, ANY)
    tries = ([previous] if previous != ANY else []) + [i + 1 for i in range(len(representatives))]
    for i in tries:
        if joined(representatives[i - 1], c):
            script[c] = i
            break
    else:
        representatives.append(c)
        script[c] = len(representatives)
assert len(representatives) < 256

# MARK: grapheme clusters

BREAKS = ["Other", "CR", "LF", "Control", "Extend", "ZWJ", "Regional_Indicator", "Prepend", "SpacingMark", "L", "V", "T", "LV", "LVT"]
cluster = {}
everything = "".join(map(chr, ALL))
for i, name in enumerate(BREAKS[1:], 1):
    for m in regex.finditer(r"\p{GCB=%s}" % name, everything):
        cluster[ord(m.group())] = i
# That release is newer than the reference's: a mark that does not join there is not yet assigned there. A character map with the
# one entry a → b shows it, because a cluster is replaced by the entry for its prefix.
units = [0] * 1024
units[0], units[256 ^ 97], units[256 ^ 97 ^ 512] = 256 << 10, 512 << 10 | 1 << 8 | 97, 1 << 31
precompiled = normalizers.Precompiled(struct.pack("<1025I", 4096, *units) + b"b\0")
too_new = set()
for c in ALL:
    joins = cluster.get(c, 0) in (BREAKS.index("Extend"), BREAKS.index("ZWJ"), BREAKS.index("SpacingMark"))
    if (precompiled.normalize_str("a" + chr(c)) == "b") != joins:
        assert joins
        too_new.add(c)
        del cluster[c]
pictographic = {ord(m.group()) for m in regex.finditer(r"\p{Extended_Pictographic}", everything)}
conjunct = {}
for i, name in enumerate(["Consonant", "Linker", "Extend"], 1):
    for m in regex.finditer(r"\p{InCB=%s}" % name, everything):
        if ord(m.group()) not in too_new:
            conjunct[ord(m.group())] = i

# MARK: mappings

HANGUL = range(0xAC00, 0xD7A4)
pool, mappings, mapping_of = [], [(0, 0, 0, 0)], {}


def pooled(text):
    points = [ord(x) for x in text]
    for start in range(len(pool) - len(points) + 1):
        if pool[start:start + len(points)] == points:
            return start
    pool.extend(points)
    return len(pool) - len(points)


hf_no_canonical, hf_no_compatible, py_no_lower = set(), set(), set()
lower_pairs = []
for c in ALL:
    if c in HANGUL:
        assert hf_compatible[c] == py_canonical[c]
        continue
    x = chr(c)
    canonical, compatible = py_canonical[c], py_compatible[c]
    if hf_canonical[c] != canonical:
        assert hf_canonical[c] == x
        hf_no_canonical.add(c)
    if hf_compatible[c] != compatible:
        assert hf_compatible[c] == x
        hf_no_compatible.add(c)
    if compatible != x:
        has_canonical = canonical != x
        entry = (pooled(canonical) if has_canonical else 0, len(canonical) if has_canonical else 0,
                 pooled(compatible), len(compatible))
        mapping_of[c] = len(mappings)
        mappings.append(entry)
for c in ALL:
    if hf_lower[c] != chr(c):
        assert c == 0x130 or len(hf_lower[c]) == 1
        lower_pairs.append((c, ord(hf_lower[c][0])))
        if py_lower[c] != hf_lower[c]:
            assert py_lower[c] == chr(c)
            py_no_lower.add(c)
    else:
        assert py_lower[c] == chr(c)

# Primary composites: a canonical pair that composes back.
compositions = []
for c in ALL:
    if c in HANGUL:
        continue
    d = unicodedata.decomposition(chr(c))
    if d and d[0] != "<" and len(d.split()) == 2:
        a, b = (int(x, 16) for x in d.split())
        if unicodedata.normalize("NFC", chr(a) + chr(b)) == chr(c):
            known = nfc.normalize_str(chr(a) + chr(b)) == chr(c)
            assert known == (c not in hf_no_canonical), hex(c)
            compositions.append((a, b, c))
compositions.sort()

# MARK: records

FLAGS = [whitespace, other, punctuation, nonspacing, combining, numeric, word, letter, number, onig_space,
         onig_word, pictographic, hf_no_canonical, hf_no_compatible]
PY_FLAGS = [py_space, py_punctuation, py_control, py_nonspacing, py_cased, py_ignorable, py_no_lower]
records, record_of, index_of = [], {}, []
lower_of = dict(lower_pairs)
deltas = [0]
for c in range(0x110000):
    if 0xD800 <= c <= 0xDFFF:
        record = (0, 0, 0, 0, 0, 0, 0, CATEGORIES.index("Cs"))
    else:
        delta = lower_of.get(c, c) - c
        if delta not in deltas:
            deltas.append(delta)
        record = (sum(1 << i for i, s in enumerate(FLAGS) if c in s), sum(1 << i for i, s in enumerate(PY_FLAGS) if c in s),
                  hf_class[c], py_class[c], script[c], cluster.get(c, 0) | conjunct.get(c, 0) << 4, deltas.index(delta), onig_category.get(c, 0))
    if record not in record_of:
        record_of[record] = len(records)
        records.append(record)
    index_of.append(record_of[record])


def two_stage(values):
    blocks, first = {}, []
    for i in range(0, len(values), BLOCK):
        block = tuple(values[i:i + BLOCK])
        first.append(blocks.setdefault(block, len(blocks)))
    return first, [v for block in blocks for v in block]


def array(kind, name, values, per_line=24):
    text = [str(v) for v in values]
    lines = [", ".join(text[i:i + per_line]) for i in range(0, len(text), per_line)]
    return f"const {kind} {name}[{len(text)}] = {{\n    " + ",\n    ".join(lines) + "\n};\n"


record_first, record_second = two_stage(index_of)
mapping_first, mapping_second = two_stage([mapping_of.get(c, 0) for c in range(0x110000)])
assert len(records) < 65536 and len(pool) < 65536 and len(deltas) < 65536

parts = [
    "// Generated by tools/unicode/generate_tables.py from tokenizers 0.23.3 and Python's unicodedata 14.0.0; do not edit.\n",
    '#include "UnicodeTables.h"\n',
    array("uint16_t", "kn_record_blocks", record_first),
    array("uint16_t", "kn_record_indices", record_second),
    array("kn_unicode_record", "kn_records", ["{%d,%d,%d,%d,%d,%d,%d,%d}" % (r[0], r[6], r[1], r[2], r[3], r[4], r[5], r[7]) for r in records], 6),
    array("int32_t", "kn_lowercase_deltas", deltas),
    array("uint16_t", "kn_mapping_blocks", mapping_first),
    array("uint16_t", "kn_mapping_indices", mapping_second),
    array("kn_unicode_mapping", "kn_mappings", ["{%d,%d,%d,%d}" % m for m in mappings], 8),
    array("uint32_t", "kn_mapping_pool", pool),
    array("kn_unicode_composition", "kn_compositions", ["{%d,%d,%d}" % c for c in compositions], 8),
    f"const uint32_t kn_composition_count = {len(compositions)};\n",
]
open(OUTPUT, "w").write("\n".join(parts))
print(f"{len(records)} records, {len(record_second)} + {len(mapping_second)} indices, {len(mappings)} mappings, pool {len(pool)}, "
      f"{len(compositions)} compositions, {len(representatives)} scripts, {len(conjunct)} conjuncts, {len(deltas)} deltas", file=sys.stderr)
