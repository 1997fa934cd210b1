#!/usr/bin/env python3
"""Tables that kotonoha-small is trained on, out of public data (../shared/data) and Datasets/: tools/train-small/prepare.py DATA OUT

Leaves out, and counts, every training row with a sentence that also occurs in a development file, in JNLI valid, in multi30k, in
Datasets/captions.tsv, among the held-out scenes or in the held-out third of STS-B train (compared after NFKC, lower case and without spaces
and stops). Standard library only; a seed fixes every choice.
"""
import csv
import gzip
import json
import pathlib
import random
import re
import sys
import unicodedata

root = pathlib.Path(__file__).resolve().parents[2]
here = pathlib.Path(__file__).resolve().parent


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


class Data:
    """The sources, as rows."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def stsb(self, name):
        with open(self.folder / "stsb" / name, encoding="utf-8", newline="") as file:
            return [(tidy(a), tidy(b), float(s)) for a, b, s in csv.reader(file)]

    def jsts_rows(self, name):
        return [json.loads(line) for line in open(self.folder / "jglue" / name, encoding="utf-8")]

    def jsts(self, name):
        return [(tidy(r["sentence1"]), tidy(r["sentence2"]), float(r["label"])) for r in self.jsts_rows(name)]

    def tanaka_dev(self):
        pairs = zip(lines(self.folder / "tanaka/dev.en"), lines(self.folder / "tanaka/dev.ja"), strict=True)
        return [(japanese(j), english(e)) for e, j in pairs]

    def corpus(self, name, *columns):
        """Some columns of corpora/NAME.tsv.gz."""
        with gzip.open(self.folder / "corpora" / (name + ".tsv.gz"), "rt", encoding="utf-8", newline="\n") as file:
            header = next(file).rstrip("\n").split("\t")
            places = [header.index(column) for column in columns]
            for line in file:
                cells = line.rstrip("\n").split("\t")
                yield tuple(tidy(cells[place]) for place in places)


def photographs(rows):
    """For each row of JSTS the photographs that its captions belong to: `image-caption-caption`, or `image_image-caption-caption`."""
    return [set(row["yjcaptions_id"].split("-")[0].split("_")) for row in rows]


def scenes():
    """Datasets/scenes-train.tsv as {scene: {"ja": […], "en": […]}}, all of it, and the names of those that nothing is trained on."""
    found = {}
    for line in lines(root / "Datasets/scenes-train.tsv")[1:]:
        scene, language, text = line.split("\t")
        found.setdefault(scene, {"ja": [], "en": []})[language].append(text)
    return found, set(lines(root / "Datasets/scenes-held-out.txt"))


def stsb_held_out():
    """Row numbers (from 1) of STS-B train that nothing is trained on."""
    return {int(line) for line in lines(here / "stsb-held-out.txt")}


def unseen(data):
    """What nothing may be trained on: plain sentence → where it is from."""
    held = stsb_held_out()
    shown, left_out = scenes()
    sources = {
        "jsts-valid": [s for r in data.jsts("jsts-valid-v1.3.json") for s in r[:2]],
        "jnli-valid": [tidy(r[k]) for r in data.jsts_rows("jnli-valid-v1.3.json") for k in ("sentence1", "sentence2")],
        "stsb-en-dev": [s for r in data.stsb("stsb-en-dev.csv") for s in r[:2]],
        "stsb-ja-dev": [s for r in data.stsb("stsb-ja-dev.csv") for s in r[:2]],
        "stsb-held-out": [s for k in ("en", "ja") for i, r in enumerate(data.stsb(f"stsb-{k}-train.csv"), 1) if i in held for s in r[:2]],
        "tanaka-dev": [s for r in data.tanaka_dev() for s in r],
        "multi30k": [s for f in sorted((data.folder / "multi30k").glob("*.en")) for s in lines(f)],
        "captions": [line.split("\t")[2] for line in lines(root / "Datasets/captions.tsv")[1:]],
        "scenes-held-out": [s for name in left_out for side in shown[name].values() for s in side],
    }
    found = {}
    for name, sentences in sources.items():
        for sentence in sentences:
            found.setdefault(plain(sentence), name)
    found.pop("", None)
    return found


class Tables:
    """Writes the training tables without what is unseen, and counts."""

    def __init__(self, out, unseen):
        self.out, self.unseen, self.counts, self.dropped = out, unseen, {}, {}
        out.mkdir(parents=True, exist_ok=True)

    def plainly(self, name, header, rows):
        with open(self.out / f"{name}.tsv", "w", encoding="utf-8", newline="\n") as file:
            file.write("\t".join(header) + "\n")
            for row in rows:
                file.write("\t".join(str(c).replace("\t", " ") for c in row) + "\n")

    def write(self, name, header, rows):
        kept, sentences = [], [i for i, column in enumerate(header) if column not in ("score", "group")]
        for row in dict.fromkeys(rows):
            keys = [plain(row[i]) for i in sentences]
            reason = "empty" if not all(keys) else next((f"in {self.unseen[key]}" for key in keys if key in self.unseen), None)
            if reason:
                self.dropped[f"{name}: {reason}"] = self.dropped.get(f"{name}: {reason}", 0) + 1
            else:
                kept.append(row)
        self.counts[name] = len(kept)
        self.plainly(name, header, kept)
        return kept


def glossary(data, draw):
    """Words with words and with their explanations: pairs that mean about the same."""
    def first(gloss, most=2):
        parts = [re.sub(r"\([^)]*\)", "", part).strip() for part in gloss.split(";")]
        return "; ".join([part for part in parts if part][:most])

    rows, rare = [], []
    for word, gloss, common in data.corpus("edict/words", "word", "gloss", "common"):
        (rows if common == "1" else rare).append((word, first(gloss)))
    rows += draw.sample(rare, 5_000)
    for ja, lemmas in data.corpus("wordnet-ja-wikt/words", "ja", "en_lemmas"):
        rows.append((ja, first(lemmas.replace("_", " "))))
    for ja, en in data.corpus("cldr-emoji/emoji", "ja_name", "en_name"):
        rows.append((ja, en))
    for (words,) in data.corpus("sudachi-synonyms/groups", "words"):
        group = [w for w in words.split("; ") if w]
        if len(group) > 1:
            rows += sorted({tuple(draw.sample(group, 2)) for _ in range(min(2, len(group) - 1))})
    entries = [[cell.split(";")[0] for cell in row] for row in data.corpus("wordnet-en/glosses", "lemmas", "gloss")]
    rows += draw.sample([(lemma, gloss) for lemma, gloss in entries if " " not in lemma and "_" not in lemma], 4_000)
    return draw.sample(rows, 40_000)


def main(folder, out):
    data, out, draw = Data(folder), pathlib.Path(out), random.Random(20261126)
    tables = Tables(out, unseen(data))
    write, held = tables.write, stsb_held_out()

    # Parallel sentences. Those of one pair mean the same, so they share their teacher's vector.
    pairs = [p for p in data.corpus("tanaka-full/pairs", "ja", "en") if len(p[0]) <= 40 and len(p[1]) <= 90]
    text = write("tanaka", ("ja", "en"), draw.sample(pairs, 60_000) + list(data.corpus("jec-basic/pairs", "ja", "en")))
    kyoto = [p for p in data.corpus("kyoto-wiki/pairs", "ja", "en") if len(p[0]) <= 30 and len(p[1]) <= 90]
    text += write("kyoto", ("ja", "en"), draw.sample(kyoto, 3_000))
    sides = zip(data.stsb("stsb-en-train.csv"), data.stsb("stsb-ja-train.csv"), strict=True)
    both = [pair for i, pair in enumerate(sides, 1) if i not in held]
    text += write("described", ("ja", "en"), [(j[k], e[k]) for e, j in both for k in (0, 1)])
    text += write("glossary", ("first", "second"), glossary(data, draw))

    # Scored pairs.
    scored = ("first", "second", "score")
    train = data.jsts("jsts-train-v1.3.json")
    scored_text = write("jsts", scored, train)
    scored_text += write("stsb", scored, [r for e, j in both for r in (e, j, (e[0], j[1], e[2]), (j[0], e[1], e[2]))])

    # Captions of one photograph or of one imagined scene; `group` says which, so that the others of it are not negatives.
    caption = ("first", "second", "group")
    shown, valid_rows = photographs(data.jsts_rows("jsts-train-v1.3.json")), data.jsts_rows("jsts-valid-v1.3.json")
    valid, valid_shown = data.jsts("jsts-valid-v1.3.json"), photographs(valid_rows)
    seen_in_valid = set().union(*valid_shown)
    captions = write("photo", caption, [(r[0], r[1], min(images)) for r, images in zip(train, shown, strict=True)
                                        if len(images) == 1 and not images & seen_in_valid and plain(r[0]) != plain(r[1])])
    imagined, left_out = scenes()
    rows = []
    for name, sides in imagined.items():
        if name not in left_out:
            everything = sides["ja"] + sides["en"]
            rows += [(a, b, name) for i, a in enumerate(everything) for b in everything[i + 1:]]
    captions += write("scenes", caption, rows)
    by_image = {}
    for image, en in data.corpus("coco-val2017-en/captions", "image", "en"):
        by_image.setdefault(image, []).append(en)
    chosen = [(c[i], c[k], image) for image, c in by_image.items() if len(c) > 2 for i, k in ((0, 1), (0, 2), (1, 2))]
    captions += write("coco", caption, chosen)

    # What only the third part reads: the other pairs of Tanaka, and the captions of a COCO photograph in all ten pairs.
    seen, later = set(text), random.Random(20261127)
    more_text = write("tanaka-more", ("ja", "en"), [p for p in pairs if p not in seen])
    more_text += write("kyoto-more", ("ja", "en"), later.sample([p for p in kyoto if p not in seen], 12_000))
    write("coco-more", caption, [(a, b, image) for image, c in by_image.items() for i, a in enumerate(c) for b in c[i + 1:]])
    more_text += [(s,) for c in by_image.values() for s in c if plain(s) not in tables.unseen]

    # All sentences that a teacher reads, by language.
    everything = dict.fromkeys(s for r in text + scored_text + captions + more_text for s in r[:2])
    sides = {"ja": [], "en": []}
    for sentence in everything:
        sides["ja" if re.search(r"[\u3040-\u30ff\u3400-\u9fff々〆ヶ]", sentence) else "en"].append(sentence)
    for language, sentences in sides.items():
        tables.counts[f"sentences-{language}"] = len(sentences)
        (out / f"sentences-{language}.txt").write_text("".join(s + "\n" for s in sentences), encoding="utf-8")
    # A sample of all text but the scenes, for the vocabulary.
    known = [s for r in pairs + scored_text for s in r[:2]] + [s for several in by_image.values() for s in several]
    for name, columns in {"common-voice/en": ["en"], "common-voice/ja": ["ja"], "jaquad/sentences": ["ja"], "ner-wikipedia/ja": ["ja"],
                          "edict/words": ["word", "gloss"], "wordnet-en/glosses": ["gloss"]}.items():
        known += [s for row in data.corpus(name, *columns) for s in row]
    sample = sorted({s for s in known if 0 < len(s) <= 200 and plain(s) not in tables.unseen})
    sample = random.Random(1).sample(sample, min(len(sample), 300_000))
    tables.counts["text"] = len(sample)
    (out / "text.txt").write_text("".join(s + "\n" for s in sample), encoding="utf-8")

    # Development files.
    dev = tables.plainly
    dev("dev-jsts", scored, valid)
    train_images, train_sentences = set().union(*shown), {plain(s) for r in train for s in r[:2]}
    dev("dev-jsts-apart", scored, [r for r, images in zip(valid, valid_shown, strict=True)
                                   if not images & train_images and not {plain(s) for s in r[:2]} & train_sentences])
    dev("dev-photo", ("first", "second"), [r[:2] for i, r in enumerate(valid) if len(valid_shown[i]) == 1
                                           and valid_shown[i] not in [h for h in valid_shown[:i] if len(h) == 1]])
    for language in ("en", "ja"):
        dev(f"dev-stsb-{language}", scored, data.stsb(f"stsb-{language}-dev.csv"))
        dev(f"dev-stsb-held-{language}", scored, [r for i, r in enumerate(data.stsb(f"stsb-{language}-train.csv"), 1) if i in held])
    dev("dev-tanaka", ("ja", "en"), data.tanaka_dev())
    kept = sorted(left_out)
    dev("dev-scenes", ("scene", "language", "text"), [(n, k, s) for n in kept for k in ("ja", "en") for s in imagined[n][k]])
    dev("dev-scenes-ja", ("first", "second"), [imagined[n]["ja"][:2] for n in kept])
    dev("dev-scenes-cross", ("ja", "en"), [(imagined[n]["ja"][2], imagined[n]["en"][0]) for n in kept])
    report = json.dumps({"rows": tables.counts, "left out": tables.dropped}, indent=1, ensure_ascii=False)
    (out / "counts.json").write_text(report + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
