"""Golden logits, losses and gradients of encoder-decoder networks, from PyTorch 2.x in double precision.

Writes Tests/Seq2SeqTests/Fixtures/NAME.json: configuration, parameters under the program's keys, a ragged batch, logits, the mean
cross-entropy and its gradient for every parameter. Run: python tools/golden/seq2seq.py
"""
import json, math, pathlib, torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
OUT = pathlib.Path(__file__).parents[2] / "Tests/Seq2SeqTests/Fixtures"
V, PAD = 13, 0
SOURCE = [[3, 4, 5, 6], [7, 3], [8, 9, 10, 11, 12, 3, 4]]
INPUT = [[1, 5, 6], [1, 7, 8, 9, 10], [1, 4]]
TARGET = [[5, 6, 2], [7, 8, 9, 10, 2], [4, 2]]
ROUND = 17


def pad(rows):
    n = max(map(len, rows))
    return torch.tensor([r + [PAD] * (n - len(r)) for r in rows])


def ragged(x, rows):
    return torch.cat([x[i, : len(r)] for i, r in enumerate(rows)])


def table(n, d):
    p, c = torch.arange(n).double()[:, None], torch.arange(d)
    a = p / 10000 ** ((c // 2 * 2).double() / d)
    return torch.where(c % 2 == 0, a.sin(), a.cos())


class Transformer(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, pre = c["hidden_size"], c["norm_placement"] == "pre"
        self.c, self.words, self.lm = c, nn.Embedding(V, d), nn.Linear(d, V)
        self.net = nn.Transformer(d, c["attention_heads"], c["encoder_layers"], c["decoder_layers"], c["intermediate_size"], 0.0,
                                  c["activation"], batch_first=True, norm_first=pre)
        if not c["final_norm"]:
            self.net.encoder.norm = self.net.decoder.norm = None
        if c["positions"] == "learned":
            self.ps, self.pt = nn.Embedding(c["max_length"], d), nn.Embedding(c["max_length"], d)
        if c["tied_output"]:
            self.lm.weight = self.words.weight
        for p in self.parameters():  # norms and biases too, so that nothing is tested at 0 or 1
            nn.init.normal_(p, 0.1 if p.dim() == 1 else 0.0, 0.4)

    def forward(self):
        c, d = self.c, self.c["hidden_size"]
        s, t = pad(SOURCE), pad(INPUT)
        scale = math.sqrt(d) if c["scaled_embeddings"] else 1
        at = lambda which, n: which.weight[:n] if c["positions"] == "learned" else table(n, d)
        x = self.words(s) * scale + at(getattr(self, "ps", None), s.shape[1])
        y = self.words(t) * scale + at(getattr(self, "pt", None), t.shape[1])
        hide = s == PAD
        mask = torch.ones(t.shape[1], t.shape[1]).triu(1).bool()
        return self.lm(self.net(x, y, tgt_mask=mask, src_key_padding_mask=hide, memory_key_padding_mask=hide))

    def keyed(self):
        out = {"shared.weight": self.words.weight, "lm_head.bias": self.lm.bias}
        if not self.c["tied_output"]: out["lm_head.weight"] = self.lm.weight
        if self.c["positions"] == "learned":
            out["encoder.embed_positions.weight"], out["decoder.embed_positions.weight"] = self.ps.weight, self.pt.weight
        def attention(key, a):
            for i, n in enumerate("qkv"):
                out[f"{key}.{n}_proj.weight"], out[f"{key}.{n}_proj.bias"] = (a.in_proj_weight, i), (a.in_proj_bias, i)
            out[f"{key}.out_proj.weight"], out[f"{key}.out_proj.bias"] = a.out_proj.weight, a.out_proj.bias
        def both(key, m):
            out[key + ".weight"], out[key + ".bias"] = m.weight, m.bias
        for side, stack in (("encoder", self.net.encoder), ("decoder", self.net.decoder)):
            if stack.norm is not None: both(f"{side}.layer_norm", stack.norm)
            for i, l in enumerate(stack.layers):
                k = f"{side}.layers.{i}."
                attention(k + "self_attn", l.self_attn)
                both(k + "self_attn_layer_norm", l.norm1)
                if side == "decoder":
                    attention(k + "encoder_attn", l.multihead_attn)
                    both(k + "encoder_attn_layer_norm", l.norm2)
                both(k + "fc1", l.linear1), both(k + "fc2", l.linear2)
                both(k + "final_layer_norm", l.norm3 if side == "decoder" else l.norm2)
        return out


class Recurrent(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, e, b, kind = c["hidden_size"], c["embedding_size"], c["bidirectional"], c["attention"]
        m = 2 * h if b else h
        self.c, self.words, self.words_t, self.lm = c, nn.Embedding(V, e), nn.Embedding(V, e), nn.Linear(h, V)
        cell = nn.LSTM if c["cell"] == "lstm" else nn.GRU
        fed = m if kind == "additive" else h if c["input_feeding"] else 0
        self.enc = cell(e, h, c["layers"], batch_first=True, bidirectional=b)
        self.dec = cell(e + fed, h, c["layers"], batch_first=True)
        parts = 2 if c["cell"] == "lstm" else 1
        self.bridges = nn.ModuleList(nn.Linear(m, h) for _ in range(c["layers"] * parts if b else 0))
        self.key = nn.Linear(m, h, bias=False) if kind in ("general", "concat", "additive") else None
        self.query = nn.Linear(h, h) if kind in ("concat", "additive") else None
        self.v = nn.Parameter(torch.randn(1, h)) if kind in ("concat", "additive") else None
        self.comb = nn.Linear(m + h, h) if kind != "none" else None

    def look(self, s, keys, values, hide):
        q = self.query(s) if self.query else s
        score = (torch.tanh(q[:, None] + keys) @ self.v[0]) if self.v is not None else (keys @ q[:, :, None])[:, :, 0]
        w = score.masked_fill(hide, -torch.inf).softmax(1)
        return (w[:, :, None] * values).sum(1)

    def forward(self):
        c, lengths = self.c, torch.tensor([len(r) for r in SOURCE])
        packed = pack_padded_sequence(self.words(pad(SOURCE)), lengths, batch_first=True, enforce_sorted=False)
        values, state = self.enc(packed)
        values = pad_packed_sequence(values, batch_first=True)[0]
        parts = list(state) if c["cell"] == "lstm" else [state]
        if c["bidirectional"]:
            parts = [torch.stack([self.bridges[l * len(parts) + i](torch.cat([p[2 * l], p[2 * l + 1]], 1)) for l in range(c["layers"])])
                     for i, p in enumerate(parts)]
        hide = pad(SOURCE) == PAD
        keys = self.key(values) if self.key else values
        emb, kind, outs = self.words_t(pad(INPUT)), c["attention"], []
        feed = torch.zeros(len(SOURCE), c["hidden_size"])
        for t in range(emb.shape[1]):
            x = emb[:, t]
            if kind == "additive":
                ctx = self.look(parts[0][-1], keys, values, hide)
                x = torch.cat([x, ctx], 1)
            elif c["input_feeding"]:
                x = torch.cat([x, feed], 1)
            y, new = self.dec(x[:, None], tuple(parts) if len(parts) == 2 else parts[0])
            parts = list(new) if len(parts) == 2 else [new]
            y = y[:, 0]
            if kind not in ("none", "additive"): ctx = self.look(y, keys, values, hide)
            if kind != "none": y = torch.tanh(self.comb(torch.cat([ctx, y], 1)))
            feed = y
            outs.append(self.lm(y))
        return torch.stack(outs, 1)

    def keyed(self):
        out = {"encoder.embed_tokens.weight": self.words.weight, "decoder.embed_tokens.weight": self.words_t.weight,
               "lm_head.weight": self.lm.weight, "lm_head.bias": self.lm.bias}
        for side, net in (("encoder", self.enc), ("decoder", self.dec)):
            for n, p in net.named_parameters(): out[f"{side}.rnn.{n}"] = p
        for i, b in enumerate(self.bridges): out[f"bridge.{i}.weight"], out[f"bridge.{i}.bias"] = b.weight, b.bias
        if self.key: out["attention.key.weight"] = self.key.weight
        if self.query: out["attention.query.weight"], out["attention.query.bias"] = self.query.weight, self.query.bias
        if self.v is not None: out["attention.score.weight"] = self.v
        if self.comb: out["attention.combination.weight"], out["attention.combination.bias"] = self.comb.weight, self.comb.bias
        return out


def write(name, c):
    c = {"model_type": "kotonoha-seq2seq", "vocab_size": V, "max_length": 9, "bos_token_id": 1, "eos_token_id": 2,
         "shared_embeddings": c["architecture"] == "transformer", "tied_output": False, "dropout": 0.0, **c}
    net = (Transformer if c["architecture"] == "transformer" else Recurrent)(c)
    padded = net()
    logits = ragged(padded, INPUT)
    target = torch.tensor(sum(TARGET, []))
    loss = F.cross_entropy(logits, target)
    smooth = F.cross_entropy(logits, target, label_smoothing=0.1)
    loss.backward()
    part = lambda p, i: p if i is None else p.chunk(3)[i]
    flat = lambda x: [float(f"{v:.{ROUND}g}") for v in x.detach().flatten().tolist()]
    parameters, gradients = {}, {}
    for k, p in net.keyed().items():
        p, i = p if isinstance(p, tuple) else (p, None)
        parameters[k] = {"shape": list(part(p, i).shape), "data": flat(part(p, i))}
        gradients[k] = flat(part(p.grad, i))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(dict(
        config=c, source=SOURCE, input=INPUT, target=TARGET, parameters=parameters, logits=flat(logits), loss=loss.item(),
        smoothed_loss=smooth.item(), gradients=gradients), separators=(",", ":")))
    print(name, (OUT / f"{name}.json").stat().st_size)


T = dict(architecture="transformer", hidden_size=8, encoder_layers=2, decoder_layers=2, attention_heads=2, intermediate_size=12,
         activation="relu", norm_placement="post", final_norm=True, positions="sinusoidal", scaled_embeddings=True)
R = dict(architecture="recurrent", cell="lstm", hidden_size=6, embedding_size=5, layers=1, bidirectional=False, attention="none",
         input_feeding=False)
write("transformer-post", T)
write("transformer-pre-tied", {**T, "norm_placement": "pre", "activation": "gelu", "positions": "learned", "tied_output": True,
                               "scaled_embeddings": False, "encoder_layers": 1})
write("lstm-plain", {**R, "layers": 2})
write("gru-plain", {**R, "cell": "gru"})
write("gru-bahdanau", {**R, "cell": "gru", "bidirectional": True, "attention": "additive", "layers": 2})
write("lstm-general-fed", {**R, "bidirectional": True, "attention": "general", "input_feeding": True})
write("gru-dot", {**R, "cell": "gru", "attention": "dot"})
write("lstm-concat", {**R, "attention": "concat"})
