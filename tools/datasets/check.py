#!/usr/bin/env python3
"""Checks the files in Datasets/: shape, spelling conventions and the facts known about them.

Standard library only.  Prints one line a file and a report of what may deserve a look;
ends with status 1 and a list of faults when something is wrong.

    python3 tools/datasets/check.py                      # the checks
    python3 tools/datasets/check.py --report             # with the closest captions and all 決まり字
    python3 tools/datasets/check.py --against FILE.csv   # poems against another table of them
"""

import argparse
import collections
import csv
import itertools
import os
import pathlib
import re
import statistics
import sys
import unicodedata
import zipfile

import stimuli

DATASETS = pathlib.Path(__file__).resolve().parents[2] / "Datasets"

CAPTION_COLUMNS = ["scene", "language", "text"]
VERSES = ["kami1", "kami2", "kami3", "shimo1", "shimo2"]
POEM_COLUMNS = (
    ["number", "poet"]
    + VERSES
    + [verse + "_kana" for verse in VERSES]
    + [verse + "_reading" for verse in VERSES]
)
SLIP_COLUMNS = ["intended", "produced", "type", "level", "unit", "status", "note"]

# Morae of a verse where it has more than the metre asks for (字余り): (poem, verse) -> morae.
METRE = (5, 7, 5, 7, 7)
EXTRA_MORAE = {
    (1, 3): 6, (4, 1): 6, (4, 2): 8, (9, 1): 6, (11, 3): 6, (15, 2): 8, (16, 3): 6, (20, 5): 8, (21, 4): 8,
    (21, 5): 8, (22, 5): 8, (23, 5): 8, (24, 2): 8, (25, 1): 6, (26, 3): 6, (28, 5): 8, (29, 1): 6,
    (31, 2): 8, (38, 5): 8, (40, 2): 8, (48, 1): 6, (49, 5): 8, (55, 1): 6, (57, 1): 6, (70, 2): 8,
    (73, 5): 8, (74, 3): 6, (75, 1): 6, (76, 2): 8, (77, 5): 8, (79, 4): 8, (80, 5): 8, (85, 2): 8,
    (92, 3): 6, (99, 4): 8,
}

# Number of poems decided by the first 1, 2, ... 6 kana as they are read aloud.
DECIDING_LENGTHS = {1: 7, 2: 42, 3: 37, 4: 6, 5: 2, 6: 6}
ONE_KANA_POEMS = "むすめふさほせ"

SMALL = set("ゃゅょぁぃぅぇぉゎ")
KANA = set("あいうえおかきくけこがぎぐげごさしすせそざじずぜぞたちつてとだぢづでど"
           "なにぬねのはひふへほばびぶべぼぱぴぷぺぽまみむめもやゆよらりるれろわゐゑをん") | SMALL


class Faults:
    def __init__(self):
        self.found = []

    def expect(self, condition, where, message):
        if not condition:
            self.found.append(f"{where}: {message}")
        return condition


def read_table(name, columns, faults):
    """The rows of a tab-separated file as dictionaries with the line number under `line`."""
    path = DATASETS / name
    raw = path.read_bytes()
    faults.expect(not raw.startswith(b"\xef\xbb\xbf"), name, "begins with a byte-order mark")
    faults.expect(b"\r" not in raw, name, "contains a carriage return")
    faults.expect(raw.endswith(b"\n") and not raw.endswith(b"\n\n"), name, "must end with one line feed")
    text = raw.decode("utf-8")
    faults.expect(unicodedata.is_normalized("NFC", text), name, "is not in Unicode form NFC")
    lines = text[:-1].split("\n")
    if not faults.expect(lines[0].split("\t") == columns, f"{name}:1", f"header is not {columns}"):
        return []
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        where = f"{name}:{number}"
        if not faults.expect(len(cells) == len(columns), where, f"{len(cells)} columns, expected {len(columns)}"):
            continue
        for cell, column in zip(cells, columns):
            faults.expect(cell != "", where, f"{column} is empty")
            faults.expect(cell == cell.strip(), where, f"{column} begins or ends with a space")
            faults.expect(not any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn") for c in cell),
                          where, f"{column} contains a control or unassigned character")
        rows.append(dict(zip(columns, cells), line=number))
    return rows


# Captions

def words_only(text):
    return re.sub(r"\W", "", text.lower())


def pairs_of_characters(text):
    return {text[i:i + 2] for i in range(len(text) - 1) if not re.search(r"\W", text[i:i + 2])}


def overlap(first, second):
    """Jaccard index of the character bigrams that touch no punctuation."""
    a, b = pairs_of_characters(first), pairs_of_characters(second)
    return len(a & b) / len(a | b) if a | b else 1.0


