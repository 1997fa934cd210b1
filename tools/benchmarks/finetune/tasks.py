"""Public tasks in the manner of GLUE and JGLUE, as training and test rows: of tables.py and of tools/experiments/ablations.

KOTONOHA_DATA names the data (../shared/data). Splits: CoLA's in-domain train, tested on both its dev sets (the 1,043 of GLUE); of SST-2 the first 10,000 rows,
tested on GLUE's dev; MRPC's train without the 500 rows cut from it, tested on those (not GLUE's dev); STS-B train and dev; JCoLA's in-domain train and valid;
JNLI's valid alone, one fifth of its images as test.
"""
import csv
import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = pathlib.Path(os.environ.get("KOTONOHA_DATA", ROOT / "../shared/data"))
ENGLISH, JAPANESE = ROOT / "Models/downloaded/all-MiniLM-L6-v2", ROOT / "Models/kotonoha-small"


def lines(path, header):
    rows = [line.rstrip("\r\n").split("\t") for line in open(path, encoding="utf-8-sig")]
    return rows[1:] if header else rows


def cola():
    rows = {part: [(r[3], r[1]) for r in lines(DATA / f"finetune/cola/{part}.tsv", False)] for part in ("in_domain_train", "in_domain_dev", "out_of_domain_dev")}
    return rows["in_domain_train"], rows["in_domain_dev"] + rows["out_of_domain_dev"]


def sst2():
    return [[(r[0].strip(), r[1]) for r in lines(DATA / f"finetune/sst2/{name}.tsv", True)] for name in ("train-first10000", "glue-dev-872")]


def mrpc():
    return [[(r[3], r[4], r[0]) for r in lines(DATA / f"finetune/mrpc/{name}.tsv", True)] for name in ("train", "val")]


def stsb():
    return [[tuple(r) for r in csv.reader(open(DATA / f"stsb/stsb-en-{part}.csv", encoding="utf-8"))] for part in ("train", "dev")]


def jcola():
    return [[(r[4], r[2]) for r in lines(DATA / f"finetune/jcola/in_domain_{part}.tsv", True)] for part in ("train", "valid")]


def jnli():
    rows = [json.loads(line) for line in open(DATA / "jglue/jnli-valid-v1.3.json", encoding="utf-8")]
    images = sorted({row["yjcaptions_id"].split("-")[0] for row in rows})
    test = set(images[::5])
    parts = ([], [])
    for row in rows:
        parts[row["yjcaptions_id"].split("-")[0] in test].append((row["sentence1"], row["sentence2"], row["label"]))
    return parts


# How it is read; the measure; the base; whether labels are numbers.
TASKS = {
    "cola": (cola, "matthews", ENGLISH, False), "sst2": (sst2, "accuracy", ENGLISH, False), "mrpc": (mrpc, "accuracy", ENGLISH, False),
    "stsb": (stsb, "pearson", ENGLISH, True), "jcola": (jcola, "matthews", JAPANESE, False), "jnli": (jnli, "accuracy", JAPANESE, False),
}


def write(path, rows):
    names = ["text", "label"] if len(rows[0]) == 2 else ["text", "other", "label"]
    with open(path, "w", encoding="utf-8") as out:
        for row in [names, *rows]:
            assert not any("\t" in cell or "\n" in cell for cell in row), row
            out.write("\t".join(row) + "\n")
    return names[1:-1]
