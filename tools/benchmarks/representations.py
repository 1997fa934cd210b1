"""RSA, encoding models and trees beside rsatoolbox, himalaya and SciPy; driven by tools/bench representations.

Turns alternate and medians are compared; peers get as many threads as we do. rsatoolbox is timed on fewer permutations and counted up, since each of them costs
the same: the figure beside it says how many were run.
"""
import json
import statistics
import subprocess
import sys
import time

import numpy as np

work, bench = sys.argv[1], sys.argv[2]
what = sys.argv[3:] or ["tree", "rsa", "encoding"]
rng = np.random.default_rng(14)


def ours(task, file, rows, columns, *options):
    return json.loads(subprocess.run([bench, task, file, str(rows), str(columns), *options], check=True, capture_output=True, text=True).stdout)


def timed(body):
    start = time.perf_counter()
    result = body()
    return time.perf_counter() - start, result


def tree(n=20_000, d=64):
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import pdist

    x = rng.standard_normal((n, d), dtype=np.float32)
    x.tofile(f"{work}/x.f32")
    us = ours("tree", f"{work}/x.f32", n, d)
    seconds_distances, condensed = timed(lambda: pdist(x.astype(float), "cosine"))
    seconds, z = timed(lambda: hierarchy.linkage(condensed, "average"))
    return {"rows": n, "tree_s": us["s"], "distances_s": us["distances"], "scipy_tree_s": seconds, "scipy_distances_s": seconds_distances, "ratio_tree": seconds / us["s"],
            "ratio_both": (seconds + seconds_distances) / (us["s"] + us["distances"]), "height_difference": abs(us["height"] - z[-1, 2]), "peak_mb": us["peak-mb"]}


def rsa(conditions=1000, subjects=20, permutations=1000, timed_permutations=5):
    from rsatoolbox.inference import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs, compare
    from rsatoolbox.rdm.rdms import permute_rdms

    pairs = conditions * (conditions - 1) // 2
    common = rng.standard_normal(pairs)
    data = (common + rng.standard_normal((subjects, pairs)) * 1.5).astype(np.float32)
    models = np.stack([common + rng.standard_normal(pairs), common + 3 * rng.standard_normal(pairs), rng.standard_normal(pairs)]).astype(np.float32)
    np.concatenate([models, data]).tofile(f"{work}/rdms.f32")
    us = [ours("rsa", f"{work}/rdms.f32", subjects + 3, pairs, f"conditions={conditions}", f"permutations={permutations}") for _ in range(3)]
    m, s = RDMs(models.astype(float)), RDMs(data.astype(float))
    fixed, values = timed(lambda: (compare(m, s, "spearman").mean(1), boot_noise_ceiling(s, "spearman")))

    def permute():
        for _ in range(timed_permutations):
            compare(permute_rdms(m, rng.permutation(conditions)), s, "spearman")

    some, _ = timed(permute)
    whole = fixed + some / timed_permutations * permutations
    seconds = statistics.median(u["s"] for u in us)
    return {"conditions": conditions, "subjects": subjects, "models": 3, "permutations": permutations, "s": seconds, "rsatoolbox_s": whole, "rsatoolbox_permutations_run": timed_permutations,
            "ratio": whole / seconds, "value_difference": float(np.max(np.abs(np.array(us[0]["values"]) - values[0]))),
            "ceiling_difference": float(np.max(np.abs(np.array(us[0]["ceiling"]) - np.array(values[1]))))}


def encoding(rows=5000, features=1024, voxels=20_000, penalties=15, folds=5, turns=2):
    from himalaya.ridge import RidgeCV
    from sklearn.model_selection import KFold

    x = rng.standard_normal((rows, features), dtype=np.float32)
    y = (x[:, :200] @ rng.standard_normal((200, voxels), dtype=np.float32)) * 0.3 + 6 * rng.standard_normal((rows, voxels), dtype=np.float32)
    x.tofile(f"{work}/x.f32")
    y.tofile(f"{work}/y.f32")
    alphas = np.logspace(-2, 5, penalties).astype(np.float32)
    mine, theirs = [], []
    for _ in range(turns):
        mine.append(ours("encoding", f"{work}/x.f32", rows, features, f"responses={work}/y.f32", f"voxels={voxels}", f"penalties={penalties}", f"folds={folds}"))
        model = RidgeCV(alphas=alphas, fit_intercept=True, cv=KFold(folds), solver_params={"n_targets_batch": 2000})
        theirs.append(timed(lambda: model.fit(x, y))[0])
    chosen = np.array(mine[0]["chosen"])
    same = float(np.mean(np.abs(np.log10(alphas[chosen]) - np.log10(model.best_alphas_[: len(chosen)])) < 1e-3))
    seconds, peer, products = (statistics.median(v) for v in ([u["s"] for u in mine], theirs, [u["products"] for u in mine]))
    return {"rows": rows, "features": features, "voxels": voxels, "penalties": penalties, "folds": folds, "s": seconds, "himalaya_s": peer, "ratio": peer / seconds, "products_s": products,
            "share_of_products": products / seconds, "same_penalty": same, "coefficient_difference": float(np.max(np.abs(np.array(mine[0]["first"]) - model.coef_[:5, 0]))), "peak_mb": mine[0]["peak-mb"]}


for name in what:
    name, _, size = name.partition("=")
    arguments = [int(n) for n in size.split(",")] if size else []
    print(json.dumps({"task": name, **{"tree": tree, "rsa": rsa, "encoding": encoding}[name](*arguments)}), flush=True)
