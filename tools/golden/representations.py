"""Golden values for Tests/RepresentationsTests, written to Tests/RepresentationsTests/Fixtures/representations.json.

Run from the package's root with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, rsatoolbox 0.3.2, himalaya 0.4.11.
"""
import json
import warnings
import numpy as np
from himalaya.ridge import Ridge
import rsatoolbox
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, compare
from rsatoolbox.util.inference_util import pool_rdm
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import smacof

warnings.filterwarnings("ignore")
rng = np.random.default_rng(14)


def numbers(values):
    return [float(v) for v in np.asarray(values).ravel()]


def distances():
    x = rng.normal(size=(9, 5)) + 2
    return {"rows": 9, "x": numbers(x), **{m: numbers(pdist(x, m)) for m in ["cosine", "correlation", "euclidean", "sqeuclidean"]}}


def trees():
    out = []
    continuous, tied = pdist(rng.normal(size=(25, 4))), pdist(rng.integers(0, 3, size=(14, 2)).astype(float))
    for name, d, n in [("continuous", continuous, 25), ("tied", tied, 14), ("two", np.array([0.7]), 2)]:
        for method in ["average", "complete", "single", "ward"]:
            z = hierarchy.linkage(d, method)
            cut = float(np.median(z[:, 2]))
            out.append({"n": n, "distances": numbers(d), "method": method, "merges": z.tolist(), "leaves": hierarchy.leaves_list(z).tolist(),
                        "height": cut, "byHeight": hierarchy.fcluster(z, cut, "distance").tolist(), "cophenetic": numbers(hierarchy.cophenet(z))})
    return out


def scalings():
    d = pdist(rng.normal(size=(16, 5)))
    m = squareform(d)
    j = np.eye(16) - 1 / 16
    values, vectors = np.linalg.eigh(-0.5 * j @ (m ** 2) @ j)
    values, vectors = values[::-1], vectors[:, ::-1]
    start = vectors[:, :2] * np.sqrt(values[:2])
    out = {"distances": numbers(d), "eigenvalues": numbers(values), "distancesOfClassical": numbers(pdist(start))}
    for name, metric in [("metric", True), ("nonmetric", False)]:
        x, stress, iterations = smacof(m, metric=metric, init=start, n_init=1, max_iter=300, eps=1e-6, normalized_stress=True, return_n_iter=True)
        out[name] = {"stress": float(stress), "iterations": int(iterations), "distances": numbers(pdist(x))}
    return out


NAMES = {"pearson": "corr", "spearman": "spearman", "rho-a": "rho-a", "tau-a": "tau-a", "cosine": "cosine", "cov-weighted": "corr_cov"}


def comparisons():
    n = 12
    common = rng.normal(size=(n, 6))
    subjects = np.array([pdist(common + 0.8 * rng.normal(size=(n, 6))) for _ in range(5)])
    models = np.array([pdist(common), pdist((np.arange(n) // 4)[:, None].astype(float)), pdist(rng.normal(size=(n, 3)))])
    data = RDMs(subjects)
    out = {"conditions": n, "subjects": subjects.tolist(), "models": models.tolist(), "agreement": {}, "ceiling": {}}
    for name, method in NAMES.items():
        out["agreement"][name] = compare(RDMs(models), data, method).tolist()
        out["ceiling"][name] = numbers(boot_noise_ceiling(data, method))
    return out


def encodings():
    x, y = rng.normal(size=(10, 4)), rng.normal(size=(10, 7))
    y += x @ rng.normal(size=(4, 7)) * 0.7
    wins = []
    for i in range(10):
        for k in range(i + 1, 10):
            train = [t for t in range(10) if t not in (i, k)]
            centre, scale = x[train].mean(0), x[train].std(0)
            z = (x - centre) / scale
            fit = Ridge(alpha=2.0, fit_intercept=True).fit(z[train], y[train])
            p = fit.predict(z[[i, k]])
            cosine = lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            wins.append(float(cosine(p[0], y[i]) + cosine(p[1], y[k]) > cosine(p[0], y[k]) + cosine(p[1], y[i])))
    return {"x": numbers(x), "y": numbers(y), "leaveTwoOut": float(np.mean(wins))}


golden = {"distances": distances(), "trees": trees(), "scalings": scalings(), "comparisons": comparisons(), "encodings": encodings()}
with open("Tests/RepresentationsTests/Fixtures/representations.json", "w") as out:
    json.dump(golden, out, indent=0)
