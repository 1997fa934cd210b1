"""UMAP's curve, fuzzy graph and supervised graph of umap-learn, written to Tests/AnalysisTests/Fixtures/umap.json.

The vectors are those of analysis.json. Run from the package's root with umap-learn 0.5.9.post2, numba, scikit-learn, numpy.
The quality and the time of whole maps beside umap-learn's are measured by tools/bench maps.
"""
import json
import numpy as np
from sklearn.metrics import pairwise_distances
from umap.umap_ import (discrete_metric_simplicial_set_intersection, find_ab_params, fuzzy_simplicial_set,
                         smooth_knn_dist)

with open("Tests/AnalysisTests/Fixtures/analysis.json") as file:
    given = json.load(file)
n = given["rows"]
x = np.array(given["vectors"], np.float32).reshape(n, -1)
neighbors = 12

d = pairwise_distances(x.astype(np.float64)).astype(np.float32)
np.fill_diagonal(d, 0)
order = np.argsort(d, axis=1, kind="stable")[:, :neighbors]
nearest = np.take_along_axis(d, order, axis=1)
sigmas, rhos = smooth_knn_dist(nearest, float(neighbors), local_connectivity=1.0)
graph, _, _ = fuzzy_simplicial_set(x, neighbors, np.random.RandomState(0), "euclidean", knn_indices=order, knn_dists=nearest)
classes = np.array([i % 3 if i % 7 else -1 for i in range(n)])
supervised = discrete_metric_simplicial_set_intersection(graph.copy(), classes, far_dist=5.0)


def edges(matrix):
    matrix = matrix.tocsr()
    matrix.sort_indices()
    rows, columns = matrix.nonzero()
    return [[int(i), int(j), round(float(matrix[i, j]), 7)] for i, j in zip(rows, columns) if i < j]


golden = {
    "neighbors": neighbors,
    "curves": [[a, b, *map(float, find_ab_params(b, a))] for a, b in [(0.1, 1.0), (0.5, 1.0), (0.0, 1.0), (0.25, 2.0)]],
    # A point whose weights cannot sum to the target has no finite scale, which JSON cannot hold.
    "sigmas": [round(float(v), 6) if np.isfinite(v) else 1e30 for v in sigmas],
    "rhos": [round(float(v), 6) for v in rhos],
    "graph": edges(graph),
    "classes": classes.tolist(),
    "supervised": edges(supervised),
}
with open("Tests/AnalysisTests/Fixtures/umap.json", "w") as file:
    json.dump(golden, file, separators=(",", ":"))
