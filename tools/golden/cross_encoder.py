#!/usr/bin/env python3
"""A tiny reranker with random weights, as `pytorch_model.bin`, and the scores of some pairs, as a fixture of ProgramTests.

Made with torch 2.15.0, transformers 5.23.0, sentence-transformers 6.2.0. The scores are those of sentence-transformers'
CrossEncoder: a sigmoid over the one logit; pairs longer than the maximum length are cut, the longer text first.

    python tools/golden/cross_encoder.py Tests/ProgramTests/Fixtures/cross-encoder
"""
import json
import os
import sys

import torch
import transformers as t
from sentence_transformers import CrossEncoder

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + l for l in LETTERS), "two", "dogs", "play", "in", "the", "snow", "cat", ".", ","]
QUERY = "two dogs play in the snow"
TEXTS = ["Two dogs play.", "the cat, the cat", "snow", "犬", "a very long text about the cat in the snow " * 3, "dogs dogs", "x.y,z"]


def main(folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "vocab.txt"), "w") as f:
        f.write("\n".join(WORDS) + "\n")
    config = t.BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
                          max_position_embeddings=32, num_labels=1, architectures=["BertForSequenceClassification"])
    torch.manual_seed(11)
    model = t.BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                parameter.mul_(30 if "classifier" not in name else 60)
    config.save_pretrained(folder)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as f:
        json.dump({"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 32}, f)
    model.save_pretrained(folder)
    encoder = CrossEncoder(folder, device="cpu")
    scores = encoder.predict([(QUERY, text) for text in TEXTS], convert_to_numpy=True)
    # Old checkpoints are pickles in a zip; the reference reads the safetensors above, users bring this one.
    torch.save(model.state_dict(), os.path.join(folder, "pytorch_model.bin"))
    os.remove(os.path.join(folder, "model.safetensors"))
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump({"query": QUERY, "texts": TEXTS, "scores": [float(s) for s in scores]}, f, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
