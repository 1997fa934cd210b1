#!/usr/bin/env python3
"""Golden values of structural probes: losses, gradients and measures of small random treebanks.

Writes Tests/ProbeTests/Fixtures/probes.json. Pinned: torch 2.15.0, numpy 2.4.6, scipy 1.17.1.
The formulas are those of Hewitt & Manning (2019) and of the measures in their repository: L1 losses on padded batches by
automatic differentiation, spanning trees by Kruskal over stably sorted pairs, Spearman's correlation by scipy.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

PUNCTUATION = {"''", ",", ".", ":", "``", "-LRB-", "-RRB-"}
random = np.random.default_rng(7)


def random_tree(n):
    order = random.permutation(n)
    heads = [0] * n
    for k, word in enumerate(order):
        heads[word] = 0 if k == 0 else int(order[random.integers(0, k)]) + 1
    return heads


def path_up(heads, word):
    path = [word]
    while heads[path[-1]]:
        path.append(heads[path[-1]] - 1)
    return path


def tree_distances(heads):
    n = len(heads)
    d = np.zeros((n, n))
    for i in range(n):
        up = path_up(heads, i)
        for j in range(n):
            other = path_up(heads, j)
            common = next(w for w in up if w in other)
            d[i, j] = up.index(common) + other.index(common)
    return d


def spanning_tree(matrix, tags):
    n = len(tags)
    pairs = [(matrix[i][j], i, j) for i in range(n) for j in range(n)
             if tags[i] not in PUNCTUATION and tags[j] not in PUNCTUATION]
    group = list(range(n))
    edges = set()
    for _, i, j in sorted(pairs, key=lambda p: p[0]):
        if group[i] != group[j]:
            old, new = group[i], group[j]
            group = [new if g == old else g for g in group]
            edges.add((min(i, j), max(i, j)))
    return edges


dimension, rank = 12, 5
sentences = []
for n in [1, 2, 5, 5, 6, 7, 9, 11, 14, 17, 20, 3, 8, 5]:
    heads = random_tree(n)
    tags = [str(random.choice(["NN", "VB", "IN", "DT", ",", "."])) for _ in range(n)]
    if all(t in PUNCTUATION for t in tags):
        tags[0] = "NN"
    sentences.append({"heads": heads, "tags": tags, "vectors": np.round(random.normal(size=(n, dimension)), 4)})
projection = np.round(random.normal(size=(dimension, rank)) * 0.4, 4)

longest = max(len(s["heads"]) for s in sentences)
gold_d = torch.full((len(sentences), longest, longest), -1.0, dtype=torch.float64)
gold_h = torch.full((len(sentences), longest), -1.0, dtype=torch.float64)
x = torch.zeros((len(sentences), longest, dimension), dtype=torch.float64)
lengths = torch.tensor([len(s["heads"]) for s in sentences], dtype=torch.float64)
for k, s in enumerate(sentences):
    n = len(s["heads"])
    x[k, :n] = torch.tensor(s["vectors"])
    gold_d[k, :n, :n] = torch.tensor(tree_distances(s["heads"]))
    gold_h[k, :n] = torch.tensor([len(path_up(s["heads"], w)) - 1.0 for w in range(n)])


def run(kind):
    b = torch.tensor(projection, requires_grad=True)
    p = x @ b
    if kind == "distance":
        predicted = (p[:, :, None] - p[:, None]).pow(2).sum(-1)
        error = ((predicted - gold_d).abs() * (gold_d != -1)).sum((1, 2)) / lengths**2
    else:
        predicted = p.pow(2).sum(-1)
        error = ((predicted - gold_h).abs() * (gold_h != -1)).sum(1) / lengths
    loss = error.mean()
    loss.backward()
    return predicted.detach().numpy(), loss.item(), b.grad.numpy()


distances, distance_loss, distance_gradient = run("distance")
depths, depth_loss, depth_gradient = run("depth")

correct = total = roots = 0
by_length_d, by_length_h = {}, {}
for k, s in enumerate(sentences):
    n = len(s["heads"])
    d, g = distances[k, :n, :n], gold_d[k, :n, :n].numpy()
    gold_edges, edges = spanning_tree(g, s["tags"]), spanning_tree(d, s["tags"])
    correct, total = correct + len(gold_edges & edges), total + len(gold_edges)
    h = depths[k, :n]
    words = [w for w in range(n) if s["tags"][w] not in PUNCTUATION]
    roots += s["heads"][min(words, key=lambda w: h[w])] == 0
    if n >= 5:
        by_length_d.setdefault(n, []).extend(spearmanr(a, b).correlation for a, b in zip(d, g))
        by_length_h.setdefault(n, []).append(spearmanr(h, gold_h[k, :n].numpy()).correlation)

fixture = {
    "dimension": dimension, "rank": rank,
    "sentences": [{"heads": s["heads"], "tags": s["tags"], "vectors": s["vectors"].ravel().tolist()} for s in sentences],
    "projection": projection.ravel().tolist(),
    "distance_loss": distance_loss, "distance_gradient": distance_gradient.ravel().tolist(),
    "depth_loss": depth_loss, "depth_gradient": depth_gradient.ravel().tolist(),
    "last_distances": distances[10, :20, :20].ravel().tolist(), "last_depths": depths[10, :20].tolist(),
    "uuas": correct / total, "edges": total, "root_accuracy": roots / len(sentences),
    "dspr": float(np.mean([np.mean(v) for v in by_length_d.values()])), "nspr": float(np.mean([np.mean(v) for v in by_length_h.values()])),
}
target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "Tests/ProbeTests/Fixtures/probes.json"
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps(fixture) + "\n")
print(target, correct, total, roots)
