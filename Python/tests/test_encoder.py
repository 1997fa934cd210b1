import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from kotonoha import Encoder, KotonohaError, read_vectors, run
from kotonoha._program import program


def test_shapes_and_facts(encoder):
    assert encoder.encode(["two dogs", "猫が眠る"]).shape == (2, encoder.dimension)
    one = encoder.encode("two dogs")
    assert one.shape == (encoder.dimension,) and one.dtype == np.float32
    assert encoder.encode([]).shape == (0, encoder.dimension)
    assert encoder.model == "kotonoha-small" and encoder.get_sentence_embedding_dimension() == encoder.dimension


def test_the_bits_of_embed(encoder, captions, tmp_path):
    path, texts = captions
    target = tmp_path / "v.h5"
    run("embed", str(path), "-o", str(target), "--column", "text", "--quiet")
    file = read_vectors(target)
    assert file.texts == texts
    assert np.array_equal(encoder.encode(texts).view(np.uint32), file.vectors.view(np.uint32))


def test_alone_and_in_a_batch(encoder, captions):
    texts = captions[1][:50]
    together = encoder.encode(texts)
    for row, text in enumerate(texts[:10]):
        assert np.array_equal(encoder.encode(text).view(np.uint32), together[row].view(np.uint32))


def test_more_than_a_portion(encoder):
    texts = ["犬", "a cat", "", "two dogs play"] * 2500
    vectors = encoder.encode(iter(texts))
    assert np.array_equal(vectors[:4], vectors[9996:]) and np.array_equal(vectors[:4], vectors[8192:8196])
    assert not vectors[2].any()


def test_odd_texts(encoder):
    texts = ["   ", "a\nb", "a\0b", "\ud83d", "x" * 100_000, "👩‍👩‍👧"]
    vectors = encoder.encode(texts)
    assert np.isfinite(vectors).all() and not vectors[0].any() and vectors[4].any()


def test_prompts_start_a_program_of_their_own(encoder):
    assert np.array_equal(encoder.encode("犬", prompt="query: "), encoder.encode("query: 犬"))
    with pytest.raises(KotonohaError, match="(?s)prompt"):
        encoder.encode("犬", prompt_name="none-such")
    assert encoder.encode("犬").shape == (encoder.dimension,)


def test_lengths(encoder):
    vectors = encoder.encode(["two dogs", ""], normalize_embeddings=True)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-6) and not vectors[1].any()
    with Encoder(truncate_dim=64, normalize=True) as short:
        assert short.dimension == 64 and short.is_normalized
        assert np.linalg.norm(short.encode("two dogs")) == pytest.approx(1, abs=1e-6)


def test_similarity(encoder):
    a, b = encoder.encode(["犬が走る"]), encoder.encode(["A dog is running", ""])
    cosines = encoder.similarity(a, b)
    assert cosines.shape == (1, 2) and cosines[0, 1] == 0
    assert float(run("similarity", "犬が走る", "A dog is running")) == pytest.approx(cosines[0, 0], abs=1e-4)


@pytest.mark.parametrize("arguments", [
    {"output_value": "token_embeddings"}, {"precision": "int8"}, {"convert_to_tensor": True}, {"pool": 1}, {"prompt": "a", "prompt_name": "b"}])
def test_what_cannot_be_done_is_refused(encoder, arguments):
    with pytest.raises(ValueError):
        encoder.encode("犬", **arguments)


def test_arguments_of_sentence_transformers(encoder):
    vectors = encoder.encode(["犬"], None, None, 32, show_progress_bar=False, convert_to_numpy=True, device="cpu")
    assert np.array_equal(vectors, encoder.encode(["犬"]))


def test_not_a_text(encoder):
    with pytest.raises(TypeError, match=r"sentences\[1\] is int"):
        encoder.encode(["犬", 3])


def test_no_such_model():
    with pytest.raises(KotonohaError, match="none-such") as caught:
        Encoder("none-such")
    assert caught.value.status == 66


def test_an_unknown_option():
    with pytest.raises(KotonohaError) as caught:
        Encoder(colour="red")
    assert caught.value.status == 64


def test_a_killed_program_is_an_error_and_comes_back():
    with Encoder() as encoder:
        child = next(iter(encoder._children.values()))
        child._process.kill()
        child._process.wait()
        with pytest.raises(KotonohaError):
            encoder.encode("犬")
        assert encoder.encode("犬").shape == (encoder.dimension,)


def test_an_interruption_starts_anew(encoder, monkeypatch):
    with Encoder() as own:
        child = next(iter(own._children.values()))

        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(child, "_fill", interrupted)
        with pytest.raises(KeyboardInterrupt):
            own.encode(["犬"] * 3)
        assert child._process.poll() is not None
        assert np.array_equal(own.encode("犬"), encoder.encode("犬"))


def test_threads(encoder):
    expected, found = encoder.encode("犬が走る"), []
    threads = [threading.Thread(target=lambda: found.append(encoder.encode("犬が走る"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(np.array_equal(expected, vector) for vector in found)


def test_a_fork_has_its_own_program(encoder):
    expected = encoder.encode("犬")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if np.array_equal(encoder.encode("犬"), expected) else 2
        finally:
            os._exit(status)
    os.close(writer), os.close(reader)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert np.array_equal(encoder.encode("犬"), expected)


def test_the_program_ends_with_python():
    """A child whose parent was killed sees the end of its input."""
    code = "import sys; from kotonoha import Encoder; e = Encoder(); print(next(iter(e._children.values()))._process.pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not os.path.exists(f"/proc/{pid}") or open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] == "Z":
            break
        threading.Event().wait(0.05)
    else:
        pytest.fail("the program still runs")


def test_a_broken_request_ends_the_program():
    done = subprocess.run([program(), "internal-stream"], input=b"\xff\xff\xff\xff", capture_output=True)
    assert done.returncode == 65 and b"protocol" in done.stderr
    done = subprocess.run([program(), "internal-stream"], input=b"\x01\0\0\0\x05\0\0\0ab", capture_output=True)
    assert done.returncode == 65 and b"ends within a request" in done.stderr
