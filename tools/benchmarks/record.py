"""Keeps how fast Kotonoha is beside a yardstick, and says when it has become slower.

record.py record FILE [--runs 5] [--only WORK,...]      measures and writes FILE (JSON)
record.py against FILE [--runs 5] [--only WORK,...]     measures again; ends with 1 where a ratio fell by more than its noise

Every run times Kotonoha and its yardstick one after the other, so that a busy minute hits both; a ratio is the yardstick's seconds over Kotonoha's, and
what is compared is the median of at least five. The yardstick is what every machine with NumPy has: NumPy's own matrix product for work that is
products, NumPy over a mapped array for a search, the start of Python for a start. Absolute seconds stand in the file as well, for readers.

Noise is half of the range of the middle three fifths of the runs, of the old or of the new measurement, whichever is larger, and never below 3 % of the ratio.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

root = pathlib.Path(__file__).resolve().parents[2]
built = root / ".build/release"
least_runs, least_noise = 5, 0.03


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def command(*words):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def products(count):
    """NumPy's product of (1024, 384) and (384, 1536), so many times."""
    a = np.ones((1024, 384), np.float32)
    b = np.ones((384, 1536), np.float32)
    return lambda: [a @ b for _ in range(count)]


def works(folder):
    """Name, Kotonoha's seconds, the yardstick's seconds; each a function that measures one run."""
    captions = folder / "captions.txt"
    with open(root / "Datasets/captions.tsv", encoding="utf-8") as file:
        lines = [line.split("\t")[2].strip() for line in file if line.split("\t")[1] == "en"]
    captions.write_text("\n".join((lines * 10)[:1000]) + "\n", encoding="utf-8")
    rows, width = 200_000, 256
    vectors = folder / "x.f32"
    rng = np.random.default_rng(0)
    with open(vectors, "wb") as file:
        for _ in range(20):
            x = rng.standard_normal((rows // 20, width), dtype=np.float32)
            (x / np.linalg.norm(x, axis=1, keepdims=True)).tofile(file)
    mapped = np.memmap(vectors, np.float32, "r", shape=(rows, width))

    def bench(*words):
        return json.loads(command(built / "analysis-bench", *words))["s"]

    def embed(precision):
        return lambda: seconds(lambda: command(built / "kotonoha", "embed", captions, "-o", folder / "v.h5", "--precision", precision, "--quiet", "--force"))

    def scan(queries):
        def work():
            for first in range(0, queries, 100):
                cosines = mapped[first : min(first + 100, queries)] @ mapped.T
                np.argpartition(-cosines, 10, axis=1)[:, :10]

        return lambda: seconds(work)

    product = products(200)
    start = lambda: seconds(lambda: command(sys.executable, "-c", "import json"))
    for precision in ("f32", "bf16", "int8"):
        yield f"embed 1,000 captions, {precision}", embed(precision), lambda: seconds(product)
    yield "similarity from a cold start", lambda: seconds(lambda: command(built / "kotonoha", "similarity", "two dogs play", "a cat sleeps", "--quiet")), start
    yield f"one query in {rows:,} x {width}", lambda: bench("search", vectors, rows, width, "queries=1"), scan(1)
    yield f"200 queries in {rows:,} x {width}", lambda: bench("search", vectors, rows, width, "queries=200"), scan(200)


def conditions():
    names = {}
    for line in open("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        names.setdefault(key.strip(), value.strip())
    processor = " ".join(names.get(key, "") for key in ("model name", "cpu family", "model", "stepping")).strip()
    program = json.loads(command(built / "kotonoha", "info", "--json")) if (built / "kotonoha").exists() else {}
    return {
        "processor": processor, "cores": os.cpu_count(), "system": platform.platform(), "numpy": np.__version__, "program": program,
        "date": datetime.date.today().isoformat(),
    }


def measure(runs, only):
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for name, ours, yardstick in works(pathlib.Path(place)):
            if only and not any(part in name for part in only):
                continue
            ours(), yardstick()
            pairs = [(ours(), yardstick()) for _ in range(runs)]
            ratios = [theirs / own for own, theirs in pairs]
            found[name] = {
                "ratio": statistics.median(ratios), "noise": noise(ratios), "ratios": ratios,
                "seconds": [own for own, _ in pairs], "yardstick_seconds": [theirs for _, theirs in pairs],
            }
            entry = found[name]
            print(f"{name:40}{statistics.median(entry['seconds']):10.3f} s  ratio {entry['ratio']:.3f} +- {entry['noise']:.3f}", flush=True)
    if not found:
        sys.exit("no work is called so")
    return found


def noise(ratios):
    ordered = sorted(ratios)
    cut = len(ordered) // 5
    middle = ordered[cut : len(ordered) - cut]
    return max((middle[-1] - middle[0]) / 2, least_noise * statistics.median(ratios))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["record", "against"])
    parser.add_argument("file")
    parser.add_argument("--runs", type=int, default=least_runs)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    options = parser.parse_args()
    if options.runs < least_runs:
        sys.exit(f"at least {least_runs} runs make a median")
    if options.what == "record":
        record = {"format": "kotonoha/bench", "format_version": 1, **conditions(), "runs": options.runs, "works": measure(options.runs, options.only)}
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        temporary = options.file + ".tmp"
        pathlib.Path(temporary).write_text(text, encoding="utf-8")
        os.replace(temporary, options.file)
        return
    old = json.loads(pathlib.Path(options.file).read_text(encoding="utf-8"))
    here = conditions()
    if old.get("format") != "kotonoha/bench":
        sys.exit(f"{options.file}: no record of tools/bench")
    if old["processor"] != here["processor"]:
        sys.exit(f"{options.file}: measured on {old['processor']}, and this is {here['processor']}; ratios of two processors say nothing about the program")
    new, slower = measure(options.runs, options.only), []
    for name, entry in new.items():
        before = old["works"].get(name)
        if not before:
            continue
        allowed = max(before["noise"], entry["noise"])
        fell = before["ratio"] - entry["ratio"] > allowed
        print(f"{name:40}{before['ratio']:8.3f} -> {entry['ratio']:.3f}, noise {allowed:.3f}{'  SLOWER' if fell else ''}")
        if fell:
            slower.append(name)
    if slower:
        sys.exit(f"slower than on {old['date']}: {'; '.join(slower)}")


main()
