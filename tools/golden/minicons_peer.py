#!/usr/bin/env python3
"""Scores of `kotonoha surprisal` beside minicons' in one run: the largest difference of each kind, and the time of both.

    python -P tools/golden/minicons_peer.py TEXT [--sentences 200] [--spread 0.05] [--runs 2]

TEXT has one English sentence per line. A GPT-2 and a BERT of 6 layers x 384 with random weights (--spread is their standard deviation) are
made in a temporary folder, with tokenizers trained on the same sentences. Compared are scores of tokens, their ranks, and scores of words
with and without the correction for leading spaces (GPT-2), and both pseudo-log-likelihoods (BERT). minicons is also run in double precision
on 40 sentences, to show how far single precision is off on either side. Kotonoha's time is that of the whole process, minicons' that of
scoring alone, with the model loaded and the sentences sorted by length in batches of 16; both use two threads, in turn, and the best of the
runs counts. Ends with status 1 if a score differs by more than 1e-5 nats. torch 2.15.0, transformers 5.23.0, minicons 0.3.36. KOTONOHA
names the program where it is not .build/release/kotonoha.
"""
import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time

import torch
import transformers as t
from minicons import scorer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

# minicons calls tokenizers by a name that transformers 5 has dropped.
t.PreTrainedTokenizerBase.batch_encode_plus = lambda self, texts, **settings: self(texts, **settings)
PROGRAM = os.environ.get("KOTONOHA", ".build/release/kotonoha")
BOUND = 1e-5


def make_gpt2(folder, sentences, options):
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(sentences, trainers.BpeTrainer(vocab_size=8000, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False))
    end = "<|endoftext|>"
    t.PreTrainedTokenizerFast(tokenizer_object=raw, bos_token=end, eos_token=end, pad_token=end).save_pretrained(folder)
    config = t.GPT2Config(vocab_size=raw.get_vocab_size(), n_positions=256, n_embd=384, n_layer=6, n_head=12,
                          initializer_range=options.spread, bos_token_id=0, eos_token_id=0)
    t.GPT2LMHeadModel(config).save_pretrained(folder)


def make_bert(folder, sentences, options):
    raw = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    raw.normalizer, raw.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    raw.train_from_iterator(sentences, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False))
    raw.post_processor, raw.decoder = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)), decoders.WordPiece()
    t.PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
                              model_max_length=256).save_pretrained(folder)
    config = t.BertConfig(vocab_size=raw.get_vocab_size(), hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
                          max_position_embeddings=256, initializer_range=options.spread)
    t.BertForMaskedLM(config).save_pretrained(folder)


def ours(model, text, output, *options):
    """Rows per sentence of (unit, log-probability, rank), and the seconds of the process: by the clock, of the processors."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([PROGRAM, "surprisal", model, text, "--format", "txt", "--base", "e", "--lag", "0", "--decimals", "17", "--threads", "2", "--quiet",
                    "-o", output, "--force", *options], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {}
    with open(output, encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row[0] == "row":
                columns = {name: i for i, name in enumerate(row)}
                continue
            found.setdefault(int(row[0]), []).append((row[2], -float(row[columns["surprisal"]]), int(row[columns["rank"]])))
    return list(found.values()), (wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def batched(sentences, score):
    """Scores in the order of the sentences, which are given to minicons by length, and seconds."""
    begin, cpu = time.perf_counter(), time.process_time()
    order, found = sorted(range(len(sentences)), key=lambda i: len(sentences[i])), [None] * len(sentences)
    for start in range(0, len(order), 16):
        part = order[start:start + 16]
        for i, scores in zip(part, score([sentences[i] for i in part])):
            found[i] = scores
    return found, (time.perf_counter() - begin, time.process_time() - cpu)


def compare(name, lm, sentences, runs, mine, peer):
    """`mine()` and `peer(batch)` in turn; the largest difference of the scores, ranks where the peer has them."""
    times, peer_times = [], []
    for _ in range(runs):
        found, seconds = mine()
        times.append(seconds)
        expected, seconds = batched(sentences, peer)
        peer_times.append(seconds)
    lm.model.double()
    exact, _ = batched(sentences[:40], peer)
    lm.model.float()
    rows, expected, exact = ([score for sentence in scores for score in sentence] for scores in (found, expected, exact))
    assert len(rows) == len(expected) > 0
    largest = max(abs(row[1] - score[1]) for row, score in zip(rows, expected))
    off = [max(abs(score[1] - true[1]) for score, true in zip(scores, exact)) for scores in (rows, expected)]
    ranks = sum(len(score) > 2 and row[2] != score[2] for row, score in zip(rows, expected))
    (wall, cpu), (peer_wall, peer_cpu) = min(times), min(peer_times)
    print(f"{name}: {len(rows)} scores, largest difference {largest:.2g} (from double precision: kotonoha {off[0]:.2g}, minicons {off[1]:.2g}), "
          f"different ranks {ranks}; kotonoha {wall:.2f} s ({cpu:.2f} of the processors), minicons {peer_wall:.2f} s ({peer_cpu:.2f}), "
          f"{peer_wall / wall:.1f} x ({peer_cpu / cpu:.1f} x)", flush=True)
    return largest <= BOUND


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--spread", type=float, default=0.05)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    with open(options.text, encoding="utf-8") as file:
        sentences = list(dict.fromkeys(" ".join(line.split()) for line in file if len(line.split()) > 2))[:options.sentences]
    torch.set_num_threads(2)
    torch.manual_seed(20261127)
    good = []
    with tempfile.TemporaryDirectory() as work:
        text, output = os.path.join(work, "text.txt"), os.path.join(work, "out.tsv")
        with open(text, "w", encoding="utf-8") as file:
            file.writelines(s + "\n" for s in sentences)

        folder = os.path.join(work, "gpt2")
        make_gpt2(folder, sentences, options)
        causal = scorer.IncrementalLMScorer(folder, "cpu")
        begin = causal.tokenizer.bos_token
        good.append(compare("GPT-2, tokens", causal, sentences, options.runs, lambda: ours(folder, text, output, "--unit", "token"),
                            lambda batch: [s[1:] for s in causal.token_score(batch, bos_token=True, rank=True)]))
        for correction in [True, False]:
            def words(batch):
                scores = causal.word_score_tokenized(batch, tokenize_function=str.split, bos_token=True, bow_correction=correction)
                return [[(w, s) for w, s in sentence if w != begin] for sentence in scores]
            flag = [] if correction else ["--uncorrected"]
            good.append(compare(f"GPT-2, words{', corrected' if correction else ''}", causal, sentences, options.runs,
                                lambda: ours(folder, text, output, "--words", "spaces", *flag), words))

        folder = os.path.join(work, "bert")
        make_bert(folder, sentences, options)
        masked = scorer.MaskedLMScorer(folder, "cpu")
        for metric in ["original", "within_word_l2r"]:
            good.append(compare(f"BERT, {metric}", masked, sentences, options.runs,
                                lambda: ours(folder, text, output, "--unit", "token", "--pll", metric.replace("_", "-")),
                                lambda batch: masked.token_score(batch, rank=True, PLL_metric=metric)))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
