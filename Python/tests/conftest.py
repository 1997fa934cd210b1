import os
from pathlib import Path

import pytest

os.environ.setdefault("KOTONOHA_CACHE", "off")


@pytest.fixture(scope="session")
def encoder():
    from kotonoha import Encoder

    with Encoder() as encoder:
        yield encoder


@pytest.fixture(scope="session")
def captions():
    """700 sentences in Japanese and English, where the checkout is beside the tests."""
    path = Path(__file__).parents[2] / "Datasets" / "captions.tsv"
    if not path.exists():
        pytest.skip("the checkout's Datasets are not here")
    lines = path.read_text(encoding="utf-8").splitlines()
    column = lines[0].split("\t").index("text")
    return path, [line.split("\t")[column] for line in lines[1:]]
