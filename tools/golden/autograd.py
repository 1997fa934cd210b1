"""Golden values and gradients for Tests/AutogradTests, from PyTorch in float64.

Made with torch 2.15.0. Run: python -P tools/golden/autograd.py > Tests/AutogradTests/Fixtures/autograd.json

Each case has inputs, parameters, the output y, and for random c the gradients of sum(c * y).
"""
import json
import math
import torch
from torch.nn import functional as F

torch.manual_seed(20)
torch.set_default_dtype(torch.float64)
cases = {}


def listed(t):
    # Eleven digits: enough to compare to 1e-9, and half the size.
    return {"shape": list(t.shape), "data": [float(f"{v:.11g}") for v in t.detach().flatten().tolist()]}


def rounded(*shape, scale=1.0):
    return torch.tensor([float(f"{v:.6g}") for v in (torch.randn(*shape) * scale).flatten().tolist()]).reshape(*shape).requires_grad_()


def case(name, function, inputs=None, parameters=None, constants=None):
    """Constants are parameters of which no gradient is listed."""
    inputs, parameters, constants = inputs or {}, parameters or {}, constants or {}
    y = function(**inputs, **parameters, **constants)
    c = rounded(*y.shape).detach()
    (c * y).sum().backward()
    everything = {**inputs, **parameters}
    cases[name] = {
        "inputs": {k: listed(v) for k, v in inputs.items()}, "parameters": {k: listed(v) for k, v in {**parameters, **constants}.items()},
        "weights": listed(c), "output": listed(y),
        "gradients": {k: listed(v.grad if v.grad is not None else torch.zeros_like(v)) for k, v in everything.items()},
    }


# Linear layers and activations
activations = {"identity": lambda x: x, "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu, "tanh": torch.tanh,
               "sigmoid": torch.sigmoid, "silu": F.silu}
for name, f in activations.items():
    case(f"activated.{name}", lambda x: f(x), {"x": rounded(5, 7, scale=2)})
    case(f"linear.{name}", lambda x, w, b: f(F.linear(x, w, b)), {"x": rounded(9, 6)}, {"w": rounded(4, 6), "b": rounded(4)})
    case(f"feedForward.{name}", lambda x, w1, b1, w2, b2: F.linear(f(F.linear(x, w1, b1)), w2, b2), {"x": rounded(11, 5)},
         {"w1": rounded(8, 5), "b1": rounded(8), "w2": rounded(3, 8), "b2": rounded(3)})
    case(f"gated.{name}", lambda x: f(x[:, :4]) * x[:, 4:], {"x": rounded(6, 8)})

# Layer norm
case("layerNorm", lambda x, gamma, beta: F.layer_norm(x, (9,), gamma, beta, 1e-5), {"x": rounded(5, 9)}, {"gamma": rounded(9), "beta": rounded(9)})
case("layerNorm.residual", lambda x, residual, gamma, beta: F.layer_norm(x + residual, (9,), gamma, beta, 1e-5),
     {"x": rounded(5, 9), "residual": rounded(5, 9)}, {"gamma": rounded(9), "beta": rounded(9)})
case("layerNorm.noBeta", lambda x, gamma: F.layer_norm(x, (9,), gamma, None, 1e-5), {"x": rounded(5, 9)}, {"gamma": rounded(9)})


# Attention, two heads of size 4, sequences of several lengths
def attention(q, k, v, query_lengths, key_lengths, mask=None, bias=None, heads=2, size=4):
    out, q0, k0 = [], 0, 0
    for n, m in zip(query_lengths, key_lengths):
        split = lambda t, first, count: t[first:first + count].reshape(count, heads, size).transpose(0, 1)
        scores = split(q, q0, n) @ split(k, k0, m).transpose(1, 2) / math.sqrt(size)
        if bias is not None:
            scores = scores + bias[:, :n, :m]
        i, j = torch.arange(n)[:, None], torch.arange(m)[None, :]
        if mask == "causal":
            scores = scores.masked_fill(j > i + (m - n), -math.inf)
        if mask == "window":
            scores = scores.masked_fill((i - j).abs() > 2, -math.inf)
        out.append((scores.softmax(-1) @ split(v, k0, m)).transpose(0, 1).reshape(n, heads * size))
        q0, k0 = q0 + n, k0 + m
    return torch.cat(out)


lengths = [3, 1, 11, 8]
for mask in ["none", "causal", "window"]:
    case(f"attention.{mask}", lambda qkv: attention(qkv[:, :8], qkv[:, 8:16], qkv[:, 16:], lengths, lengths, mask), {"qkv": rounded(23, 24)})
