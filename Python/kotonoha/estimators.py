"""Estimators for scikit-learn's pipelines.

>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.linear_model import LogisticRegression
>>> from kotonoha.estimators import PCA, SentenceVectors
>>> model = make_pipeline(SentenceVectors(), PCA(20), LogisticRegression())
"""

from __future__ import annotations

from typing import Any, Iterable

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ._analysis import pca, tsne, umap
from ._encoder import Encoder

__all__ = ["PCA", "TSNE", "UMAP", "SentenceVectors"]


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Principal components by `kotonoha pca`; `n_components` None keeps all, a share below 1 those that explain so much variance."""

    def __init__(self, n_components: int | float | None = None, *, whiten: bool = False, seed: int = 0) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> PCA:
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        most = min(X.shape)
        count = most if self.n_components is None else self.n_components
        if count >= 1:
            count = min(int(count), most)
        # Far from zero a float32 has no digits left for what differs.
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        found = pca(X - self.mean_, count, seed=self.seed)
        self.mean_ = self.mean_ + found.mean
        self.components_ = found.components
        self.explained_variance_ = found.explained_variance
        self.explained_variance_ratio_ = found.explained_variance_ratio
        self.n_components_ = len(found.components)
        self._n_features_out = self.n_components_
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        found = (X - self.mean_) @ self.components_.T.astype(np.float64)
        if self.whiten:
            variance = np.asarray(self.explained_variance_)
            found = found / np.sqrt(np.where(variance > 0, variance, 1))
        return np.asarray(found, X.dtype)

    def inverse_transform(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        X = np.asarray(X)
        return np.asarray((X * np.sqrt(self.explained_variance_) if self.whiten else X) @ self.components_ + self.mean_)


class _Map(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A map has places for the rows that it was made of, so there is `fit_transform` and no `transform`."""

    def _map(self, X: NDArray[Any]) -> NDArray[np.float64]:
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None) -> Any:
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=4)
        self.embedding_ = self._map(X)
        self._n_features_out = self.embedding_.shape[1]
        return self

    def fit_transform(self, X: Any, y: Any = None, **_: Any) -> NDArray[np.float64]:
        return np.asarray(self.fit(X).embedding_)


class TSNE(_Map):
    """A map by `kotonoha tsne`: the same bits for a seed, with any number of threads."""

    def __init__(self, n_components: int = 2, *, perplexity: float | None = None, scale_to_unit: bool = False, max_iter: int = 500, seed: int = 0) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.scale_to_unit = scale_to_unit
        self.max_iter = max_iter
        self.seed = seed

    def _map(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return tsne(
            X, dimensions=self.n_components, perplexity=self.perplexity, raw_lengths=not self.scale_to_unit, iterations=self.max_iter, seed=self.seed)


class UMAP(_Map):
    """A map by `kotonoha umap`."""

    def __init__(self, *, n_neighbors: int | None = None, min_dist: float | None = None, scale_to_unit: bool = False, seed: int = 0) -> None:
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.scale_to_unit = scale_to_unit
        self.seed = seed

    def _map(self, X: NDArray[Any]) -> NDArray[np.float64]:
        # The usual 15, or all points where these are fewer.
        neighbors = min(15, len(X)) if self.n_neighbors is None else self.n_neighbors
        return umap(
            X, neighbors=neighbors, minimum_distance=self.min_dist, raw_lengths=not self.scale_to_unit, seed=self.seed)


class SentenceVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to vectors. Nothing is fitted; the program runs while `transform` does."""

    def __init__(self, model: str | None = None) -> None:
        self.model = model

    def fit(self, X: Iterable[str], y: Any = None) -> SentenceVectors:
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:
        with Encoder(self.model) as encoder:
            return encoder.encode([str(text) for text in X])

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags
