"""train_peer.py [LENGTHS] [--f32]: steps of contrastive training by PyTorch on the processor: 4 layers x 256, 4 heads, feed-forward 1024, vocabulary 8000,
batches of 256 pairs of 16 tokens, or of the lengths in a file of whole numbers, padded to the longest of the batch. The counterpart of
training-bench; one line of JSON a precision."""
import json
import pathlib
import sys
import time

import torch
from torch.nn import functional as F

STEPS, PAIRS = 8, 256
torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(256, 4, 1024, 0.0, "gelu", batch_first=True)
encoder, words = torch.nn.TransformerEncoder(layer, 4), torch.nn.Embedding(8000, 256)
optimizer = torch.optim.AdamW([*encoder.parameters(), *words.parameters()], 1e-4)
given = [word for word in sys.argv[1:] if word != "--f32"]
lengths = [int(n) for n in pathlib.Path(given[0]).read_text().split()] if given else [16]


def side(first):
    """Token ids and, where lengths differ, which of them are padding."""
    counts = torch.tensor([min(64, lengths[(first + i) % len(lengths)]) for i in range(PAIRS)])
    longest = int(counts.max())
    padding = torch.arange(longest) >= counts[:, None]
    return torch.randint(0, 8000, (PAIRS, longest)), padding if bool(padding.any()) else None


batches = [(side(2 * PAIRS * k), side(2 * PAIRS * k + PAIRS)) for k in range(STEPS + 1)]


def vectors(ids, padding):
    hidden = encoder(words(ids), src_key_padding_mask=padding)
    if padding is None:
        return hidden.mean(1)
    kept = ~padding[:, :, None]
    return (hidden * kept).sum(1) / kept.sum(1)


def step(number, halves):
    first, second = batches[number]
    with torch.autocast("cpu", torch.bfloat16, enabled=halves):
        u, v = vectors(*first), vectors(*second)
    loss = F.cross_entropy(20 * F.normalize(u.float()) @ F.normalize(v.float()).T, torch.arange(PAIRS))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


name = "mixed lengths" if len(lengths) > 1 else str(lengths[0])
for halves in (False,) if "--f32" in sys.argv else (False, True):
    step(0, halves)
    begin = time.perf_counter()
    for number in range(1, STEPS + 1):
        step(number, halves)
    rate = STEPS * PAIRS / (time.perf_counter() - begin)
    print(json.dumps({"peer": "PyTorch " + ("bf16" if halves else "f32"), "work": f"contrastive 4x256 batch {PAIRS}x{name}, pairs", "per_s": rate}), flush=True)
