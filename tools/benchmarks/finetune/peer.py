#!/usr/bin/env python3
"""Fine-tuning as transformers' run_glue.py does it, in plain PyTorch: the peer of `kotonoha train classifier TRAIN --test DEV`.

    python tools/benchmarks/finetune/peer.py MODEL TRAIN.tsv DEV.tsv --column sentence --label label --seeds 3 [--epochs 3 --batch-size 32 --learning-rate 2e-5]

Tables are TSV with a header and without quoting. Prints Matthews' correlation, accuracy and steps a second for each seed, as JSON.
Batches are padded to their longest text; AdamW, linear warm-up (6 %) and decay, gradients clipped at 1, weight decay 0.01 on matrices.
"""
import argparse
import json
import math
import time

import numpy as np
import torch
import transformers as t


def read(path, column, label):
    lines = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
    text, target = lines[0].index(column), lines[0].index(label)
    return [line[text] for line in lines[1:]], [line[target] for line in lines[1:]]


def matthews(truth, predicted):
    tp, tn = ((truth == 1) & (predicted == 1)).sum(), ((truth == 0) & (predicted == 0)).sum()
    fp, fn = ((truth == 0) & (predicted == 1)).sum(), ((truth == 1) & (predicted == 0)).sum()
    scale = math.sqrt(float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return float((tp * tn - fp * fn) / scale) if scale else 0.0


def main():
    parser = argparse.ArgumentParser()
    for name in ("model", "train", "dev"):
        parser.add_argument(name)
    parser.add_argument("--column", default="sentence")
    parser.add_argument("--label", default="label")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = t.AutoTokenizer.from_pretrained(args.model)
    texts, labels = read(args.train, args.column, args.label)
    tests, truths = read(args.dev, args.column, args.label)
    names = sorted(set(labels))
    y, truth = torch.tensor([names.index(v) for v in labels]), np.array([names.index(v) for v in truths])
    ids = tokenizer(texts, truncation=True, max_length=args.max_length)["input_ids"]
    test_ids = tokenizer(tests, truncation=True, max_length=args.max_length)["input_ids"]

    def batch(rows):
        return tokenizer.pad({"input_ids": rows}, return_tensors="pt")

    for seed in range(args.seeds):
        torch.manual_seed(seed)
        model = t.AutoModelForSequenceClassification.from_pretrained(args.model, num_labels=len(names)).train()
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
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
                    loss = model(**batch([ids[r] for r in rows]), labels=y[rows]).loss
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
                predicted += model(**batch(test_ids[first:first + 64])).logits.argmax(1).tolist()
        predicted = np.array(predicted)
        print(json.dumps({"seed": seed, "matthews": round(matthews(truth, predicted), 4), "accuracy": round(float((predicted == truth).mean()), 4), "steps": steps,
                          "steps_a_second": round(steps / seconds, 3)}), flush=True)


if __name__ == "__main__":
    main()
