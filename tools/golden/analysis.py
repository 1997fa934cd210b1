"""Golden values for Tests/AnalysisTests, written to Tests/AnalysisTests/Fixtures/analysis.json.

Run from the package's root with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, openTSNE 1.0.4, sentence-transformers 6.2.0, torch 2.15.0.
"""
import json
import numpy as np
from openTSNE.affinity import Multiscale, PerplexityBasedNN
from scipy.spatial import procrustes
from sentence_transformers.util import community_detection
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
import torch

rng = np.random.default_rng(20261121)
n, d = 120, 16
middles = rng.normal(size=(6, d))
group = np.repeat(np.arange(6), n // 6)
# A common offset, so that centring matters; columns of different scale.
vectors = ((middles[group] + 0.4 * rng.normal(size=(n, d))) * np.linspace(2, 0.2, d) + 3).astype(np.float32)
x = vectors.astype(np.float64)


def pca(**options):
    model = PCA(svd_solver="full", **options)
    coordinates = model.fit_transform(x)
    return {
        "components": model.components_.tolist(),
        "mean": model.mean_.tolist(),
        "variances": model.explained_variance_.tolist(),
        "ratios": model.explained_variance_ratio_.tolist(),
        "coordinates": coordinates.tolist(),
    }


def dense(affinity):
    return np.asarray(affinity.P.todense()).tolist()


y = PCA(2).fit_transform(x)
y = (y / y.std() * 3 + 0.1 * rng.normal(size=(n, 2))).astype(np.float32)
other = (y @ np.array([[0.6, -0.8], [0.8, 0.6]]) * 2 + 5 + 0.5 * rng.normal(size=y.shape)).astype(np.float32)

P = np.array(dense(PerplexityBasedNN(x, perplexity=12, method="exact", metric="euclidean", random_state=0)))
P /= P.sum()


def divergence(alpha):
    """KL(P||Q) and its gradient for the kernel (1 + d^2 / alpha)^-alpha, every pair, in double."""
    z = y.astype(np.float64)
    difference = z[:, None] - z[None]
    base = 1 + (difference ** 2).sum(-1) / alpha
    w = base ** -alpha
    np.fill_diagonal(w, 0)
    Q = w / w.sum()
    kept = P > 0
    kl = float((P[kept] * np.log(P[kept] / Q[kept])).sum())
    return {"alpha": alpha, "kl": kl, "gradient": (4 * (((P - Q) / base)[..., None] * difference).sum(1)).tolist()}


unit = x / np.linalg.norm(x, axis=1, keepdims=True)
cosines = unit @ unit.T
centred = x - x.mean(0)
directions = centred / np.linalg.norm(centred, axis=1, keepdims=True)
golden = {
    "rows": n, "columns": d, "vectors": vectors.ravel().tolist(), "groups": group.tolist(),
    "pca": pca(n_components=5), "whitened": pca(n_components=5, whiten=True)["coordinates"],
    "componentsFor95": int(PCA(0.95, svd_solver="full").fit(x).n_components_),
    "affinities": P.tolist(),
    "multiscale": (lambda p: (p / p.sum()).tolist())(np.array(dense(Multiscale(x, perplexities=[4, 12], method="exact", metric="euclidean", random_state=0)))),
    "map": y.ravel().tolist(), "otherMap": other.ravel().tolist(),
    "divergences": [divergence(1.0), divergence(0.6), divergence(2.0)],
    "trustworthiness": float(trustworthiness(x, y, n_neighbors=10)),
    "continuity": float(trustworthiness(y.astype(np.float64), x, n_neighbors=10)),
    "procrustes": float(procrustes(y.astype(np.float64), other.astype(np.float64))[2]),
    "nearest": np.argsort(-(cosines - 2 * np.eye(n)), axis=1, kind="stable")[:, :10].tolist(),
    "communityVectors": directions.astype(np.float32).ravel().tolist(),
    "communities": community_detection(torch.tensor(directions.astype(np.float32)), threshold=0.6, min_community_size=5),
}
golden["communities"] = [[int(i) for i in c] for c in golden["communities"]]




with open("Tests/AnalysisTests/Fixtures/analysis.json", "w") as out:
    json.dump(golden, out)
