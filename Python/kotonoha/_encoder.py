"""Texts to vectors, by a child process that stays."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import tempfile
import threading
from typing import IO, Any, Iterable, Sequence, overload

import numpy as np
from numpy.typing import NDArray

from ._program import KotonohaError, environment, program

# Texts of one request: so many as `embed` takes at a time, so that both spend the same time on a text.
_PORTION = 8192


class _Child:
    """`kotonoha internal-stream`: requests down its standard input, answers up its standard output (StreamCommand.swift has the protocol)."""

    def __init__(self, options: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()
        # A session of its own: Control-C is for Python, which ends the child by itself.
        self._process = subprocess.Popen(
            [program(), "internal-stream", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environment(),
            start_new_session=True)
        try:
            if self._read(4) != b"KTN1":
                raise KotonohaError("this program does not speak the protocol of this package; are they of one version?", 70)
            self.facts: dict[str, Any] = json.loads(self._read(self._number()))
        except BaseException:
            self.close()
            raise

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        found = self._process.stdout.read(count)
        if len(found) < count:
            self._ended()
        return found

    def _number(self) -> int:
        return int(struct.unpack("<I", self._read(4))[0])

    def _ended(self) -> None:
        """The child is gone: its last words are the error."""
        status = self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode("utf-8", "replace").strip()
        raise KotonohaError(words or f"kotonoha ended with {status}", status)

    def _send(self, texts: Sequence[str]) -> None:
        parts = [struct.pack("<I", len(texts))]
        for text in texts:
            # A half of a surrogate pair is no character; U+FFFD stands for it, as in every file that is read leniently.
            encoded = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode() if _has_surrogate(text) else text.encode()
            parts += [struct.pack("<I", len(encoded)), encoded]
        self._input.write(b"".join(parts))
        self._input.flush()

    def encode(self, portions: Sequence[Sequence[str]], into: NDArray[np.float32]) -> None:
        """Portions go down by a thread while answers come up, so that the child never waits for either."""

        def send() -> None:
            try:
                for portion in portions:
                    self._send(portion)
            except OSError:
                pass  # The reader sees the end and says why.

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        failure: KotonohaError | None = None
        row = 0
        for portion in portions:
            status = self._number()
            if status != 0:
                message = self._read(self._number()).decode("utf-8", "replace")
                failure = failure or KotonohaError(message, status)
                continue
            rows, dimension = self._number(), self._number()
            assert rows == len(portion) and dimension == into.shape[1]
            self._fill(into[row:row + rows])
            row += rows
        sender.join()
        if failure is not None:
            raise failure

    def _fill(self, rows: NDArray[np.float32]) -> None:
        assert self._process.stdout is not None
        view = rows.reshape(-1).view(np.uint8).data if rows.size else memoryview(b"")
        done = 0
        while done < len(view):
            got = self._process.stdout.readinto(view[done:])  # type: ignore[attr-defined]
            if not got:
                self._ended()
            done += got

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        self._process.wait()
        self._errors.close()


def _has_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Encoder:
    """A sentence model. The program is started once and ends with `close`, at the end of a `with`, or with this process.

    `model` is a folder, a name that `kotonoha model list` knows, or a file of word vectors; None is the model that comes with the program.
    `options` are those of `kotonoha embed` for models: `precision="bf16"`, `threads=1`, `max_length=128`, `truncate_dim=64`, `normalize=True`.

    Vectors have the bits of `kotonoha embed` with the same options; a text of white space has zeros. Safe to use from several threads, one of which
    encodes at a time.
    """

    def __init__(self, model: str | None = None, **options: str | int | bool | None) -> None:
        self._options: list[str] = [] if model is None else ["--model", str(model)]
        for name, value in options.items():
            if value is None or value is False:
                continue
            self._options.append("--" + name.replace("_", "-"))
            if value is not True:
                self._options.append(str(value))
        self._lock = threading.Lock()
        self._children: dict[tuple[str | None, str | None], _Child] = {}
        self._owner = os.getpid()
        self._facts = self._child(None, None).facts

    def _child(self, prompt: str | None, prompt_name: str | None) -> _Child:
        if os.getpid() != self._owner:
            # A fork of this process: the children are the other's, who goes on with them.
            self._children, self._owner = {}, os.getpid()
        key = (prompt, prompt_name)
        if key not in self._children:
            extra = (["--prompt", prompt] if prompt else []) + (["--prompt-name", prompt_name] if prompt_name else [])
            self._children[key] = _Child(self._options + extra)
        return self._children[key]

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self._facts["model"])

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self._facts["dimension"])

    @property
    def max_length(self) -> int:
        """The longest text in tokens; longer ones are cut."""
        return int(self._facts["max_length"])

    @property
    def is_normalized(self) -> bool:
        """Whether vectors come out with length 1."""
        return bool(self._facts["normalized"])

    def get_sentence_embedding_dimension(self) -> int:
        """As sentence-transformers calls `dimension`."""
        return self.dimension

    @overload
    def encode(self, sentences: str, prompt_name: str | None = ..., prompt: str | None = ..., **others: Any) -> NDArray[np.float32]: ...
    @overload
    def encode(self, sentences: Iterable[str], prompt_name: str | None = ..., prompt: str | None = ..., **others: Any) -> NDArray[np.float32]: ...

    def encode(
        self, sentences: str | Iterable[str], prompt_name: str | None = None, prompt: str | None = None, batch_size: int = _PORTION,
        show_progress_bar: bool | None = None, output_value: str | None = "sentence_embedding", precision: str = "float32", convert_to_numpy: bool = True,
        convert_to_tensor: bool = False, device: str | None = None, normalize_embeddings: bool = False, **others: Any,
    ) -> NDArray[np.float32]:
        """Vectors of sentences, float32 of shape (n, dimension); of one string, shape (dimension,).

        The arguments are those of sentence-transformers' `SentenceTransformer.encode`, in its order. `batch_size`, `show_progress_bar` and `device` change
        nothing here: the bits do not depend on batches, and the program chooses them. What cannot be done raises ValueError.
        """
        if output_value != "sentence_embedding":
            raise ValueError(f"output_value={output_value!r}: only 'sentence_embedding' is here; `kotonoha embed --tokens` writes vectors of words")
        if precision != "float32":
            raise ValueError(f"precision={precision!r}: vectors are float32 here; `kotonoha embed --store int8` stores shorter ones")
        if convert_to_tensor or not convert_to_numpy:
            raise ValueError("vectors come as numpy arrays; torch.from_numpy makes a tensor of them")
        if others:
            raise ValueError(f"unknown arguments: {', '.join(sorted(others))}")
        if prompt is not None and prompt_name is not None:
            raise ValueError("prompt and prompt_name exclude each other")
        is_one = isinstance(sentences, str)
        texts = [sentences] if isinstance(sentences, str) else list(sentences)
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"sentences[{index}] is {type(text).__name__}, not str")
        portions = [texts[start:start + _PORTION] for start in range(0, len(texts), _PORTION)]
        if os.getpid() != self._owner:
            self._lock = threading.Lock()
        with self._lock:
            child = self._child(prompt, prompt_name)
            vectors = np.empty((len(texts), int(child.facts["dimension"])), np.float32)
            try:
                child.encode(portions, vectors)
            except BaseException as error:
                # After an interruption nobody knows where the child stands; the next call starts another. Errors that it answers leave it ready.
                if not isinstance(error, KotonohaError) or child._process.poll() is not None:
                    child.close()
                    self._children.pop((prompt, prompt_name), None)
                raise
        if normalize_embeddings:
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
            vectors /= np.where(lengths > 0, lengths, 1).astype(np.float32)[:, None]
        return vectors[0] if is_one else vectors

    def encode_query(self, sentences: str | Iterable[str], **arguments: Any) -> NDArray[np.float32]:
        """`encode` with the model's prompt named query."""
        return self.encode(sentences, prompt_name="query", **arguments)

    def similarity(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float32]:
        """Cosines, (rows of a, rows of b). A row of zeros has 0."""
        return np.asarray(_unit(a) @ _unit(b).T, np.float32)

    def close(self) -> None:
        """Ends the program. `encode` starts it again."""
        if os.getpid() == self._owner:
            for child in self._children.values():
                child.close()
        self._children.clear()

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_children"):
            self.close()

    def __repr__(self) -> str:
        return f"Encoder({self.model!r}, dimension={self.dimension})"


def _unit(x: NDArray[Any]) -> NDArray[np.float64]:
    x = np.atleast_2d(np.asarray(x, np.float64))
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(lengths > 0, lengths, 1), np.float64)
