"""Vectors of some English sentences by sentence-transformers, for Tests/SentenceEmbeddingTests/Fixtures.

Pinned: sentence-transformers 6.2.0, transformers 5.23.0, torch 2.15 (CPU, float32).
Usage: python tools/golden/sentences.py MODEL_FOLDER OUTPUT_FOLDER
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
from sentence_transformers import SentenceTransformer

SENTENCES = [
    "", " ", "a", "Two dogs play in the snow.", "two dogs play in the snow", "A man, wearing a red hat; is he running?!",
    "naïve café — “quoted” … ½ ①", "e\u0301te\u0301 and \u00e9t\u00e9", "ﬁne ligatures", "🐶👩\u200d👩\u200d👧 family", "犬が走る", "ｶﾞｷﾞ ﾊﾟﾝ", "か\u3099",
    "tabs\tand\u00a0spaces\u3000wide", "supercalifragilisticexpialidocious " * 3, "x" * 300, "1,234.56 + 7e-8 = ?", "don't can't won't it's",
    "[CLS] special [MASK] tokens [SEP]", "A " + "very " * 300 + "long sentence", "Kids are building a sandcastle near the water",
    "ＦＵＬＬ ｗｉｄｔｈ", "mixed 日本語 and English", "\u200bzero\u200bwidth\ufeff", "line\u2028separator",
]

if __name__ == "__main__":
    model = SentenceTransformer(sys.argv[1], device="cpu")
    vectors = model.encode(SENTENCES, batch_size=1).astype(np.float32)
    out = sys.argv[2]
    with open(os.path.join(out, "minilm-sentences.json"), "w", encoding="utf-8") as f:
        json.dump(SENTENCES, f, ensure_ascii=False, indent=0)
    np.save(os.path.join(out, "minilm-vectors.npy"), vectors)
    print(vectors.shape)