def check_captions(faults, report):
    name = "captions.tsv"
    rows = read_table(name, CAPTION_COLUMNS, faults)
    scenes = collections.OrderedDict()
    seen = {}
    previous = None
    for row in rows:
        where = f"{name}:{row['line']}"
        faults.expect(re.fullmatch(r"[a-z]+(-[a-z]+)*", row["scene"]), where, "scene is not a short ASCII name")
        faults.expect(row["language"] in ("ja", "en"), where, "language is neither ja nor en")
        faults.expect(row["scene"] == previous or row["scene"] not in scenes, where, "scene is not in one block")
        previous = row["scene"]
        japanese = re.search(r"[ぁ-ゖァ-ヺ]", row["text"]) is not None
        faults.expect(japanese == (row["language"] == "ja"), where, "text is not in the language named")
        key = words_only(row["text"])
        faults.expect(key not in seen, where, f"same caption as line {seen.get(key)}")
        seen[key] = row["line"]
        scenes.setdefault(row["scene"], collections.defaultdict(list))[row["language"]].append(row["text"])
    faults.expect(len(scenes) == 100, name, f"{len(scenes)} scenes, expected 100")
    faults.expect(len(rows) == 700, name, f"{len(rows)} captions, expected 700")
    closest = []
    for scene, texts in scenes.items():
        faults.expect(len(texts["ja"]) == 5 and len(texts["en"]) == 2, f"{name} {scene}",
                      f"{len(texts['ja'])} Japanese and {len(texts['en'])} English captions, expected 5 and 2")
        for language, captions in texts.items():
            # English shares bigrams by spelling alone, so its limit is looser.
            limit = 0.25 if language == "ja" else 0.45
            for a, b in itertools.combinations(captions, 2):
                shared = overlap(a, b)
                closest.append((shared / limit, shared, scene, a, b))
                faults.expect(shared <= limit, f"{name} {scene}", f"too similar ({shared:.2f}): {a} | {b}")
    print(f"{name}: {len(scenes)} scenes, {len(rows)} captions")
    for language in ("ja", "en"):
        lengths = [len(row["text"]) for row in rows if row["language"] == language]
        if lengths:
            shares = [s for _, s, scene, a, b in closest if (a in scenes[scene][language])]
            print(f"  {language}: characters min {min(lengths)}, median {statistics.median(lengths):g}, "
                  f"max {max(lengths)}; bigram overlap within a scene mean {statistics.mean(shares):.3f}, "
                  f"max {max(shares):.3f}")
    if report:
        for _, shared, scene, a, b in sorted(closest, reverse=True)[:20]:
            print(f"  {shared:.2f} {scene}\n       {a}\n       {b}")


# Poems

def morae(kana):
    return sum(character not in SMALL for character in kana)


def deciding_lengths(poems):
    """For each poem the number of kana after which no other poem begins alike."""
    lengths = []
    for poem in poems:
        length = 1
        while any(other is not poem and other[:length] == poem[:length] for other in poems):
            length += 1
        lengths.append(length)
    return lengths


def check_poems(faults, report):
    name = "hyakunin-isshu.tsv"
    rows = read_table(name, POEM_COLUMNS, faults)
    faults.expect([row["number"] for row in rows] == [str(n) for n in range(1, 101)], name,
                  "numbers are not 1 to 100 in order")
    for column in ("poet",):
        repeated = [k for k, n in collections.Counter(row[column] for row in rows).items() if n > 1]
        faults.expect(not repeated, name, f"{column} repeated: {repeated}")
    extra = {}
    for row in rows:
        where = f"{name}:{row['line']}"
        for index, verse in enumerate(VERSES):
            kana, reading = row[verse + "_kana"], row[verse + "_reading"]
            for label, text in (("kana", kana), ("reading", reading)):
                odd = set(text) - KANA
                faults.expect(not odd, where, f"{verse}_{label} contains {''.join(sorted(odd))}")
            faults.expect(not set(kana) & (SMALL | {"ん"}), where, f"{verse}_kana is not in historical spelling")
            faults.expect(not set(reading) & set("ゐゑをぢづ"), where, f"{verse}_reading is not written as spoken")
            faults.expect(morae(kana) == morae(reading), where, f"{verse}: kana and reading differ in length")
            if morae(kana) != METRE[index]:
                extra[int(row["number"]), index + 1] = morae(kana)
            # What the kanji text spells in kana must occur in the kana, in that order.
            spelled = ".*".join(re.findall(r"[ぁ-ゖ]+", row[verse]))
            faults.expect(re.search(spelled, kana), where, f"{verse}: {row[verse]} does not fit {kana}")
    for place in sorted(set(extra) | set(EXTRA_MORAE)):
        faults.expect(extra.get(place) == EXTRA_MORAE.get(place), f"{name} poem {place[0]} verse {place[1]}",
                      f"{extra.get(place, 'regular')} morae, listed {EXTRA_MORAE.get(place, 'regular')}")
    print(f"{name}: {len(rows)} poems, {len(extra)} verses longer than the metre")
    for label, suffix in (("as read aloud", "_reading"), ("historical spelling", "_kana")):
        poems = ["".join(row[verse + suffix] for verse in VERSES) for row in rows]
        if not faults.expect(len(set(poems)) == len(poems), name, f"two poems are equal ({label})"):
            continue
        lengths = deciding_lengths(poems)
        counts = dict(sorted(collections.Counter(lengths).items()))
        print(f"  決まり字 {label}: " + ", ".join(f"{k} kana {n}" for k, n in counts.items()))
        if suffix == "_reading":
            faults.expect(counts == DECIDING_LENGTHS, name, f"決まり字 {counts}, known are {DECIDING_LENGTHS}")
            single = {poem[0] for poem, length in zip(poems, lengths) if length == 1}
            faults.expect(single == set(ONE_KANA_POEMS), name, f"poems decided by one kana: {single}")
        if report:
            print("   ", " ".join(sorted(poem[:length] for poem, length in zip(poems, lengths))))


