"""Sentence embeddings by the program kotonoha, as numpy arrays.

>>> from kotonoha import Encoder
>>> with Encoder() as encoder:
...     encoder.encode(["two dogs play in snow", "猫が眠る"]).shape
(2, 384)
"""

from ._analysis import Components, pca, rank, tsne, umap
from ._encoder import Encoder
from ._program import KotonohaError, __version__, run
from ._vectors import Vectors, read_vectors, write_vectors

__all__ = [
    "Components", "Encoder", "KotonohaError", "Vectors", "__version__", "pca", "rank", "read_vectors", "run", "tsne", "umap", "write_vectors",
]
