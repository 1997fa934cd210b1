import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.decomposition import PCA as Reference
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from kotonoha.estimators import PCA, TSNE, UMAP, SentenceVectors


@parametrize_with_checks([PCA(), TSNE(max_iter=10), UMAP()])
def test_scikit_learn_asks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("whiten", [False, True])
def test_pca_of_scikit_learn(whiten):
    x = np.random.default_rng(1).standard_normal((80, 6)) * [5, 4, 3, 2, 1, 0.5] + 1000
    ours, theirs = PCA(3, whiten=whiten).fit(x), Reference(3, whiten=whiten).fit(x)
    signs = np.sign((ours.components_ * theirs.components_).sum(1))
    assert np.allclose(ours.transform(x), theirs.transform(x) * signs, atol=1e-3)
    assert np.allclose(ours.inverse_transform(ours.transform(x)), theirs.inverse_transform(theirs.transform(x)), atol=1e-3)
    assert np.allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, atol=1e-6)


def test_a_pipeline_of_texts():
    texts = ["犬が走る", "犬が眠る", "子犬が遊ぶ", "株価が下がる", "銀行が貸す", "金利が上がる"] * 2
    model = make_pipeline(SentenceVectors(), PCA(4), LogisticRegression()).fit(texts, [0, 0, 0, 1, 1, 1] * 2)
    assert model.predict(["犬が食べる", "株を買う"]).tolist() == [0, 1]
