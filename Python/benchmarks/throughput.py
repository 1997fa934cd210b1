"""Encoder against `kotonoha embed`: throughput.py CAPTIONS.tsv [COPIES]. Medians of five runs that take turns; texts differ by a number, so that none repeats."""
import statistics
import sys
import tempfile
import time
from pathlib import Path

from kotonoha import Encoder, run

lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
column = lines[0].split("\t").index("text")
texts = [f"{line.split(chr(9))[column]} {copy}" for copy in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20) for line in lines[1:]]

firsts = []
for _ in range(5):
    begin = time.perf_counter()
    with Encoder() as encoder:
        encoder.encode(texts[0])
        firsts.append(time.perf_counter() - begin)
print(f"first vector: {statistics.median(firsts):.3f} s (range {min(firsts):.3f} to {max(firsts):.3f})")

with tempfile.TemporaryDirectory() as folder, Encoder() as encoder:
    source, target = Path(folder, "texts.txt"), Path(folder, "v.h5")
    source.write_text("\n".join(texts) + "\n", encoding="utf-8")
    encoder.encode(texts[:8192])
    ours, theirs = [], []
    for _ in range(5):
        begin = time.perf_counter()
        encoder.encode(texts)
        ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        run("embed", str(source), "-o", str(target), "--force", "--quiet")
        theirs.append(time.perf_counter() - begin)
a, b = statistics.median(ours), statistics.median(theirs)
print(f"{len(texts)} texts: Encoder {len(texts) / a:.0f} a second ({min(ours):.2f} to {max(ours):.2f} s), "
      f"embed {len(texts) / b:.0f} a second with its start and its file ({min(theirs):.2f} to {max(theirs):.2f} s): {b / a:.3f} times")
