"""Medians of what `tools/bench generate` measured, and how many times PyTorch's f32 they are: by the clock, and by seconds of processor time
(which a busy machine changes less)."""
import collections
import json
import statistics
import sys

runs = collections.defaultdict(list)
for line in open(sys.argv[1]):
    run = json.loads(line)
    runs["training steps" if "seq2seq" in run["work"] else "greedy tokens", run["peer"]].append((run["per_s"], run["per_cpu_s"]))
medians = {key: [statistics.median(values) for values in zip(*measured)] for key, measured in runs.items()}
print(f"{'work':16}{'peer':16}{'per s':>12}{'times f32':>12}{'per cpu s':>12}{'times f32':>12}")
for (work, peer), (wall, cpu) in sorted(medians.items()):
    base = medians.get((work, "torch-f32"))
    ratios = [f"{a / b:.2f}" if base else "-" for a, b in zip((wall, cpu), base or (1, 1))]
    print(f"{work:16}{peer:16}{wall:12.2f}{ratios[0]:>12}{cpu:12.2f}{ratios[1]:>12}")
