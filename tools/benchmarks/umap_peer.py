"""UMAP beside umap-learn on the same vectors: seconds (warm numba) and map quality, alternating.

    umap_peer.py KOTONOHA VECTORS.h5 VECTORS.npy [RUNS] [--fast]

Needs umap-learn and scikit-learn. umap-learn runs as it comes (random_state set: one thread, repeatable) and, with --fast, without a seed on all threads.
"""
import json
import statistics
import subprocess
import sys
import time

import numpy as np
import umap
from sklearn.manifold import trustworthiness

kotonoha, h5, npy = sys.argv[1:4]
runs = int(sys.argv[4]) if len(sys.argv) > 4 and sys.argv[4].isdigit() else 3
fast = "--fast" in sys.argv
x = np.load(npy).astype(np.float32)
x /= np.linalg.norm(x, axis=1, keepdims=True)
sample = np.random.default_rng(0).permutation(len(x))[:2000]


def quality(y):
    """Trustworthiness at 15 neighbours among a fixed sample of at most 2,000 points."""
    return float(trustworthiness(x[sample], y[sample], n_neighbors=15))


def ours():
    begin = time.perf_counter()
    subprocess.run([kotonoha, "umap", h5, "-o", "/tmp/umap-bench.tsv", "--quiet", "--without-text", "--seed", "1"], check=True)
    seconds = time.perf_counter() - begin
    table = np.genfromtxt("/tmp/umap-bench.tsv", delimiter="\t", skip_header=1, usecols=(1, 2))
    return seconds, table


def theirs():
    settings = {"n_jobs": -1} if fast else {"random_state": 1, "n_jobs": 1}
    begin = time.perf_counter()
    y = umap.UMAP(**settings).fit_transform(x)
    return time.perf_counter() - begin, y


# Above 4,096 rows umap-learn searches neighbours approximately; fewer would leave that code to be compiled in the first run.
for settings in ({"n_jobs": -1}, {"random_state": 1, "n_jobs": 1}):
    umap.UMAP(n_epochs=10, **settings).fit_transform(x[:5000])
result = {"kotonoha": [], "umap-learn": []}
for _ in range(runs):
    for name, run in (("kotonoha", ours), ("umap-learn", theirs)):
        seconds, y = run()
        result[name].append((seconds, quality(y)))
seconds = {name: statistics.median(s for s, _ in values) for name, values in result.items()}
print(json.dumps({
    "rows": len(x), "columns": x.shape[1], "seconds": seconds, "times": seconds["umap-learn"] / seconds["kotonoha"],
    "trustworthiness": {name: statistics.median(q for _, q in values) for name, values in result.items()}, "raw": result,
}))
