"""Greedy generation with a key-value cache in PyTorch: the loop that a careful user would write, for comparison with `kotonoha generate`.

The network is the one of train.py's seq2seq (nn.Transformer shapes, random weights): 2 + 2 layers, 384 units, 4 heads, feed-forward 384,
vocabulary 32,000; 128 sources of 16 tokens, 16 tokens written for each. Prints one line of JSON.
"""
import argparse, json, time, torch
from torch.nn import functional as F

a = argparse.ArgumentParser()
for name, value in (("vocabulary", 32000), ("size", 384), ("heads", 4), ("layers", 2), ("feed-forward", 384), ("batch", 128), ("source", 16),
                    ("steps", 16), ("repeats", 5)):
    a.add_argument("--" + name, type=int, default=value)
a.add_argument("--threads", type=int, default=torch.get_num_threads())
a.add_argument("--bf16", action="store_true")
o = a.parse_args()
torch.set_num_threads(o.threads)
torch.manual_seed(0)
D, H = o.size, o.heads


def linear(i, k):
    return torch.randn(k, i) * i**-0.5, torch.zeros(k)


def split(x):  # (batch, tokens, D) -> (batch, heads, tokens, D / heads)
    return x.unflatten(-1, (H, D // H)).transpose(1, 2)


def join(x):
    return x.transpose(1, 2).flatten(2)


def norm(x, residual):
    return F.layer_norm(x + residual, (D,))


class Layer:
    def __init__(self, cross):
        self.qkv, self.out = linear(D, 3 * D), linear(D, D)
        self.up, self.down = linear(D, o.feed_forward), linear(o.feed_forward, D)
        if cross:
            self.q, self.kv, self.cross_out = linear(D, D), linear(D, 2 * D), linear(D, D)


encoder, decoder = [[Layer(c) for _ in range(o.layers)] for c in (False, True)]
words, output = torch.randn(o.vocabulary, D), linear(D, o.vocabulary)


def feed(layer, x):
    return norm(F.linear(F.relu(F.linear(x, *layer.up)), *layer.down), x)


def generate(source):
    x = words[source]
    for l in encoder:
        q, k, v = map(split, F.linear(x, *l.qkv).chunk(3, -1))
        x = feed(l, norm(F.linear(join(F.scaled_dot_product_attention(q, k, v)), *l.out), x))
    memory = [tuple(map(split, F.linear(x, *l.kv).chunk(2, -1))) for l in decoder]
    # Room for all tokens at once: no concatenation in the loop.
    cache = [[torch.empty(len(source), H, o.steps, D // H, dtype=x.dtype) for _ in "kv"] for _ in decoder]
    token, written = torch.ones(len(source), 1, dtype=torch.long), []
    for t in range(o.steps):
        y = words[token]
        for l, (mk, mv), (ck, cv) in zip(decoder, memory, cache):
            q, k, v = map(split, F.linear(y, *l.qkv).chunk(3, -1))
            ck[:, :, t : t + 1], cv[:, :, t : t + 1] = k, v
            y = norm(F.linear(join(F.scaled_dot_product_attention(q, ck[:, :, : t + 1], cv[:, :, : t + 1])), *l.out), y)
            y = norm(F.linear(join(F.scaled_dot_product_attention(split(F.linear(y, *l.q)), mk, mv)), *l.cross_out), y)
            y = feed(l, y)
        token = F.linear(y, *output).argmax(-1)
        written.append(token)
    return torch.cat(written, 1)


source = torch.randint(5, o.vocabulary, (o.batch, o.source))
with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=o.bf16):
    generate(source)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(o.repeats):
        generate(source)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
tokens = o.batch * o.steps * o.repeats
print(json.dumps({"peer": "torch-" + ("bf16" if o.bf16 else "f32"), "work": f"greedy with cache, batch {o.batch}, tokens", "threads": o.threads,
                  "per_s": tokens / wall, "per_cpu_s": tokens / cpu}))
