"""Affinities over all pairs and divergences of scikit-learn's exact t-SNE, written to Tests/AnalysisTests/Fixtures/tsne.json.

The vectors and the map are those of analysis.json. Run from the package's root with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1.
"""
import json
import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities

with open("Tests/AnalysisTests/Fixtures/analysis.json") as file:
    given = json.load(file)
n = given["rows"]
x = np.array(given["vectors"], np.float32).reshape(n, -1)
y = np.array(given["map"], np.float64).reshape(n, 2)


def affinities(vectors, perplexity):
    """The upper triangle of P, which sums to 1 with its mirror image."""
    p = _joint_probabilities(squareform(pdist(vectors.astype(np.float64), "sqeuclidean")).astype(np.float32), perplexity, 0)
    return p / (2 * p.sum())


def divergence(p, points):
    w = 1 / (1 + pdist(points.astype(np.float64), "sqeuclidean"))
    return float(2 * (p * np.log(p / (w / (2 * w.sum())))).sum())


# Sixty vectors of one cloud: far fewer points than the usual perplexity asks for, and no clear clusters.
rng = np.random.default_rng(20261126)
cloud = (rng.normal(size=(60, 6)) @ rng.normal(size=(6, 24))).astype(np.float32)
cloud /= np.linalg.norm(cloud, axis=1, keepdims=True)
maps = []
for perplexity in [5, 10, 14, 15, 19]:
    model = TSNE(perplexity=perplexity, method="exact", init="pca", learning_rate="auto", random_state=0)
    points = model.fit_transform(cloud)
    maps.append({"perplexity": perplexity, "kl": float(model.kl_divergence_)})
    assert abs(divergence(affinities(cloud, perplexity), points) - model.kl_divergence_) < 1e-4

p = affinities(x, 12)
with open("Tests/AnalysisTests/Fixtures/tsne.json", "w") as out:
    json.dump({
        "affinities": [float(f"{v:.8g}") for v in p], "kl": divergence(p, y),
        "cloud": [float(f"{v:.9g}") for v in cloud.ravel()], "cloudRows": 60, "maps": maps,
    }, out)
