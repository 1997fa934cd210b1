#!/usr/bin/env python3
"""tiny.py KOTONOHA MODEL TEXTS ... OUT [--size 84]: a table of token vectors whose means imitate a sentence encoder.

MODEL is the encoder, TEXTS files of sentences, OUT the folder of the new model (sentence-transformers' StaticEmbedding with MODEL's
tokenizer). The table is found in one step, without gradients: ridge regression of the encoder's vectors, less their mean and projected on
their first principal components, on the counts of the tokens of each sentence divided by its length. Rare tokens are drawn towards what
the encoder makes of the token alone (as model2vec does), scaled to fit best. numpy, scipy.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np
import scipy.sparse

from prune import write_safetensors

parser = argparse.ArgumentParser()
parser.add_argument("kotonoha")
parser.add_argument("model", type=pathlib.Path)
parser.add_argument("texts", type=pathlib.Path, nargs="+")
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--size", type=int, default=84, help="components")
parser.add_argument("--ridge", type=float, default=0.5, help="pull towards the token's own vector, in sentences of average length")
parser.add_argument("--vectors", type=pathlib.Path, help="keeps the encoder's vectors here for the next time (.npz)")
given = parser.parse_args()


def embed(path):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([given.kotonoha, "embed", path, "-o", f"{folder}/v.h5", "--model", given.model, "--precision", "int8", "--no-header",
                        "--store", "float16", "--quiet"], check=True)
        subprocess.run([given.kotonoha, "export", f"{folder}/v.h5", "-o", f"{folder}/v.npy", "--quiet"], check=True)
        return np.load(f"{folder}/v.npy").astype(np.float32)


def token_ids(path):
    words = subprocess.run([given.kotonoha, "tokenize", path, "--ids", "--no-header", "--model", given.model], check=True, capture_output=True, text=True)
    # Without [CLS], which the encoder puts before a sentence.
    return [np.fromstring(line, dtype=np.int64, sep=" ")[1:] for line in words.stdout.splitlines()]


tokenizer = json.loads((given.model / "tokenizer.json").read_text(encoding="utf-8"))
pieces = [piece for piece, _ in tokenizer["model"]["vocab"]]
with tempfile.TemporaryDirectory() as folder:
    joined, alone = pathlib.Path(folder) / "texts.txt", pathlib.Path(folder) / "pieces.txt"
    with open(joined, "w", encoding="utf-8") as file:
        for path in given.texts:
            file.write(path.read_text(encoding="utf-8"))
    alone.write_text("".join((piece.replace("▁", " ").strip() or "-") + "\n" for piece in pieces), encoding="utf-8")
    if given.vectors and given.vectors.exists():
        kept = np.load(given.vectors)
        y, own = kept["y"], kept["own"]
    else:
        y, own = embed(joined), embed(alone)
        if given.vectors:
            np.savez(given.vectors, y=y, own=own)
    ids = token_ids(joined)
assert len(ids) == len(y) and len(own) == len(pieces), (len(ids), len(y), len(own), len(pieces))

# What the sentences of the corpus have in common says nothing about any of them.
mean = y.mean(axis=0)
y -= mean
own -= own.mean(axis=0)
_, axes = np.linalg.eigh(y.T @ y)
axes = axes[:, ::-1][:, :given.size]
y, own = y @ axes, own @ axes

lengths = np.array([len(row) for row in ids])
place = np.repeat(np.arange(len(ids)), lengths)
x = scipy.sparse.csr_matrix((np.repeat(1 / np.maximum(lengths, 1), lengths), (place, np.concatenate(ids))), shape=(len(ids), len(pieces)), dtype=np.float32)
transposed = x.T.tocsr()
counts = np.bincount(np.concatenate(ids), minlength=len(pieces))
print(f"{len(ids)} sentences, {len(pieces)} tokens, of which {(counts == 0).sum()} never occur")

# Common words have short vectors (smooth inverse frequency, Arora et al. 2017); the best multiple of that start is where the ridge begins.
start = own * (1e-3 / (1e-3 + counts / counts.sum()))[:, None]
made = x @ start
start *= (made * y).sum() / np.square(made).sum()


# Lengths of sentences differ, so a token's pull is counted in sentences of average length.
pull = np.float32(given.ridge * np.mean(1 / np.maximum(lengths, 1) ** 2))


def normal(w):
    """The matrix of the ridge's equations, times w."""
    return transposed @ (x @ w.astype(np.float32)) + pull * w


# Conjugate gradients, a column at a time but all columns together.
right = transposed @ (y - x @ start)
diagonal = np.asarray(transposed.multiply(transposed).sum(axis=1)).ravel()[:, None] + pull
change, residual = np.zeros_like(right), right.copy()
direction = step = residual / diagonal
product = (residual * step).sum(axis=0)
for iteration in range(60):
    image = normal(direction)
    rate = product / (direction * image).sum(axis=0)
    change += rate * direction
    residual -= rate * image
    step = residual / diagonal
    following = (residual * step).sum(axis=0)
    direction = step + following / product * direction
    product = following
    if np.linalg.norm(residual) < 1e-4 * np.linalg.norm(right):
        break
table = start + change
fitted = x @ table
print(f"{iteration + 1} steps; variance explained {1 - np.square(y - fitted).sum() / np.square(y).sum():.3f} "
      f"(start {1 - np.square(y - x @ start).sum() / np.square(y).sum():.3f})")

given.out.mkdir(parents=True, exist_ok=True)
write_safetensors(given.out / "model.safetensors", {"embedding.weight": (table / np.abs(table).max()).astype(np.float16)})
# A table has no tokens around a sentence.
tokenizer["post_processor"] = None
(given.out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
(given.out / "modules.json").write_text(json.dumps([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}], indent=2) + "\n", encoding="utf-8")
shutil.copy(given.model / "config_sentence_transformers.json", given.out)
