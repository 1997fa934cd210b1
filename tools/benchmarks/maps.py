"""maps.py X.npy [--sizes 500,5000,20000] [--rounds 2] [--large N]: maps of the first rows of X with each program, in alternation.

Every map's KL divergence is computed by the same code (analysis-bench, every pair, the same affinities), whoever made it. Printed are
seconds, divergences and ratios: `times` is how often faster than the fastest peer, `kl_excess` how much above the best peer.
--large N repeats the rows, with noise, up to N, reduces them to 50 components and maps them; openTSNE gets 200,000 of them at most and
its time is extrapolated in proportion, which favours it where it grows faster than that.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

import numpy as np
from openTSNE import TSNE
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE as SklearnTSNE

parser = argparse.ArgumentParser()
parser.add_argument("vectors")
parser.add_argument("--sizes", default="500,5000,20000")
parser.add_argument("--rounds", type=int, default=2)
parser.add_argument("--large", type=int, default=0)
arguments = parser.parse_args()
bench = ".build/release/analysis-bench"
cores = os.cpu_count()
scratch = tempfile.mkdtemp()


def say(**values):
    print(json.dumps(values), flush=True)


def ours(task, x, **options):
    path = os.path.join(scratch, "x.f32")
    np.ascontiguousarray(x, np.float32).tofile(path)
    command = [bench, task, path, *map(str, x.shape)] + [f"{key.replace('_', '-')}={value}" for key, value in options.items()]
    return json.loads(subprocess.check_output(command))


def opentsne(method):
    def run(x):
        return np.asarray(TSNE(perplexity=30, n_jobs=cores, random_state=0, negative_gradient_method=method, initialization="pca", metric="euclidean").fit(x))
    return run


def sklearn(x):
    return SklearnTSNE(perplexity=30, n_jobs=cores, random_state=0).fit_transform(x)


def timed(run, x):
    begin = time.perf_counter()
    result = run(x)
    return time.perf_counter() - begin, result


def divergence(x, map):
    path = os.path.join(scratch, "map.f32")
    np.ascontiguousarray(map, np.float32).tofile(path)
    return ours("tsne", x, of=path, raw=1)["kl"]


everything = np.load(arguments.vectors).astype(np.float32)
everything /= np.linalg.norm(everything, axis=1, keepdims=True)
for n in map(int, arguments.sizes.split(",")):
    x = everything[:n]
    peers = {"openTSNE-fft": opentsne("fft")}
    if n <= 20000:
        peers["openTSNE-bh"] = opentsne("bh")
    if n <= 5000:
        peers["scikit-learn"] = sklearn
    seconds, kls = {}, {}
    for _ in range(arguments.rounds):
        mine = ours("tsne", x, raw=1)
        seconds["kotonoha"] = min(mine["s"], seconds.get("kotonoha", np.inf))
        kls["kotonoha"] = mine["kl"]
        for name, run in peers.items():
            s, map_ = timed(run, x)
            seconds[name] = min(s, seconds.get(name, np.inf))
            kls[name] = divergence(x, map_)
    fastest, best = min(seconds[name] for name in peers), min(kls[name] for name in peers)
    say(work="t-SNE", n=n, d=x.shape[1], seconds=seconds, kl=kls, method=mine["method"], times=fastest / seconds["kotonoha"], kl_excess=kls["kotonoha"] / best - 1)

x = everything[:20000]
seconds = {}
for _ in range(max(3, arguments.rounds)):
    mine = ours("pca", x, components=50, repeat=3)
    seconds["kotonoha"] = min(mine["s"], seconds.get("kotonoha", np.inf))
    for solver in ["covariance_eigh", "full", "randomized"]:
        s, _ = timed(lambda x: PCA(50, svd_solver=solver, random_state=0).fit(x), x)
        seconds["scikit-learn-" + solver] = min(s, seconds.get("scikit-learn-" + solver, np.inf))
truth = PCA(50, svd_solver="full").fit(x.astype(np.float64)).explained_variance_
say(work="PCA", n=len(x), d=x.shape[1], seconds=seconds, times=min(s for name, s in seconds.items() if name != "kotonoha") / seconds["kotonoha"],
    eigenvalue_error=float(np.abs(np.array(mine["variances"]) / truth - 1).max()))

if arguments.large:
    n = arguments.large
    model = PCA(50, svd_solver="covariance_eigh").fit(everything)
    base = model.transform(everything).astype(np.float32)
    rng = np.random.default_rng(0)
    x = np.empty((n, 50), np.float32)
    for start in range(0, n, len(base)):
        part = base[: min(len(base), n - start)]
        # Far enough from the original not to be its nearest neighbour always.
        x[start:start + len(part)] = part + 0.5 * base.std(0) * rng.standard_normal(part.shape, np.float32)
    mine = ours("tsne", x, raw=1)
    less = min(n, 200_000)
    s, map_ = timed(opentsne("fft"), x[:less])
    small = ours("tsne", x[:less], raw=1)
    say(work="t-SNE", n=n, d=50, kotonoha=mine["s"], kl=mine["kl"], kotonoha_peak_mb=mine["peak-mb"], data_mb=x.nbytes / 2**20, opentsne_n=less, opentsne=s,
        opentsne_kl=divergence(x[:less], map_), kotonoha_at_that_n=small["s"], kl_at_that_n=small["kl"], opentsne_extrapolated=s * n / less, times=s * n / less / mine["s"])
