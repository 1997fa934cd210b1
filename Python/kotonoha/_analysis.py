"""Components, maps and rankings of arrays, computed by the program."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ._program import run
from ._vectors import write_vectors


def _option(name: str, value: object) -> list[str]:
    """`early_exaggeration=4` → `--early-exaggeration 4`; True is a flag, None and False are nothing."""
    if value is None or value is False:
        return []
    return ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])


def _options(options: dict[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in _option(name, value)]


@dataclass
class Components:
    """Principal components."""

    coordinates: NDArray[np.float32]
    """(rows, components)"""
    components: NDArray[np.float32]
    """(components, dimension); the largest entry of each is positive."""
    mean: NDArray[np.float32]
    explained_variance: NDArray[np.float64]
    explained_variance_ratio: NDArray[np.float64]

    def transform(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Coordinates of other rows, not whitened."""
        return np.asarray((np.asarray(x, np.float64) - self.mean) @ self.components.T.astype(np.float64), np.float32)


def pca(x: NDArray[Any], components: int | float = 50, **options: Any) -> Components:
    """Principal components of rows: so many, or the share of variance to explain (below 1). Options are those of `kotonoha pca`."""
    with tempfile.TemporaryDirectory(prefix="kotonoha-") as folder:
        source, target = str(Path(folder, "x.h5")), str(Path(folder, "pca.h5"))
        write_vectors(source, x)
        run("pca", source, "-o", target, "--components", str(components), "--quiet", *_options(options))
        with h5py.File(target, "r") as file:
            return Components(
                coordinates=file["coordinates"][:], components=file["components"][:], mean=file["mean"][:],
                explained_variance=file["explained_variance"][:], explained_variance_ratio=file["explained_variance_ratio"][:])


def _map(command: str, x: NDArray[Any], options: dict[str, Any]) -> NDArray[np.float64]:
    with tempfile.TemporaryDirectory(prefix="kotonoha-") as folder:
        source, target = str(Path(folder, "x.h5")), str(Path(folder, "map.h5"))
        write_vectors(source, x)
        run(command, source, "-o", target, "--quiet", *_options(options))
        with h5py.File(target, "r") as file:
            return np.asarray(file["coordinates"][:])


def tsne(x: NDArray[Any], **options: Any) -> NDArray[np.float64]:
    """A t-SNE map, (rows, 2). Options are those of `kotonoha tsne`: `perplexity=15`, `seed=1`, `raw_lengths=True` (vectors are scaled to length 1 otherwise)."""
    return _map("tsne", x, options)


def umap(x: NDArray[Any], **options: Any) -> NDArray[np.float64]:
    """A UMAP map, (rows, 2). Options are those of `kotonoha umap`."""
    return _map("umap", x, options)


def rank(vectors: NDArray[Any], queries: NDArray[Any], top: int = 10) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The rows nearest to each query by the cosine: scores and row numbers, both (queries, top), the best first; equal ones in the order of the rows.

    Computed here, exactly, a block of queries at a time; `kotonoha rank` looks through files.
    """
    x, q = np.asarray(vectors), np.atleast_2d(np.asarray(queries))
    if x.ndim != 2 or q.ndim != 2 or x.shape[1] != q.shape[1]:
        raise ValueError(f"vectors have shape {x.shape}, queries {q.shape}; two axes each and the same dimension were expected")
    top = min(int(top), len(x))
    if top < 1:
        raise ValueError("top must be at least 1, of at least one vector")
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    scale = np.where(lengths > 0, 1 / np.where(lengths > 0, lengths, 1), 0)
    scores, rows = np.empty((len(q), top), np.float32), np.empty((len(q), top), np.int64)
    for start in range(0, len(q), 256):
        block = q[start:start + 256].astype(np.float64)
        norm = np.linalg.norm(block, axis=1, keepdims=True)
        cosines = ((block / np.where(norm > 0, norm, 1)).astype(x.dtype) @ x.T) * scale
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :top]
        rows[start:start + 256] = order
        scores[start:start + 256] = np.take_along_axis(cosines, order, axis=1)
    return scores, rows
