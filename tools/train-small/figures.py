#!/usr/bin/env python3
"""figures.py KOTONOHA DATA TABLES MODEL [options]: development figures of a sentence encoder.

KOTONOHA is the program, DATA the public data, TABLES what prepare.py wrote, MODEL a folder. --center takes off the mean vector of each
language, for models whose cosines are all high; --first N keeps N components. --captions measures Datasets/captions.tsv instead, which
nothing is chosen by: run it once, on the model that is shipped. Intervals are 95 %, by bootstrap over pairs, scenes or photographs. numpy.
"""
import argparse
import csv
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np

root = pathlib.Path(__file__).resolve().parents[2]
JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff々〆ヶ]")


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [line.rstrip("\n").split("\t") for line in file][1:]


class Vectors:
    """The vectors of all sentences that somebody will ask for, computed at once."""

    def __init__(self, options):
        self.options, self.rows = options, {}

    def embed(self, sentences):
        sentences = list(dict.fromkeys(sentences))
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "text.txt").write_text("".join(s + "\n" for s in sentences), encoding="utf-8")
            command = [self.options.kotonoha, "embed", folder / "text.txt", "-o", folder / "v.h5", "--model", self.options.model,
                       "--precision", self.options.precision, "--no-header", "--quiet"]
            command += ["--prompt-name", self.options.prompt_name] if self.options.prompt_name else []
            subprocess.run(list(map(str, command)), check=True)
            subprocess.run([self.options.kotonoha, "export", str(folder / "v.h5"), "-o", str(folder / "v.npy"), "--quiet"], check=True)
            x = np.load(folder / "v.npy").astype("f8")
        assert len(x) == len(sentences), (len(x), len(sentences))
        if self.options.first:
            x = x[:, :self.options.first]
        if self.options.center:
            is_japanese = np.array([bool(JAPANESE.search(s)) for s in sentences])
            for side in (is_japanese, ~is_japanese):
                if side.any():
                    x[side] -= x[side].mean(axis=0)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        self.rows = dict(zip(sentences, x))

    def __call__(self, sentences):
        return np.array([self.rows[s] for s in sentences])


def ranks(values):
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return (ends - (count - 1) / 2)[place]


def correlation(a, b):
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def interval(units, statistic, seed=1, resamples=500):
    """The statistic, and the 2.5 and 97.5 percentiles of it over resampled units."""
    draw = np.random.default_rng(seed)
    found = [statistic(draw.integers(0, units, units)) for _ in range(resamples)]
    return [round(statistic(np.arange(units)), 4)] + [round(float(q), 4) for q in np.percentile(found, [2.5, 97.5])]


def sts(vectors, rows):
    cosines = (vectors([r[0] for r in rows]) * vectors([r[1] for r in rows])).sum(axis=1)
    scores = np.array([float(r[2]) for r in rows])
    return interval(len(rows), lambda i: correlation(cosines[i], scores[i]))


def nearest(queries, candidates, right, same=None):
    """Whether each query's nearest candidate is right; `same` bars a candidate from being itself."""
    similar = queries @ candidates.T
    if same is not None:
        similar[same] = -2
    return right[np.arange(len(queries)), similar.argmax(axis=1)]


def retrieval(vectors, first, second):
    a, b = vectors(first), vectors(second)
    right = (np.array(first)[:, None] == np.array(first)[None]) | (np.array(second)[:, None] == np.array(second)[None])
    there, back = nearest(a, b, right), nearest(b, a, right)
    return [interval(len(hits), lambda i: float(hits[i].mean())) for hits in (there, back)]


def groups(vectors, rows, source, target):
    """rows: group, language, text. How often the nearest caption in the target language is of the same group."""
    asked, offered = [r for r in rows if r[1] == source], [r for r in rows if r[1] == target]
    names, others = np.array([r[0] for r in asked]), np.array([r[0] for r in offered])
    same = np.array([r[2] for r in asked])[:, None] == np.array([r[2] for r in offered])[None] if source == target else None
    hits = nearest(vectors([r[2] for r in asked]), vectors([r[2] for r in offered]), names[:, None] == others[None], same)
    members = [np.flatnonzero(names == name) for name in dict.fromkeys(names)]
    return interval(len(members), lambda i: float(np.concatenate([hits[members[k]] for k in i]).mean()))