def compare_poems(path):
    """Lists every verse that differs from another table (columns number, author, verse_N, verse_N_hiragana)."""
    rows = {row["poet"]: row for row in read_table("hyakunin-isshu.tsv", POEM_COLUMNS, Faults())}
    with open(path, encoding="utf-8", newline="") as file:
        others = {row["author"]: row for row in csv.DictReader(file)}
    for poet in sorted(set(rows) ^ set(others)):
        print(f"only in one table: {poet}")
    for poet, row in rows.items():
        other = others.get(poet)
        if other is None:
            continue
        if other["number"] != row["number"]:
            print(f"{row['number']}: numbered {other['number']} there")
        for index, verse in enumerate(VERSES, start=1):
            for ours, theirs in ((row[verse + "_kana"], other[f"verse_{index}_hiragana"]),
                                 (row[verse], other[f"verse_{index}"])):
                if ours != theirs:
                    print(f"{row['number']}.{index}: {ours} | {theirs}")


# Slips

def check_slips(faults):
    name = "speech-errors.tsv"
    rows = read_table(name, SLIP_COLUMNS, faults)
    allowed = {
        "type": {"exchange", "anticipation", "perseveration", "substitution", "blend", "other"},
        "level": {"horizontal", "vertical"},
        "unit": {"sound", "morpheme", "word"},
        "status": {"attested", "pair", "constructed"},
    }
    level_of = {"exchange": "horizontal", "anticipation": "horizontal", "perseveration": "horizontal",
                "substitution": "vertical", "blend": "vertical"}
    seen = set()
    for row in rows:
        where = f"{name}:{row['line']}"
        for column, values in allowed.items():
            faults.expect(row[column] in values, where, f"{column} is {row[column]}, not one of {sorted(values)}")
        faults.expect(level_of.get(row["type"], row["level"]) == row["level"], where, "type and level do not agree")
        faults.expect(row["intended"] != row["produced"], where, "intended equals produced")
        faults.expect((row["intended"], row["produced"]) not in seen, where, "occurs twice")
        faults.expect(("constructed" in row["note"]) == (row["status"] != "attested"), where,
                      "status and note do not agree on what was constructed")
        seen.add((row["intended"], row["produced"]))
    counts = collections.Counter((row["status"], row["level"], row["type"]) for row in rows)
    print(f"{name}: {len(rows)} slips")
    for (status, level, kind), number in sorted(counts.items()):
        print(f"  {status:<12}{level:<11}{kind:<14}{number}")


