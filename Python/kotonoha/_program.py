"""Where the program is, and how it is run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

try:
    from ._version import __version__ as __version__
except ImportError:  # The folder of the checkout, not a wheel.
    __version__ = "0+checkout"


class KotonohaError(RuntimeError):
    """What the program says is wrong. `status` is its exit status: 64 usage, 65 data, 66 no input, 69 network, 71 memory, 73 and 74 files."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def program() -> str:
    """Path of the program: KOTONOHA_PROGRAM, else the one in the wheel, else the first on the PATH."""
    named = os.environ.get("KOTONOHA_PROGRAM")
    if named:
        return named
    own = Path(__file__).resolve().parent / "_dist" / "bin" / "kotonoha"
    if own.is_file():
        return str(own)
    found = shutil.which("kotonoha")
    if found is None:
        raise KotonohaError("the program kotonoha is neither in this package nor on the PATH; name it in KOTONOHA_PROGRAM", 66)
    return found


def environment() -> dict[str, str]:
    """That of this process; the IPA dictionary of the package ipadic (`kotonoha[ja]`) is used where KOTONOHA_MECAB_DIC names no other."""
    variables = dict(os.environ)
    if not os.path.exists("/proc/self/exe"):
        # The dynamic linker asks /proc where the program lies, whose libraries are beside it.
        variables.setdefault("LD_ORIGIN_PATH", os.path.dirname(os.path.realpath(program())))
    if "KOTONOHA_MECAB_DIC" not in variables:
        package = importlib.util.find_spec("ipadic")
        if package is not None and package.origin is not None:
            dictionary = Path(package.origin).parent / "dicdir"
            if dictionary.is_dir():
                variables["KOTONOHA_MECAB_DIC"] = str(dictionary)
    return variables


def run(*arguments: str, input: str | None = None) -> str:
    """Runs the program and returns its standard output.

    Raises KotonohaError with its message where it fails; notes go to nobody.
    """
    words: Sequence[str] = [program(), *arguments]
    done = subprocess.run(words, input=input, capture_output=True, encoding="utf-8", env=environment(), check=False)
    if done.returncode != 0:
        raise KotonohaError(done.stderr.strip() or f"kotonoha ended with {done.returncode}", done.returncode)
    return done.stdout


def main() -> None:
    """The console script: this process becomes the program."""
    path = program()
    try:
        os.execve(path, [path, *sys.argv[1:]], environment())
    except OSError as error:
        sys.exit(f"kotonoha: {path} cannot be run: {error.strerror} (it needs Linux on x86-64 and glibc 2.35 or newer)")
