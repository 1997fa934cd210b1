"""Makes a large map and its vector file out of a small real vector file, for tools/explore-bench: rows are repeated with noise.
make_map.py SMALL.h5 POINTS FOLDER; needs h5py and numpy."""
import pathlib
import sys

import h5py
import numpy as np

small, points, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
random = np.random.default_rng(1)
with h5py.File(small) as file:
    base, texts, attributes = file["embeddings"][:].astype(np.float32), file["texts"][:], dict(file.attrs)
rows = random.integers(0, len(base), points)
dimension = base.shape[1]
# Themes: the nearest of some rows; each has its place on the map.
seeds = base[random.choice(len(base), 40, replace=False)]
theme = np.argmax(base @ seeds.T, axis=1)
centers = random.uniform(-60, 60, (40, 2))
spread = random.uniform(2, 9, 40)
coordinates = (centers[theme[rows]] + random.standard_t(4, (points, 2)) * spread[theme[rows]][:, None]).astype(np.float32)
string = h5py.string_dtype()
path = folder / "large.h5"
with h5py.File(path, "w") as file:
    for key, value in attributes.items():
        if key not in ("column_order", "group_column", "id_column", "text_column", "parts", "provenance"):
            file.attrs[key] = value
    vectors = file.create_dataset("embeddings", (points, dimension), np.float32)
    for start in range(0, points, 50_000):
        part = rows[start:start + 50_000]
        vectors[start:start + len(part)] = base[part] + random.normal(0, 0.01, (len(part), dimension)).astype(np.float32)
    file.create_dataset("texts", data=texts[rows].astype(object), dtype=string)
    file.create_dataset("groups", data=np.array([f"theme {t % 11}" for t in theme[rows]], object), dtype=string)
    file.create_dataset("columns/length", data=np.array([str(len(texts[r].split())) for r in rows], object), dtype=string)
with h5py.File(folder / "large-map.h5", "w") as file:
    file.attrs["format"], file.attrs["format_version"], file.attrs["method"] = "kotonoha/map", 1, "t-SNE"
    file.attrs["source"] = "large.h5"
    file.create_dataset("coordinates", data=coordinates)
    file.create_dataset("rows", data=np.arange(points, dtype=np.int64))
print(path)