def check_scenes(faults):
    """Five captions a scene, and none that repeats a stretch of captions.tsv, on which models are measured."""
    def stretches(language, text):
        if language == "ja":
            return {text[k:k + 10] for k in range(len(text) - 9)}
        words = re.findall("[a-z']+", text.lower())
        return {" ".join(words[k:k + 6]) for k in range(len(words) - 5)}

    columns = ["scene", "language", "text"]
    measured = read_table("captions.tsv", columns, faults)
    rows = read_table("scenes-train.tsv", columns, faults)
    known = {(row["language"], stretch) for row in measured for stretch in stretches(row["language"], row["text"])}
    names = {row["scene"] for row in measured}
    scenes, texts = collections.defaultdict(list), set()
    for row in rows:
        where = f"scenes-train.tsv:{row['line']}"
        scenes[row["scene"]].append(row["language"])
        faults.expect(row["text"] not in texts, where, "the caption occurs twice")
        faults.expect(row["scene"] not in names, where, "the scene is one of captions.tsv")
        faults.expect(not any((row["language"], s) in known for s in stretches(row["language"], row["text"])), where, "repeats a stretch of captions.tsv")
        texts.add(row["text"])
    for scene, languages in scenes.items():
        faults.expect(languages == ["ja"] * 3 + ["en"] * 2, "scenes-train.tsv", f"{scene} has the languages {languages}")
    held = (DATASETS / "scenes-held-out.txt").read_text(encoding="utf-8").split("\n")[:-1]
    faults.expect(len(set(held)) == len(held) == 100 and held == sorted(held), "scenes-held-out.txt", "is not 100 scenes in order, each once")
    for scene in held:
        faults.expect(scene in scenes, "scenes-held-out.txt", f"{scene} is not in scenes-train.tsv")
    print(f"scenes-train.tsv: {len(rows)} captions of {len(scenes)} scenes, {len(held)} of them held out")


def check_stimuli(faults):
    """48 items, each once in both conditions, whose two sentences differ in one stretch of characters."""
    rows = read_table("stimuli.tsv", ["番号", "条件", "文"], faults)
    items = collections.defaultdict(dict)
    for row in rows:
        if row["条件"] in items[row["番号"]]:
            faults.expect(False, "stimuli.tsv", f"item {row['番号']} stands twice in condition {row['条件']}")
        items[row["番号"]][row["条件"]] = row["文"]
    if list(items) != [str(k) for k in range(1, 49)]:
        faults.expect(False, "stimuli.tsv", "items are not 1 to 48 in order")
    for item, sentences in items.items():
        if set(sentences) != {"適切", "不適切"}:
            faults.expect(False, "stimuli.tsv", f"item {item} has conditions {sorted(sentences)}")
            continue
        a, b = sentences["適切"], sentences["不適切"]
        head = len(os.path.commonprefix([a, b]))
        tail = len(os.path.commonprefix([a[head:][::-1], b[head:][::-1]]))
        if a == b or max(len(a), len(b)) - head - tail > 6:
            faults.expect(False, "stimuli.tsv", f"item {item}: the sentences differ in more than one word: {a} {b}")
    lengths = {c: statistics.mean(len(s[c]) for s in items.values() if c in s) for c in ("適切", "不適切")}
    if abs(lengths["適切"] - lengths["不適切"]) > 0.5:
        faults.expect(False, "stimuli.tsv", f"mean lengths differ: {lengths}")
    table = (DATASETS / "stimuli.tsv").read_text(encoding="utf-8").splitlines()
    with zipfile.ZipFile(DATASETS / "stimuli.xlsx") as archive:
        for name, text in stimuli.parts([line.split("\t") for line in table]):
            faults.expect(archive.read(name).decode("utf-8") == stimuli.HEAD + text, "stimuli.xlsx", f"{name} is not what tools/datasets/stimuli.py makes of the table")
    print(f"stimuli.tsv: {len(rows)} sentences, {len(items)} items, mean length {lengths['適切']:.2f} and {lengths['不適切']:.2f} characters")


# Words

def check_words(faults):
    name = "word-categories.tsv"
    rows = read_table(name, ["word", "category"], faults)
    categories = collections.Counter(row["category"] for row in rows)
    seen = set()
    for row in rows:
        faults.expect(row["word"] not in seen, f"{name}:{row['line']}", "occurs twice")
        seen.add(row["word"])
    faults.expect(set(categories.values()) == {12} and len(categories) == 10, name, f"categories are {dict(categories)}, not ten of twelve")
    print(f"{name}: {len(rows)} words in {len(categories)} categories")


def main():
    parser = argparse.ArgumentParser(description="Checks the files in Datasets/.")
    parser.add_argument("--report", action="store_true", help="also print the closest captions and all 決まり字")
    parser.add_argument("--against", metavar="FILE.csv", help="list the differences of the poems from another table")
    arguments = parser.parse_args()
    if arguments.against:
        compare_poems(arguments.against)
        return
    faults = Faults()
    check_captions(faults, arguments.report)
    check_poems(faults, arguments.report)
    check_slips(faults)
    check_scenes(faults)
    check_stimuli(faults)
    check_words(faults)
    for fault in faults.found:
        print("FAULT", fault, file=sys.stderr)
    sys.exit(1 if faults.found else 0)


if __name__ == "__main__":
    main()