def main():
    parser = argparse.ArgumentParser()
    for name in ("kotonoha", "data", "tables", "model"):
        parser.add_argument(name)
    parser.add_argument("--prompt-name")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--center", action="store_true")
    parser.add_argument("--captions", action="store_true")
    parser.add_argument("--first", type=int)
    parser.add_argument("--json")
    options = parser.parse_args()
    data, tables, vectors = pathlib.Path(options.data), pathlib.Path(options.tables), Vectors(options)
    directions = [("ja", "ja"), ("en", "ja"), ("ja", "en"), ("en", "en")]
    if options.captions:
        scenes = [r[:3] for r in table(root / "Datasets/captions.tsv")]
        vectors.embed([r[2] for r in scenes])
        figures = {f"captions {a} to {b}": groups(vectors, scenes, a, b) for a, b in directions}
    else:
        scored = {n: table(tables / f"dev-{n}.tsv") for n in ("jsts", "jsts-apart", "stsb-en", "stsb-ja", "stsb-held-en", "stsb-held-ja")}
        tanaka, scenes = table(tables / "dev-tanaka.tsv"), table(tables / "dev-scenes.tsv")
        files = [(data / f"multi30k/val.{k}.en").read_text(encoding="utf-8").splitlines() for k in range(1, 6)]
        photo = list({s: (str(i), "en", s) for lines in files for i, s in enumerate(lines)}.values())
        words = jwsd(data)
        robust = table(pathlib.Path(__file__).resolve().parent / "robustness.tsv")
        vectors.embed([s for rows in scored.values() for r in rows for s in r[:2]] + [s for r in tanaka for s in r] + [r[2] for r in scenes]
                      + [r[2] for r in photo] + [w for r in words for w in r[:2]] + [s for r in robust for s in r[2:5]])
        figures = {name: sts(vectors, rows) for name, rows in scored.items()}
        for language in ("en", "ja"):
            figures[f"stsb gap {language}"] = [round(figures[f"stsb-{language}"][0] - figures[f"stsb-held-{language}"][0], 4)]
        figures["tanaka ja to en"], figures["tanaka en to ja"] = retrieval(vectors, [r[0] for r in tanaka], [r[1] for r in tanaka])
        figures |= {f"scenes {a} to {b}": groups(vectors, scenes, a, b) for a, b in directions}
        figures[f"multi30k, nearest of {len(photo)}"] = groups(vectors, photo, "en", "en")
        figures[f"jwsd nouns, {len(words)} pairs"] = sts(vectors, words)
        for language in ("en", "ja"):
            for kind in ("negation", "order"):
                rows = [r for r in robust if r[:2] == [language, kind]]
                a, b, c = (vectors([r[k] for r in rows]) for k in (2, 3, 4))
                nearer = (a * b).sum(axis=1) > (a * c).sum(axis=1)
                figures[f"{kind} {language}: paraphrase nearer than the contrary, of {len(rows)}"] = [int(nearer.sum())]
    for name, values in figures.items():
        print(f"{name:60}" + "  ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in values))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def jwsd(data):
    """Pairs of nouns both of which the subset of chiVe has, with the mean of people's scores."""
    with open(next((data / "words/chive_ginza").glob("*.bin")), "rb") as file:
        count, size = map(int, file.readline().split())
        known = set()
        for _ in range(count):
            word = bytearray()
            while (byte := file.read(1)) not in (b" ", b""):
                word += byte
            file.read(size * 4)
            known.add(word.decode("utf-8").strip("\n"))
    with open(data / "jwsd/score_noun.csv", encoding="utf-8", newline="") as file:
        rows = [(r["word1"], r["word2"], float(r["mean"])) for r in csv.DictReader(file)]
    return [r for r in rows if r[0] in known and r[1] in known]


if __name__ == "__main__":
    main()
