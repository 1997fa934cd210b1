"""Medians of what `tools/bench generate` measured, and how many times PyTorch's f32 they are: by the clock, and by seconds of processor time
(which a busy machine changes less). Then the training steps that oneDNN's products alone would allow, from its rates on their very shapes."""
import collections
import json
import statistics
import sys

runs = collections.defaultdict(list)
for line in open(sys.argv[1]):
    run = json.loads(line)
    if run["peer"].startswith("oneDNN"):
        runs[run["work"], run["peer"]].append((run["per_s"], run["per_cpu_s"]))
        continue
    runs["training steps" if "seq2seq" in run["work"] else "greedy tokens", run["peer"]].append((run["per_s"], run["per_cpu_s"]))
medians = {key: [statistics.median(values) for values in zip(*measured)] for key, measured in runs.items()}
print(f"{'work':16}{'peer':16}{'per s':>12}{'times f32':>12}{'per cpu s':>12}{'times f32':>12}")
for (work, peer), (wall, cpu) in sorted(medians.items()):
    if peer.startswith("oneDNN"):
        continue
    base = medians.get((work, "torch-f32"))
    ratios = [f"{a / b:.2f}" if base else "-" for a, b in zip((wall, cpu), base or (1, 1))]
    print(f"{work:16}{peer:16}{wall:12.2f}{ratios[0]:>12}{cpu:12.2f}{ratios[1]:>12}")

# GFLOP of a step over 128 x 16 tokens: the output layer's products three times (scores, gradients of the states, of the weights); the square
# ones of 2 encoder layers (6 a source token and layer) and 2 decoder layers (8 a target token, 2 a source token) likewise.
tokens, size, vocabulary = 128 * 16, 384, 32000
square = 2 * tokens * size * size * (2 * 6 + 2 * 10) / 1e9
for precision in ("f32", "bf16"):
    rates = {work: rate for (work, peer), rate in medians.items() if peer == "oneDNN-" + precision}
    if not rates:
        continue
    for clock, which in (("by the clock", 0), ("a processor second", 1)):
        seconds = sum((square if work.endswith(f"{size} x {size}, GFLOP") else 2 * tokens * size * vocabulary / 1e9) / rate[which] for work, rate in rates.items())
        print(f"products alone, {precision}, steps {clock}: {1 / seconds:.2f}")