case("attention.bias", lambda qkv, bias: attention(qkv[:, :8], qkv[:, 8:16], qkv[:, 16:], lengths, lengths, None, bias),
     {"qkv": rounded(23, 24), "bias": rounded(2, 11, 11)})
case("attention.cross", lambda q, kv: attention(q, kv[:, :8], kv[:, 8:], lengths, [5, 2, 17, 9]), {"q": rounded(23, 8), "kv": rounded(33, 16)})
case("attention.causalCache", lambda q, kv: attention(q, kv[:, :8], kv[:, 8:], [1, 2, 9], [6, 2, 12], "causal"),
     {"q": rounded(12, 8), "kv": rounded(20, 16)})


# Pooling over lengths 3, 1, 5
def pool(x, mode):
    out, first = [], 0
    for n in [3, 1, 5]:
        rows, first = x[first:first + n], first + n
        weights = torch.arange(1, n + 1, dtype=x.dtype)
        out.append({"cls": lambda: rows[0], "mean": lambda: rows.mean(0), "max": lambda: rows.max(0).values,
                    "mean_sqrt_len_tokens": lambda: rows.sum(0) / math.sqrt(n), "lasttoken": lambda: rows[-1],
                    "weightedmean": lambda: (rows * weights[:, None]).sum(0) / weights.sum()}[mode]())
    return torch.stack(out)


for mode in ["cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]:
    case(f"pooled.{mode}", lambda x: pool(x, mode), {"x": rounded(9, 5)})
case("normalizedRows", lambda x: F.normalize(x), {"x": rounded(4, 7)})

# Tables
rows1, rows2 = torch.tensor([2, 0, 2, 5, 1, 2]), torch.tensor([0, 1, 2, 3, 0, 1])
case("embeddingSum", lambda table, positions: F.embedding(rows1, table) + F.embedding(rows2, positions), {},
     {"table": rounded(6, 4), "positions": rounded(4, 4)})
case("gatherRows", lambda x: x[rows1], {"x": rounded(6, 4)})
case("concatenatedRows", lambda a, b, c: torch.cat([a, b, c]), {"a": rounded(2, 3), "b": rounded(1, 3), "c": rounded(4, 3)})
case("concatenatedColumns", lambda a, b, c: torch.cat([a, b, c], 1), {"a": rounded(3, 2), "b": rounded(3, 1), "c": rounded(3, 4)})
case("rows", lambda x: x[1:4], {"x": rounded(6, 3)})
case("columns", lambda x: x[:, 1:3], {"x": rounded(4, 5)})

# Arithmetic
case("sum", lambda x, y: x + y, {"x": rounded(3, 4), "y": rounded(3, 4)})
case("product", lambda x, y: x * y, {"x": rounded(3, 4), "y": rounded(3, 4)})
case("scaled", lambda x: 2.5 * x, {"x": rounded(3, 4)})
case("square", lambda x: x * x, {"x": rounded(3, 4)})
for ta in (False, True):
    for tb in (False, True):
        case(f"matrixProduct.{int(ta)}{int(tb)}", lambda a, b: (a.T if ta else a) @ (b.T if tb else b),
             {"a": rounded(5, 3) if ta else rounded(3, 5), "b": rounded(4, 5) if tb else rounded(5, 4)})
case("rowDots", lambda x, y: (x * y).sum(1), {"x": rounded(5, 3), "y": rounded(5, 3)})
case("total", lambda x: x.sum().reshape(1), {"x": rounded(5, 3)})
case("mean", lambda x: x.mean().reshape(1), {"x": rounded(5, 3)})
case("meanSquaredError", lambda x, y: F.mse_loss(x, y).reshape(1), {"x": rounded(5, 3), "y": rounded(5, 3)})

# Softmax and its losses
targets = torch.tensor([1, -100, 4, 0, 6])
case("softmax", lambda x: x.softmax(1), {"x": rounded(4, 6)})
case("logSoftmax", lambda x: x.log_softmax(1), {"x": rounded(4, 6)})
for smoothing in (0.0, 0.1):
    case(f"crossEntropy.{smoothing}", lambda x: F.cross_entropy(x, targets, reduction="none", label_smoothing=smoothing), {"x": rounded(5, 7)})
    case(f"linearCrossEntropy.{smoothing}",
         lambda x, w, b: F.cross_entropy(F.linear(x, w, b), targets, label_smoothing=smoothing).reshape(1),
         {"x": rounded(5, 3)}, {"w": rounded(7, 3), "b": rounded(7)})



# What decoders add. Root-mean-square norms, of whole rows and of heads 1 and 2 of four in a row
def rms(x, gamma, offset=0.0):
    return (offset + gamma) * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)


