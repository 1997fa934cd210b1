#!/usr/bin/env python3
"""Texts that the example language models are trained on, out of public data (../shared/data): tools/language-models/prepare.py DATA OUT

Writes en.txt and ja.txt (a sentence per line), held-out-en.txt and held-out-ja.txt (a hundredth of the sentences, chosen by their hash), and
next-ja.tsv (a sentence of a Wikipedia paragraph and the one behind it). Sentences that occur in BLiMP or JBLiMP are left out and counted.
Standard library only.
"""
import csv
import gzip
import hashlib
import json
import pathlib
import re
import sys

SOURCES = {
    "en": [("kyoto-wiki/pairs", "en"), ("tanaka-full/pairs", "en"), ("coco-val2017-en/captions", "en"), ("common-voice/en", "en"), ("jec-basic/pairs", "en")],
    "ja": [("kyoto-wiki/pairs", "ja"), ("tanaka-full/pairs", "ja"), ("jaquad/sentences", "ja"), ("ner-wikipedia/ja", "ja"), ("common-voice/ja", "ja"),
           ("jec-basic/pairs", "ja")],
}


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def tidy(text):
    return re.sub(r"\s+", " ", text).strip()


def is_held_out(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:2], "big") < 655


def measured(data):
    with open(data / "language/blimp/blimp-100.tsv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield from (tidy(row["good"]), tidy(row["bad"]))
    with open(data / "language/jblimp/validated_minimal_pairs.jsonl", encoding="utf-8") as file:
        for row in map(json.loads, file):
            yield from (tidy(row["good_sentence"]), tidy(row["bad_sentence"]))


def main():
    data, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    unwanted, counts = set(measured(data)), {}
    for language, sources in SOURCES.items():
        seen, kept, held, left = set(), [], [], 0
        for name, column in sources:
            for row in rows(data / "corpora" / f"{name}.tsv.gz"):
                text = tidy(row[column])
                if not text or text in seen:
                    continue
                seen.add(text)
                if text in unwanted:
                    left += 1
                else:
                    (held if is_held_out(text) else kept).append(text)
        for name, lines in [(f"{language}.txt", kept), (f"held-out-{language}.txt", held)]:
            (out / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        counts[language] = {"sentences": len(kept), "held_out": len(held), "left_out": left}
    pairs, before = 0, None
    with open(out / "next-ja.tsv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writerow(["first", "second"])
        for row in rows(data / "corpora/jaquad/sentences.tsv.gz"):
            text = tidy(row["ja"])
            if before and before[0] == row["title"] and not any(map(is_held_out, (before[1], text))):
                writer.writerow([before[1], text])
                pairs += 1
            before = (row["title"], text)
    counts["next_ja"] = {"pairs": pairs}
    (out / "counts.json").write_text(json.dumps(counts, indent=1) + "\n")
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
