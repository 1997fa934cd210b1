"""Steps of contrastive training by PyTorch on the processor: 4 layers x 256, 4 heads, feed-forward 1024, vocabulary 8000, batches of 256 pairs
of 16 tokens. The counterpart of training-bench; one line of JSON a precision."""
import json
import time

import torch
from torch.nn import functional as F

torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(256, 4, 1024, 0.0, "gelu", batch_first=True)
encoder, words = torch.nn.TransformerEncoder(layer, 4), torch.nn.Embedding(8000, 256)
optimizer = torch.optim.AdamW([*encoder.parameters(), *words.parameters()], 1e-4)
first, second = torch.randint(0, 8000, (2, 256, 16))


def step(halves):
    with torch.autocast("cpu", torch.bfloat16, enabled=halves):
        u, v = encoder(words(first)).mean(1), encoder(words(second)).mean(1)
    loss = F.cross_entropy(20 * F.normalize(u.float()) @ F.normalize(v.float()).T, torch.arange(256))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


for halves in (False, True):
    step(halves)
    begin = time.perf_counter()
    for _ in range(8):
        step(halves)
    print(json.dumps({"peer": "PyTorch " + ("bf16" if halves else "f32"), "pairs_per_s": 8 * 256 / (time.perf_counter() - begin)}), flush=True)