case("rmsNorm", lambda x, gamma: rms(x, gamma), {"x": rounded(5, 9)}, {"gamma": rounded(9)})
case("rmsNorm.plusOne", lambda x, gamma: rms(x, gamma, 1.0), {"x": rounded(5, 9)}, {"gamma": rounded(9)})
case("rmsNorm.heads", lambda x, gamma: torch.cat([x[:, :3], rms(x[:, 3:6], gamma), rms(x[:, 6:9], gamma), x[:, 9:]], 1), {"x": rounded(5, 12)},
     {"gamma": rounded(3)})


# Four heads of queries on two of keys and values, a cap, and windows behind each query
def grouped(q, k, v, query_lengths, key_lengths, window=None, cap=None, bias=None):
    out, q0, k0, size = [], 0, 0, 4
    for n, m in zip(query_lengths, key_lengths):
        split = lambda t, first, count, heads: t[first:first + count].reshape(count, heads, size).transpose(0, 1)
        keys, values = (split(t, k0, m, 2).repeat_interleave(2, 0) for t in (k, v))
        scores = split(q, q0, n, 4) @ keys.transpose(1, 2) * 0.7
        if cap:
            scores = cap * torch.tanh(scores / cap)
        if bias is not None:
            scores = scores + bias[:, :n, :m]
        place, j = torch.arange(n)[:, None] + (m - n), torch.arange(m)[None, :]
        scores = scores.masked_fill(j > place, -math.inf)
        if window is not None:
            scores = scores.masked_fill(j < place - window, -math.inf)
        out.append((scores.softmax(-1) @ values).transpose(0, 1).reshape(n, 4 * size))
        q0, k0 = q0 + n, k0 + m
    return torch.cat(out)


def fused_grouped(**options):
    return lambda qkv, **rest: grouped(qkv[:, :16], qkv[:, 16:24], qkv[:, 24:], lengths, lengths, **options, **rest)


case("grouped.causal", fused_grouped(), {"qkv": rounded(23, 32)})
case("grouped.window", fused_grouped(window=2), {"qkv": rounded(23, 32)})
case("grouped.cap", fused_grouped(cap=0.8), {"qkv": rounded(23, 32)})
case("grouped.capBias", fused_grouped(cap=0.8, window=4), {"qkv": rounded(23, 32), "bias": rounded(4, 11, 11)})
case("grouped.cache", lambda q, kv: grouped(q, kv[:, :8], kv[:, 8:], [1, 2, 9], [6, 2, 12], window=3), {"q": rounded(12, 16), "kv": rounded(20, 16)})

# The first four of six elements turn, in the first of two heads
angles = torch.arange(5.0)[:, None] * torch.tensor([1.0, 0.1])[None, :]
case("rotated", lambda x: torch.cat([x[:, :2] * angles.cos() - x[:, 2:4] * angles.sin(), x[:, 2:4] * angles.cos() + x[:, :2] * angles.sin(), x[:, 4:]], 1),
     {"x": rounded(5, 12)})

# Batch norm by the statistics of the rows (a variance of zeros: not measured), and by those of a population
zeros = {"mean": torch.zeros(6), "variance": torch.zeros(6)}
case("batchNorm.rows", lambda x, gamma, beta, **_: F.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-5),
     {"x": rounded(7, 6)}, {"gamma": rounded(6), "beta": rounded(6)}, zeros)
case("batchNorm.residual", lambda x, residual, gamma, beta, **_: F.batch_norm(x + residual, None, None, gamma, beta, training=True, eps=1e-5),
     {"x": rounded(7, 6), "residual": rounded(7, 6)}, {"gamma": rounded(6), "beta": rounded(6)}, zeros)
case("batchNorm.population", lambda x, residual, gamma, beta, mean, variance: F.batch_norm(x + residual, mean, variance, gamma, beta, eps=1e-5),
     {"x": rounded(7, 6), "residual": rounded(7, 6)}, {"gamma": rounded(6), "beta": rounded(6)},
     {"mean": rounded(6).detach(), "variance": rounded(6).detach().square()})

print(json.dumps(cases, separators=(",", ":")))
