#!/usr/bin/env python3
"""prune.py TEACHER TOKENIZER OUT --layers 0,1,2,3 [--intermediate N]: a small encoder out of a large one, to be trained further.

TEACHER is a sentence-transformers folder of a BERT with a Unigram tokenizer (multilingual-e5-small), TOKENIZER the tokenizer.json of
another vocabulary. Some of the layers stay. A piece of the new vocabulary begins with the mean of the rows of the teacher's pieces that
spell it; the spelling with a capital counts as well (the new vocabulary has lower case only), each as often as the teacher's tokenizer
expects it. Of each layer's feed-forward network the N neurons stay whose weights in and out are largest. numpy.
"""
import argparse
import json
import math
import pathlib
import struct

import numpy as np

POSITIONS = 128


def read_safetensors(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = raw[8 + size + begin:8 + size + end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
        else:
            values = np.frombuffer(data, {"F32": "<f4", "F16": "<f2", "I64": "<i8"}[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors):
    """Tensors in half precision stay so, all others become float32."""
    header, place, arrays = {"__metadata__": {"format": "pt"}}, 0, []
    for name, values in tensors.items():
        half = values.dtype == np.float16
        arrays.append(np.ascontiguousarray(values, "<f2" if half else "<f4"))
        header[name] = {"dtype": "F16" if half else "F32", "shape": list(values.shape), "data_offsets": [place, place + arrays[-1].nbytes]}
        place += arrays[-1].nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in arrays:
            file.write(values.tobytes())


class Unigram:
    """The likeliest pieces of a text, by a tokenizer.json's Unigram model."""

    def __init__(self, model):
        self.scores = {}
        for number, (piece, score) in enumerate(model["vocab"]):
            self.scores.setdefault(piece, (number, score))
        self.longest = min(32, max(map(len, self.scores)))
        self.unknown = (model["unk_id"], min(score for _, score in model["vocab"]) - 10)

    def encode(self, text):
        """Numbers of the pieces, and the log-probability."""
        best = [(0.0, 0, -1)] + [(-math.inf, 0, -1)] * len(text)
        for end in range(1, len(text) + 1):
            for begin in range(max(0, end - self.longest), end):
                known = self.scores.get(text[begin:end]) or (self.unknown if end - begin == 1 else None)
                if known and best[begin][0] + known[1] > best[end][0]:
                    best[end] = (best[begin][0] + known[1], begin, known[0])
        pieces, end = [], len(text)
        while end > 0:
            pieces.append(best[end][2])
            end = best[end][1]
        return pieces[::-1], best[-1][0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("teacher", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--layers", required=True)
    parser.add_argument("--intermediate", type=int)
    options = parser.parse_args()
    layers = [int(number) for number in options.layers.split(",")]
    old = read_safetensors(options.teacher / "model.safetensors")
    configuration = json.loads((options.teacher / "config.json").read_text())
    teacher = json.loads((options.teacher / "tokenizer.json").read_text(encoding="utf-8"))
    student = json.loads(options.tokenizer.read_text(encoding="utf-8"))
    unigram, ids = Unigram(teacher["model"]), {t["content"]: t["id"] for t in teacher["added_tokens"]}
    table = old["embeddings.word_embeddings.weight"]
    special = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}
    vocabulary = student["model"]["vocab"]
    rows, whole = np.zeros((len(vocabulary), table.shape[1]), "<f4"), 0
    for number, (piece, _) in enumerate(vocabulary):
        if piece in special:
            rows[number] = table[ids[special[piece]]]
            continue
        bare = piece.lstrip("▁")
        spellings = dict.fromkeys([piece, piece[:len(piece) - len(bare)] + bare.capitalize()])
        found = [unigram.encode(spelling) for spelling in spellings]
        fewest = min(len(pieces) for pieces, _ in found)
        found = [(table[pieces].mean(axis=0), math.exp(max(score, -60))) for pieces, score in found if len(pieces) == fewest]
        rows[number] = sum(row * weight for row, weight in found) / sum(weight for _, weight in found)
        whole += fewest == 1
    new = {
        "embeddings.word_embeddings.weight": rows,
        "embeddings.position_embeddings.weight": old["embeddings.position_embeddings.weight"][:POSITIONS],
        "embeddings.token_type_embeddings.weight": old["embeddings.token_type_embeddings.weight"],
        "embeddings.LayerNorm.weight": old["embeddings.LayerNorm.weight"],
        "embeddings.LayerNorm.bias": old["embeddings.LayerNorm.bias"],
    }
    for place, layer in enumerate(layers):
        prefix = f"encoder.layer.{layer}."
        part = {name.removeprefix(prefix): values for name, values in old.items() if name.startswith(prefix)}
        if options.intermediate:
            into, out = part["intermediate.dense.weight"], part["output.dense.weight"]
            strength = np.linalg.norm(into, axis=1) * np.linalg.norm(out, axis=0)
            neurons = np.sort(np.argsort(-strength, kind="stable")[:options.intermediate])
            part["intermediate.dense.weight"], part["intermediate.dense.bias"] = into[neurons], part["intermediate.dense.bias"][neurons]
            part["output.dense.weight"] = out[:, neurons]
        new |= {f"encoder.layer.{place}.{name}": values for name, values in part.items()}
    configuration |= {"vocab_size": len(vocabulary), "num_hidden_layers": len(layers), "max_position_embeddings": POSITIONS,
                      "intermediate_size": options.intermediate or configuration["intermediate_size"], "pad_token_id": 0}
    (options.out / "1_Pooling").mkdir(parents=True, exist_ok=True)

    def put(name, value):
        (options.out / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    put("config.json", configuration)
    put("modules.json", [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
                         for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling")])])
    pooling = {f"pooling_mode_{mode}": mode == "mean_tokens" for mode in ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")}
    put("1_Pooling/config.json", {"word_embedding_dimension": table.shape[1]} | pooling)
    put("sentence_bert_config.json", {"max_seq_length": POSITIONS, "do_lower_case": False})
    # A sentence has one token less to be computed: no [SEP] at its end (pairs keep theirs).
    single = student["post_processor"]["single"]
    if single[-1].get("SpecialToken", {}).get("id") == "[SEP]":
        single.pop()
    put("tokenizer.json", student)
    write_safetensors(options.out / "model.safetensors", new)
    print(f"{options.out}: {len(vocabulary)} pieces, {whole} of them also the teacher's; layers {options.layers}")


if __name__ == "__main__":
    main()
