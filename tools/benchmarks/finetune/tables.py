#!/usr/bin/env python3
"""Classifiers on public tasks in the manner of GLUE and JGLUE, five seeds, beside PyTorch.

    tables.py WORK [--tasks cola,sst2,mrpc,stsb,jcola,jnli] [--seeds 5] [--peer PYTHON --peer-seeds 5 --device cuda] [--show]

WORK keeps tables, results and logs; what is there is not run again. KOTONOHA names the program, KOTONOHA_DATA the data (../shared/data). English tasks start from
all-MiniLM-L6-v2 (tools/fetch-minilm), Japanese ones from kotonoha-small. Everything is as run_glue.py has it (3 epochs, batches of 32)
but for the rate: 1e-4, from the grid of Turc et al. 2019 for models of this size, which 2e-5 hardly moves. Nothing is tuned. tasks.py says how tasks are split.
--show prints what is there as the rows of a table.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from tasks import TASKS, write

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("KOTONOHA", str(ROOT / ".build/release/kotonoha"))


def timed(command, log):
    """Standard output of a command, its seconds and the most memory (MB) that it held."""
    begin = time.perf_counter()
    with open(log, "w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed; see {log}")
    return out, time.perf_counter() - begin, usage.ru_maxrss / 1024


def run(args, name):
    load, measure, base, regression = TASKS[name]
    folder = pathlib.Path(args.work) / name
    folder.mkdir(parents=True, exist_ok=True)
    train, test = load()
    second = write(folder / "train.tsv", train)
    write(folder / "test.tsv", test)
    options = ["--column", "text", *(["--second-column", second[0]] if second else []), "--label", "label"]
    ours = folder / "kotonoha.json"
    if not ours.exists():
        command = [PROGRAM, "train", "classifier", folder / "train.tsv", "--test", folder / "test.tsv", *options, "--model", base, "--max-length", "128",
                   "--learning-rate", str(args.learning_rate), "--seeds", str(args.seeds), "--format", "tsv", "--header", "--json",
                   *(["--task", "regression"] if regression else [])]
        out, seconds, memory = timed(command, folder / "kotonoha.log")
        ours.write_text(json.dumps({"seconds": seconds, "memory": memory, "train": len(train), "test": len(test), "result": json.loads(out)}))
    if args.peer:
        for precision in ([], ["--bf16"]):
            theirs = folder / f"pytorch{'-bf16' if precision else ''}.json"
            if theirs.exists() or precision and name not in ("cola", "stsb"):
                continue
            seeds = args.peer_seeds if not precision else 1
            command = [args.peer, ROOT / "tools/benchmarks/finetune/peer.py", base, folder / "train.tsv", folder / "test.tsv", *options, "--seeds", str(seeds),
                       "--learning-rate", str(args.learning_rate), "--device", args.device, *(["--regression"] if regression else []), *precision]
            out, seconds, memory = timed(command, folder / f"{theirs.stem}.log")
            theirs.write_text(json.dumps({"seconds": seconds, "memory": memory, "seeds": [json.loads(line) for line in out.splitlines()]}))
    show(args, name)


def show(args, name):
    """A row: the task, rows, each classifier's score with its interval, PyTorch's mean and deviation over seeds."""
    measure, folder = TASKS[name][1], pathlib.Path(args.work) / name
    ours = json.loads((folder / "kotonoha.json").read_text())
    cells = [name, f"{ours['train']:,} / {ours['test']:,}", measure]
    for c in ours["result"]["classifiers"]:
        value, interval, spread = c[measure]["value"], c[measure]["interval_95"], c[measure].get("seed_sd")
        # A constant has no correlation.
        cells.append("–" if value is None else f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]" + (f" ± {spread:.3f}" if spread is not None else ""))
    for kind in ("pytorch", "pytorch-bf16"):
        if (folder / f"{kind}.json").exists():
            values = [seed[measure] for seed in json.loads((folder / f"{kind}.json").read_text())["seeds"]]
            cells.append(f"{statistics.mean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""))
    print("| " + " | ".join(cells) + " |")


parser = argparse.ArgumentParser()
parser.add_argument("work")
parser.add_argument("--tasks", default=",".join(TASKS))
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--learning-rate", type=float, default=1e-4)
parser.add_argument("--peer")
parser.add_argument("--peer-seeds", type=int, default=5)
parser.add_argument("--device", default="cpu")
parser.add_argument("--show", action="store_true")
arguments = parser.parse_args()
for task in arguments.tasks.split(","):
    (show if arguments.show else run)(arguments, task)
