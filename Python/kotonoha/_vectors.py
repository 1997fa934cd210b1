"""Vector files of the program."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Mapping, Sequence

import h5py
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas


@dataclass
class Vectors:
    """What a `vectors.h5` holds."""

    vectors: NDArray[np.float32]
    """(rows, dimension)"""
    texts: list[str]
    valid: NDArray[np.bool_]
    """False for an empty cell, whose vector means nothing."""
    groups: list[str] | None = None
    ids: list[str] | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)
    model: str = ""
    provenance: str = ""
    """JSON: how the file was made."""

    def __len__(self) -> int:
        return len(self.texts)

    def to_frame(self) -> pandas.DataFrame:
        """Texts, groups, ids and columns as a frame of pandas; its index is the row. The vectors stay an array."""
        import pandas

        cells: dict[str, Any] = {"text": self.texts}
        if self.groups is not None:
            cells["group"] = self.groups
        if self.ids is not None:
            cells["id"] = self.ids
        cells.update(self.columns)
        cells["valid"] = self.valid
        return pandas.DataFrame(cells)


def _strings(file: h5py.File, name: str) -> list[str] | None:
    return list(file[name].asstr()[:]) if name in file else None


def read_vectors(path: str | os.PathLike[str]) -> Vectors:
    """Reads a file that `kotonoha embed` or `train words` wrote, with any `--store` but binary.

    Raises ValueError where it is another kind of file.
    """
    with h5py.File(path, "r") as file:
        kind = file.attrs.get("format")
        if kind != "kotonoha/vectors":
            raise ValueError(f"{os.fspath(path)} is not a file of vectors: its attribute format is {kind!r}, not 'kotonoha/vectors'")
        storage = str(file.attrs.get("storage", "float32"))
        if storage == "binary":
            raise ValueError(f"{os.fspath(path)} holds signs only (--store binary); there are no vectors to read")
        vectors = file["embeddings"][:].astype(np.float32, copy=False)
        if storage == "int8":
            vectors = vectors * file["scale"][:][:, None]
        columns = {}
        if "columns" in file:
            for name in file["columns"]:
                columns[_unescaped(name)] = list(file["columns"][name].asstr()[:])
        valid = file["valid"][:].astype(bool) if "valid" in file else np.ones(len(vectors), bool)
        return Vectors(
            vectors=vectors, texts=_strings(file, "texts") or [], valid=valid, groups=_strings(file, "groups"), ids=_strings(file, "ids"), columns=columns,
            model=str(file.attrs.get("model", "")), provenance=str(file.attrs.get("provenance", "")))


def write_vectors(
    path: str | os.PathLike[str], vectors: NDArray[Any], texts: Sequence[str] | None = None, columns: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Writes vectors so that every command of the program reads them: `kotonoha tsne`, `mine`, `contrast`.

    `vectors` is (rows, dimension), finite; texts are the rows' numbers where none are given. A file that is there is replaced.
    """
    vectors = np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2 or vectors.size == 0:
        raise ValueError(f"vectors have shape {vectors.shape}; (rows, dimension) with at least one of each was expected")
    if not np.isfinite(vectors).all():
        raise ValueError(f"row {int(np.flatnonzero(~np.isfinite(vectors).all(1))[0])} holds NaN or infinity (or a number beyond float32)")
    texts = [str(row) for row in range(len(vectors))] if texts is None else list(texts)
    for name, cells in {"texts": texts, **(columns or {})}.items():
        if len(cells) != len(vectors):
            raise ValueError(f"{name} has {len(cells)} entries for {len(vectors)} vectors")
    part = os.fspath(path) + ".partial"
    try:
        with h5py.File(part, "w") as file:
            file.attrs.update({"format": "kotonoha/vectors", "format_version": 1, "dimension": vectors.shape[1], "storage": "float32"})
            file.create_dataset("embeddings", data=vectors)
            file.create_dataset("texts", data=texts, dtype=h5py.string_dtype())
            for name, cells in (columns or {}).items():
                file.create_dataset("columns/" + _escaped(name), data=[str(cell) for cell in cells], dtype=h5py.string_dtype())
            if columns:
                import json

                file.attrs["column_order"] = json.dumps(list(columns), ensure_ascii=False)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


def _escaped(name: str) -> str:
    return "%2E" if name == "." else name.replace("%", "%25").replace("/", "%2F")


def _unescaped(name: str) -> str:
    return name.replace("%2F", "/").replace("%2E", ".").replace("%25", "%")
