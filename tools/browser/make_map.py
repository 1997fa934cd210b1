"""Makes a large map and its vector file out of a small vector file and its t-SNE map, for tools/explore-bench: points are repeated with noise of the
local density, so that the large map has the forms of the small one. make_map.py SMALL.h5 SMALL-MAP.h5 POINTS FOLDER; needs h5py and numpy."""
import pathlib
import sys

import h5py
import numpy as np

small, small_map, points, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
random = np.random.default_rng(1)
with h5py.File(small) as file:
    base, texts, attributes = file["embeddings"][:].astype(np.float32), file["texts"][:], dict(file.attrs)
with h5py.File(small_map) as file:
    places, map_rows, method = file["coordinates"][:], file["rows"][:], file.attrs["method"]
# A point's own scale: the distance to its fifth neighbour on the map.
scale = np.empty(len(places))
for start in range(0, len(places), 500):
    part = places[start:start + 500]
    square = ((part[:, None] - places[None]) ** 2).sum(2)
    scale[start:start + len(part)] = np.sqrt(np.partition(square, 5, axis=1)[:, 5])
chosen = random.integers(0, len(places), points)
coordinates = (places[chosen] + random.normal(0, 1, (points, 2)) * scale[chosen, None]).astype(np.float32)
rows, dimension = map_rows[chosen], base.shape[1]
# Themes: the nearest of eleven rows.
theme = np.argmax(base @ base[random.choice(len(base), 11, replace=False)].T, axis=1)
string = h5py.string_dtype()
with h5py.File(folder / f"large-{points}.h5", "w") as file:
    for key, value in attributes.items():
        if key not in ("column_order", "group_column", "id_column", "text_column", "parts", "provenance"):
            file.attrs[key] = value
    vectors = file.create_dataset("embeddings", (points, dimension), np.float32)
    for start in range(0, points, 50_000):
        part = rows[start:start + 50_000]
        vectors[start:start + len(part)] = base[part] + random.normal(0, 0.01, (len(part), dimension)).astype(np.float32)
    file.create_dataset("texts", data=texts[rows].astype(object), dtype=string)
    file.create_dataset("groups", data=np.array([f"theme {t + 1}" for t in range(11)], object)[theme[rows]], dtype=string)
    file.create_dataset("columns/length", data=np.array([str(len(t)) for t in texts], object)[rows], dtype=string)
with h5py.File(folder / f"large-{points}-map.h5", "w") as file:
    file.attrs["format"], file.attrs["format_version"], file.attrs["method"] = "kotonoha/map", 1, method
    file.attrs["source"] = f"large-{points}.h5"
    file.create_dataset("coordinates", data=coordinates)
    file.create_dataset("rows", data=np.arange(points, dtype=np.int64))
