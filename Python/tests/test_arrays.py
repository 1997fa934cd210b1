import json

import h5py
import numpy as np
import pytest

from kotonoha import KotonohaError, pca, rank, read_vectors, run, tsne, umap, write_vectors


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)


def test_pca_against_numpy(x):
    found = pca(x, 3)
    centred = x.astype(np.float64) - x.mean(0, dtype=np.float64)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    for row in range(3):
        axis = axes[row] * np.sign(axes[row][np.argmax(np.abs(axes[row]))])
        assert np.allclose(found.components[row], axis, atol=1e-5)
    assert np.allclose(found.explained_variance, values[:3] ** 2 / 59, rtol=1e-5)
    assert np.allclose(found.coordinates, found.transform(x), atol=1e-5)


def test_pca_by_share(x):
    found = pca(x, 0.9)
    assert found.explained_variance_ratio.sum() >= 0.9 > found.explained_variance_ratio[:-1].sum()


@pytest.mark.parametrize("method", [tsne, umap])
def test_maps_repeat(x, method):
    first = method(x)
    assert first.shape == (60, 2) and np.isfinite(first).all()
    assert np.array_equal(first, method(x, threads=1))
    assert not np.array_equal(first, method(x, seed=1))


def test_a_map_is_that_of_the_command(x, tmp_path):
    write_vectors(tmp_path / "x.h5", x)
    run("tsne", str(tmp_path / "x.h5"), "-o", str(tmp_path / "map.h5"), "--perplexity", "5")
    with h5py.File(tmp_path / "map.h5") as file:
        assert np.array_equal(file["coordinates"][:], tsne(x, perplexity=5))


def test_an_option_that_is_refused(x):
    with pytest.raises(KotonohaError, match="perplexity 100") as caught:
        tsne(x, perplexity=100)
    assert caught.value.status in (64, 65)


def test_rank_against_the_definition(x):
    x[7] = 0
    scores, rows = rank(x, x[:5], top=60)
    for query in range(5):
        cosines = [0 if row == 7 else float(np.dot(x[query], x[row]) / np.linalg.norm(x[query]) / np.linalg.norm(x[row])) for row in range(60)]
        assert np.allclose(scores[query], np.array(cosines)[rows[query]], atol=1e-6)
        assert rows[query][0] == query and sorted(rows[query]) == list(range(60))
        assert (np.diff(scores[query]) <= 0).all()


def test_rank_of_equals_keeps_the_order():
    scores, rows = rank(np.ones((4, 3), np.float32), np.ones(3), top=9)
    assert rows.tolist() == [[0, 1, 2, 3]] and np.allclose(scores, 1)


def test_rank_refuses_other_dimensions(x):
    with pytest.raises(ValueError, match="dimension"):
        rank(x, np.ones(3))


def test_files_go_both_ways(x, tmp_path):
    path = tmp_path / "v.h5"
    write_vectors(path, x, [f"文{i}" for i in range(60)], {"a/b": ["1"] * 60, ".": [str(i) for i in range(60)]})
    file = read_vectors(path)
    assert np.array_equal(file.vectors, x) and file.texts[3] == "文3" and file.columns["."][59] == "59" and file.valid.all()
    # The program sees the same.
    found = json.loads(run("info", str(path), "--json"))
    assert found["rows"] == 60 and found["dimension"] == 8
    run("vectors", "select", str(path), "-o", str(tmp_path / "w.h5"), "--where", ".=7")
    assert read_vectors(tmp_path / "w.h5").texts == ["文7"] and set(read_vectors(tmp_path / "w.h5").columns) == {"a/b", "."}


@pytest.mark.parametrize("store, tolerance", [("float16", 1e-3), ("int8", 1e-2)])
def test_shorter_vectors(tmp_path, store, tolerance):
    (tmp_path / "t.txt").write_text("two dogs\n\n犬が走る\n", encoding="utf-8")
    run("embed", str(tmp_path / "t.txt"), "-o", str(tmp_path / "a.h5"))
    run("embed", str(tmp_path / "t.txt"), "-o", str(tmp_path / "b.h5"), "--store", store)
    a, b = read_vectors(tmp_path / "a.h5"), read_vectors(tmp_path / "b.h5")
    assert np.abs(a.vectors - b.vectors).max() < tolerance and a.valid.tolist() == b.valid.tolist() == [True, False, True]


def test_binary_vectors_are_refused(tmp_path):
    (tmp_path / "t.txt").write_text("two dogs\n", encoding="utf-8")
    run("embed", str(tmp_path / "t.txt"), "-o", str(tmp_path / "a.h5"), "--store", "binary")
    with pytest.raises(ValueError, match="binary"):
        read_vectors(tmp_path / "a.h5")


def test_another_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["embeddings"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match="not a file of vectors"):
        read_vectors(tmp_path / "x.h5")


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 3)), np.array([[1.0, np.nan]]), np.array([[1e300, 0]])])
def test_arrays_that_are_refused(tmp_path, bad):
    with pytest.raises(ValueError):
        with np.errstate(over="ignore"):
            write_vectors(tmp_path / "x.h5", bad)
    assert not list(tmp_path.iterdir())


def test_frames(tmp_path):
    pandas = pytest.importorskip("pandas")
    write_vectors(tmp_path / "v.h5", np.eye(3), ["a", "b", "c"], {"n": ["1", "2", "3"]})
    frame = read_vectors(tmp_path / "v.h5").to_frame()
    assert isinstance(frame, pandas.DataFrame) and list(frame.columns) == ["text", "n", "valid"] and frame.n.tolist() == ["1", "2", "3"]
