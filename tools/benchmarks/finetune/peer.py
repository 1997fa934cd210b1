#!/usr/bin/env python3
"""Fine-tuning as transformers' run_glue.py does it, in plain PyTorch: the peer of `kotonoha train classifier TRAIN --test DEV`.

    python tools/benchmarks/finetune/peer.py MODEL TRAIN.tsv DEV.tsv --column sentence [--second-column other] --label label [--regression] --seeds 3
        [--epochs 3 --batch-size 32 --learning-rate 2e-5] [--device cuda]

Tables are TSV with a header and without quoting. Prints accuracy, Matthews' correlation and macro F1 (numbers: Pearson's and Spearman's correlation) and steps
a second for each seed, as JSON.
Batches are padded to their longest text; AdamW, linear warm-up (6 %) and decay, gradients clipped at 1, weight decay 0.01 on matrices.
"""
import argparse
import json
import math
import time

import numpy as np
import torch
import transformers as t


def read(path, columns, label):
    lines = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
    places, target = [lines[0].index(column) for column in columns], lines[0].index(label)
    return [[line[place] for line in lines[1:]] for place in places], [line[target] for line in lines[1:]]


def scores(truth, predicted):
    count = int(max(truth.max(), predicted.max())) + 1
    table = np.zeros((count, count))
    np.add.at(table, (truth, predicted), 1)
    n, right, rows, columns = table.sum(), np.trace(table), table.sum(1), table.sum(0)
    # Gorodkin 2004: Matthews' correlation of any number of classes.
    scale = math.sqrt((n * n - (rows**2).sum()) * (n * n - (columns**2).sum()))
    f1 = [2 * table[c, c] / (rows[c] + columns[c]) if rows[c] + columns[c] else 0.0 for c in range(count)]
    return {"accuracy": right / n, "matthews": (n * right - rows @ columns) / scale if scale else 0.0, "macro_f1": float(np.mean(f1))}


def correlations(truth, predicted):
    def ranks(x):
        _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return {"pearson": float(np.corrcoef(truth, predicted)[0, 1]), "spearman": float(np.corrcoef(ranks(truth), ranks(predicted))[0, 1])}


def main():
    parser = argparse.ArgumentParser()
    for name in ("model", "train", "dev"):
        parser.add_argument(name)
    parser.add_argument("--column", default="sentence")
    parser.add_argument("--second-column")
    parser.add_argument("--label", default="label")
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = t.AutoTokenizer.from_pretrained(args.model)
    columns = [args.column] + ([args.second_column] if args.second_column else [])
    texts, labels = read(args.train, columns, args.label)
    tests, truths = read(args.dev, columns, args.label)
    if args.regression:
        names = ["score"]
        y, truth = torch.tensor([float(v) for v in labels]), np.array([float(v) for v in truths])
    else:
        names = sorted(set(labels))
        y, truth = torch.tensor([names.index(v) for v in labels]), np.array([names.index(v) for v in truths])

    def encoded(texts):
        found = tokenizer(*texts, truncation=True, max_length=args.max_length)
        return [{key: found[key][row] for key in found if key != "attention_mask"} for row in range(len(texts[0]))]
    ids, test_ids = encoded(texts), encoded(tests)

    def batch(rows):
        return tokenizer.pad(rows, return_tensors="pt").to(args.device)

    for seed in range(args.seeds):
        torch.manual_seed(seed)
        model = t.AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=len(names)).to(args.device).train()
        decayed = [p for p in model.parameters() if p.dim() > 1]
        plain = [p for p in model.parameters() if p.dim() <= 1]
        optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=args.learning_rate)
        per_epoch = len(ids) // args.batch_size
        steps = args.epochs * per_epoch
        schedule = t.get_linear_schedule_with_warmup(optimizer, round(0.06 * steps), steps)
        start = time.perf_counter()
        for _ in range(args.epochs):
            order = torch.randperm(len(ids)).tolist()
            for k in range(per_epoch):
                rows = order[k * args.batch_size:(k + 1) * args.batch_size]
                with torch.autocast(args.device, dtype=torch.bfloat16, enabled=args.bf16):
                    loss = model(**batch([ids[r] for r in rows]), labels=y[rows].to(args.device)).loss
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        seconds = time.perf_counter() - start
        model.eval()
        predicted = []
        with torch.no_grad():
            for first in range(0, len(test_ids), 64):
                logits = model(**batch(test_ids[first:first + 64])).logits
                predicted += (logits[:, 0] if args.regression else logits.argmax(1)).tolist()
        found = (correlations if args.regression else scores)(truth, np.array(predicted))
        print(json.dumps({"seed": seed, **{k: round(float(v), 4) for k, v in found.items()}, "steps": steps,
                          "steps_a_second": round(steps / seconds, 3)}), flush=True)


if __name__ == "__main__":
    main()
