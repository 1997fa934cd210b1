#!/usr/bin/env python3
"""A 5-gram with modified Kneser–Ney smoothing beside the networks, on the same pieces: kenlm_peer.py WORK LANGUAGE [KENLM_BIN]

WORK as tools/language-models/run leaves it; LANGUAGE en or ja; KENLM_BIN has lmplz, build_binary and query, built from PyPI's kenlm 0.3.0
(needs cmake and Debian's libboost-{program-options,system,thread,test}-dev, libbz2-dev, liblzma-dev):

    pip download --no-deps --no-build-isolation --no-binary kenlm kenlm==0.3.0 && tar xzf kenlm-0.3.0.tar.gz
    cmake -S kenlm-0.3.0 -B kenlm-build -DCMAKE_BUILD_TYPE=Release && cmake --build kenlm-build -j2 --target lmplz build_binary query

Prints perplexity per piece of the held-out sentences (their ends included) and the accuracy on minimal pairs; ties count as errors.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("KOTONOHA", str(root / ".build/release/kotonoha"))
DATA = pathlib.Path(os.environ.get("KOTONOHA_DATA", root / "../shared/data"))


def pieces(lines, model):
    """Each line as its tokens without special ones, a space between them."""
    text = "".join(line + "\n" for line in lines)
    found = subprocess.run([PROGRAM, "tokenize", "-", "--model", model, "--format", "txt", "--no-header", "--ids", "--quiet"], input=text, text=True,
                           check=True, stdout=subprocess.PIPE).stdout.splitlines()
    assert len(found) == len(lines), (len(found), len(lines))
    # KenLM has tokens of its own for begin and end.
    with open(os.path.join(model, "tokenizer.json"), encoding="utf-8") as file:
        special = {str(token["id"]) for token in json.load(file)["added_tokens"] if token["special"] and token["content"] != "[UNK]"}
    return [" ".join(i for i in line.split() if i not in special) for line in found]


def logarithms(binary, lines, query):
    """log₁₀ p of each line and the number of its words, the end included."""
    out = subprocess.run([query, "-v", "sentence", binary], input="".join(line + "\n" for line in lines), text=True, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    totals = [float(line.split("Total:")[1].split()[0]) for line in out.splitlines() if line.startswith("Total:")]
    assert len(totals) == len(lines), (len(totals), len(lines))
    return totals


def pairs(language):
    if language == "en":
        with open(DATA / "language/blimp/blimp-100.tsv", encoding="utf-8", newline="") as file:
            return [(row["good"], row["bad"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    with open(DATA / "language/jblimp/validated_minimal_pairs.jsonl", encoding="utf-8") as file:
        return [(row["good_sentence"], row["bad_sentence"]) for row in map(json.loads, file)]


def main():
    work, language = pathlib.Path(sys.argv[1]), sys.argv[2]
    tools = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    lmplz, build, query = (str(tools / name) if tools else name for name in ["lmplz", "build_binary", "query"])
    model = str(work / f"causal-{language}")
    train = (work / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    held = (work / f"held-out-{language}.txt").read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory(dir=work) as folder:
        arpa, binary = os.path.join(folder, "5.arpa"), os.path.join(folder, "5.bin")
        subprocess.run([lmplz, "-o", "5", "--arpa", arpa, "-S", "2G", "-T", folder], input="".join(line + "\n" for line in pieces(train, model)),
                       text=True, check=True, stderr=subprocess.DEVNULL)
        subprocess.run([build, arpa, binary], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = pieces(held, model)
        total, count = sum(logarithms(binary, lines, query)), sum(len(line.split()) + 1 for line in lines)
        good, bad = zip(*pairs(language))
        right = sum(g > b for g, b in zip(logarithms(binary, pieces(good, model), query), logarithms(binary, pieces(bad, model), query)))
        print(json.dumps({"language": language, "perplexity": round(10 ** (-total / count), 2), "pieces": count,
                          "accuracy": round(right / len(good), 4), "pairs": len(good)}))


if __name__ == "__main__":
    main()
