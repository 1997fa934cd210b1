"""Training steps of a Transformer encoder-decoder by PyTorch on the processor: the counterpart of seq2seq-bench's training, with the same sizes
(nn.Transformer 2 + 2 layers, 384 units, 4 heads, feed-forward 384, separate tables and output layer of 32,000, AdamW, batch 128 x 16).
Prints one line of JSON a precision; per_cpu_s counts the seconds that all threads computed, which a busy machine changes less."""
import argparse
import json
import time

import torch
from torch.nn import functional as F

a = argparse.ArgumentParser()
a.add_argument("--threads", type=int, default=torch.get_num_threads())
a.add_argument("--steps", type=int, default=4)
a.add_argument("--f32", action="store_true", help="f32 only")
o = a.parse_args()
torch.set_num_threads(o.threads)
torch.manual_seed(0)
VOCABULARY, SIZE, BATCH, LENGTH = 32000, 384, 128, 16


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = torch.nn.Embedding(VOCABULARY, SIZE), torch.nn.Embedding(VOCABULARY, SIZE)
        self.transformer = torch.nn.Transformer(SIZE, 4, 2, 2, SIZE, 0.0, batch_first=True)
        self.output = torch.nn.Linear(SIZE, VOCABULARY)
        self.mask = torch.nn.Transformer.generate_square_subsequent_mask(LENGTH)

    def forward(self, x, y):
        return self.output(self.transformer(self.source(x), self.target(y), tgt_mask=self.mask, tgt_is_causal=True))


network = Network()
optimizer = torch.optim.AdamW(network.parameters(), 5e-5)
x = torch.randint(5, VOCABULARY, (BATCH, LENGTH))


def step(halves):
    with torch.autocast("cpu", torch.bfloat16, enabled=halves):
        loss = F.cross_entropy(network(x, x).flatten(0, 1).float(), x.flatten())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


for halves in (False,) if o.f32 else (False, True):
    step(halves)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(o.steps):
        step(halves)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"peer": "torch-" + ("bf16" if halves else "f32"), "work": f"seq2seq 2+2x{SIZE} vocab {VOCABULARY} batch {BATCH}x{LENGTH}, steps",
                      "threads": o.threads, "per_s": o.steps / wall, "per_cpu_s": o.steps / cpu}), flush=True)
