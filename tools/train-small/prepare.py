#!/usr/bin/env python3
"""Tables that kotonoha-small is trained on, out of the public data sets (../shared/data): tools/train-small/prepare.py DATA OUT

Leaves out, and counts, every training row with a sentence that also occurs in a dev or valid file, in multi30k or in
Datasets/captions.tsv (compared after NFKC, lower case and without spaces). Standard library only.
"""
import csv
import json
import pathlib
import re
import sys
import unicodedata

data, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
root = pathlib.Path(__file__).resolve().parents[2]
out.mkdir(parents=True, exist_ok=True)


def plain(sentence):
    return re.sub(r"[\s。.!?！？]+", "", unicodedata.normalize("NFKC", sentence).lower())


def tidy(sentence):
    return re.sub(r"\s+", " ", sentence).strip()


def english(tokenized):
    """Puts tokenized lower-case English together as people write it."""
    text = tidy(tokenized)
    text = re.sub(r" (n't|'[a-z]+|')\b", r"\1", text)
    text = re.sub(r"(\w) 't\b", r"\1't", text)
    text = re.sub(r" ([.,!?;:%)])", r"\1", text)
    return re.sub(r"([(]) ", r"\1", text)


def japanese(tokenized):
    """Takes out the spaces between words, except between two words in Latin letters."""
    return re.sub(r"(?<![A-Za-z0-9]) | (?![A-Za-z0-9])", "", tidy(tokenized))


def lines(path):
    return [line.rstrip("\r\n") for line in open(path, encoding="utf-8")]


def stsb(name):
    with open(data / "stsb" / name, encoding="utf-8", newline="") as file:
        return [(tidy(a), tidy(b), float(s)) for a, b, s in csv.reader(file)]


def jsts_rows(name):
    return [json.loads(line) for line in open(data / "jglue" / name, encoding="utf-8")]


def jsts(name):
    rows = jsts_rows(name)
    return [(tidy(r["sentence1"]), tidy(r["sentence2"]), float(r["label"])) for r in rows]


def photographs(rows):
    """For each row of JSTS the photographs that its captions belong to: `image-caption-caption`, or `image_image-caption-caption`."""
    ids = [row["yjcaptions_id"] for row in rows]
    return [set(i.split("-")[0].split("_")) for i in ids]


def tanaka(split):
    pairs = zip(lines(data / f"tanaka/{split}.en"), lines(data / f"tanaka/{split}.ja"), strict=True)
    return [(english(e), japanese(j)) for e, j in pairs]


with open(data / "jsick/jsick-train.tsv", encoding="utf-8", newline="") as file:
    jsick = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

# What nothing may be trained on.
unseen = {}
for name, sentences in {
    "jsts-valid": [s for r in jsts("jsts-valid-v1.3.json") for s in r[:2]],
    "jnli-valid": [s for line in open(data / "jglue/jnli-valid-v1.3.json", encoding="utf-8") for s in (json.loads(line)["sentence1"], json.loads(line)["sentence2"])],
    "stsb-en-dev": [s for r in stsb("stsb-en-dev.csv") for s in r[:2]],
    "stsb-ja-dev": [s for r in stsb("stsb-ja-dev.csv") for s in r[:2]],
    "tanaka-dev": [s for r in tanaka("dev") for s in r],
    "multi30k": [s for f in sorted((data / "multi30k").glob("*.en")) for s in lines(f)],
    "captions": [line.split("\t")[2] for line in lines(root / "Datasets/captions.tsv")[1:]],
}.items():
    for sentence in sentences:
        unseen.setdefault(plain(sentence), name)

counts, dropped = {}, {}


def write(name, header, rows):
    kept = []
    for row in rows:
        clash = next((unseen[plain(cell)] for cell in row if isinstance(cell, str) and plain(cell) in unseen), None)
        if any(isinstance(cell, str) and not plain(cell) for cell in row):
            dropped[f"{name}: empty"] = dropped.get(f"{name}: empty", 0) + 1
        elif clash:
            dropped[f"{name}: in {clash}"] = dropped.get(f"{name}: in {clash}", 0) + 1
        else:
            kept.append(row)
    counts[name] = len(kept)
    with open(out / f"{name}.tsv", "w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(header) + "\n")
        for row in kept:
            file.write("\t".join(str(c).replace("\t", " ") for c in row) + "\n")
    return kept


def dev(name, header, rows):
    with open(out / f"{name}.tsv", "w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(header) + "\n")
        for row in rows:
            file.write("\t".join(str(c).replace("\t", " ") for c in row) + "\n")


# Parallel sentences, each pair once
parallel = dict.fromkeys(tanaka("train"))
sts_en, sts_ja = stsb("stsb-en-train.csv"), stsb("stsb-ja-train.csv")
described = {}
for e, j in zip(sts_en, sts_ja, strict=True):
    described[(e[0], j[0])] = described[(e[1], j[1])] = None
for row in jsick:
    for side in "AB":
        described[(tidy(row[f"sentence_{side}_En"]), tidy(row[f"sentence_{side}_Ja"]))] = None
everything = write("tanaka", ("en", "ja"), parallel)
everything += write("described", ("en", "ja"), described)

# Scored pairs
scored = ("first", "second", "score")
train = jsts("jsts-train-v1.3.json")
everything_scored = write("jsts", scored, train)
write("jsts-close", ("first", "second"), [r[:2] for r in train if r[2] >= 3.6 and plain(r[0]) != plain(r[1])])
# Two people's captions of one photograph; none of a photograph that valid has as well.
shown = photographs(jsts_rows("jsts-train-v1.3.json"))
valid, held = jsts("jsts-valid-v1.3.json"), photographs(jsts_rows("jsts-valid-v1.3.json"))
write("jsts-photo", ("first", "second"),
      [r[:2] for r, images in zip(train, shown, strict=True) if len(images) == 1 and not images & set().union(*held) and plain(r[0]) != plain(r[1])])
both = []
for e, j in zip(sts_en, sts_ja, strict=True):
    both += [e, j, (e[0], j[1], e[2]), (j[0], e[1], e[2])]
write("stsb", scored, both)
rows = []
for r in jsick:
    ae, be, aj, bj = (tidy(r[k]) for k in ("sentence_A_En", "sentence_B_En", "sentence_A_Ja", "sentence_B_Ja"))
    se, sj = float(r["relatedness_score_En"]), float(r["relatedness_score_Ja"])
    rows += [(ae, be, se), (aj, bj, sj)]
write("jsick", scored, rows)

# All text, each sentence once: for the vocabulary and for masked words
sentences = dict.fromkeys([s for r in everything for s in r] + [s for r in everything_scored for s in r[:2]])
with open(out / "text.txt", "w", encoding="utf-8", newline="\n") as file:
    file.writelines(s + "\n" for s in sentences)
counts["text"] = len(sentences)

dev("dev-jsts", scored, valid)
# One pair a photograph.
dev("dev-photo", ("first", "second"), [r[:2] for i, r in enumerate(valid) if len(held[i]) == 1 and held[i] not in [h for h in held[:i] if len(h) == 1]])
dev("dev-stsb-en", scored, stsb("stsb-en-dev.csv"))
dev("dev-stsb-ja", scored, stsb("stsb-ja-dev.csv"))
dev("dev-tanaka", ("en", "ja"), tanaka("dev"))
(out / "counts.json").write_text(json.dumps({"rows": counts, "left out": dropped}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
print(json.dumps({"rows": counts, "left out": dropped}, indent=1, ensure_ascii=False))
