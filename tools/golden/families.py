#!/usr/bin/env python3
"""Tiny random models of every encoder family, with the hidden states of every layer, as fixtures of NetworksTests.

Made with torch 2.15.0, transformers 5.23.0, sentence-transformers 6.2.0, safetensors 0.8.0. Each folder holds what the
library itself saves (config.json, model.safetensors) and expected.safetensors: token ids and type ids of a few sequences one
after the other, their offsets, and hidden.0 ... hidden.L of shape (tokens, hidden_size). Each sequence is computed alone.

    python tools/golden/families.py Tests/NetworksTests/Fixtures/families
"""
import json
import os
import sys

import torch
import transformers as t
from safetensors.torch import load_file, save_file

LENGTHS = [1, 9, 2, 33, 16]
VOCABULARY = 96

SMALL = dict(vocab_size=VOCABULARY, hidden_size=36, num_hidden_layers=3, num_attention_heads=3, intermediate_size=56,
             max_position_embeddings=48, type_vocab_size=2)


def without(settings, *names):
    return {k: v for k, v in settings.items() if k not in names}


FAMILIES = {
    "bert": (t.BertModel, t.BertConfig(**SMALL)),
    # Odd sizes: heads of 7, rows that fill no vector register.
    "bert-odd": (t.BertModel, t.BertConfig(**{**SMALL, "hidden_size": 35, "num_attention_heads": 5, "intermediate_size": 51,
                                              "hidden_act": "relu", "num_hidden_layers": 2})),
    # Tokens see only what is before them.
    "bert-causal": (t.BertModel, t.BertConfig(**{**SMALL, "num_hidden_layers": 2}, is_decoder=True)),
    "roberta": (t.RobertaModel, t.RobertaConfig(**SMALL, pad_token_id=1)),
    "xlm-roberta": (t.XLMRobertaModel, t.XLMRobertaConfig(**{**SMALL, "type_vocab_size": 1}, pad_token_id=3)),
    "distilbert": (t.DistilBertModel, t.DistilBertConfig(vocab_size=VOCABULARY, dim=32, n_layers=2, n_heads=4, hidden_dim=60,
                                                         max_position_embeddings=48)),
    "mpnet": (t.MPNetModel, t.MPNetConfig(**without(SMALL, "type_vocab_size"))),
    "albert": (t.AlbertModel, t.AlbertConfig(**{**SMALL, "num_hidden_layers": 4}, embedding_size=20, num_hidden_groups=2,
                                             inner_group_num=1)),
    "albert-inner": (t.AlbertModel, t.AlbertConfig(**{**SMALL, "num_hidden_layers": 2}, embedding_size=36, num_hidden_groups=1,
                                                   inner_group_num=2)),
    "electra": (t.ElectraModel, t.ElectraConfig(**SMALL, embedding_size=20)),
    "electra-causal": (t.ElectraModel, t.ElectraConfig(**{**SMALL, "num_hidden_layers": 1}, embedding_size=20, is_decoder=True)),
    "electra-even": (t.ElectraModel, t.ElectraConfig(**{**SMALL, "num_hidden_layers": 2}, embedding_size=36)),
    # As deberta-v3: shared projections, logarithmic buckets, no absolute positions.
    "deberta-v3": (t.DebertaV2Model, t.DebertaV2Config(
        **{**SMALL, "type_vocab_size": 0}, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm",
        share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False, max_relative_positions=-1)),
    # As deberta-v2-xlarge: a convolution beside the first layer.
    "deberta-v2": (t.DebertaV2Model, t.DebertaV2Config(
        **{**SMALL, "type_vocab_size": 0}, relative_attention=True, position_buckets=12, norm_rel_ebd="layer_norm",
        share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False, conv_kernel_size=3, conv_act="gelu")),
    # Everything the other way round.
    "deberta-v2-own": (t.DebertaV2Model, t.DebertaV2Config(
        **{**SMALL, "type_vocab_size": 2, "num_hidden_layers": 2}, relative_attention=True, pos_att_type="c2p",
        position_biased_input=True, embedding_size=24)),
    "luke": (t.LukeModel, t.LukeConfig(**SMALL, entity_vocab_size=4, entity_emb_size=8, pad_token_id=1)),
    "modernbert": (t.ModernBertModel, t.ModernBertConfig(
        **{**without(SMALL, "type_vocab_size"), "num_hidden_layers": 4}, local_attention=8, pad_token_id=0, bos_token_id=1,
        eos_token_id=2, cls_token_id=1, sep_token_id=2)),
    "nomic_bert": (t.NomicBertModel, t.NomicBertConfig(**SMALL, pad_token_id=0)),
}


def randomize(model, generator):
    """Weights large enough that every part of a layer shows in its output."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name.lower() and name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise)
            elif parameter.dim() == 1:
                parameter.copy_(0.1 * noise)
            elif "embedding" in name and "mapping" not in name and "project" not in name and "proj" not in name or "relative" in name:
                parameter.copy_(0.7 * noise)
            else:
                parameter.copy_(1.2 * noise / parameter[0].numel() ** 0.5)


def expected(model, config, generator):
    segments = getattr(config, "type_vocab_size", 0) or 0
    takes_types = segments > 1 and not isinstance(model, (t.DistilBertModel, t.MPNetModel, t.ModernBertModel))
    ids, types, offsets, layers = [], [], [0], None
    for length in LENGTHS:
        # From 5 on: no padding id among them.
        sequence = torch.randint(5, VOCABULARY, (1, length), generator=generator)
        kinds = torch.randint(0, segments, (1, length), generator=generator) if takes_types else torch.zeros_like(sequence)
        given = {"input_ids": sequence, "attention_mask": torch.ones_like(sequence), "output_hidden_states": True}
        if takes_types:
            given["token_type_ids"] = kinds
        with torch.no_grad():
            result = model(**given)
        states = [state[0] for state in result.hidden_states]
        # Some report the last layer before the final norm; what users get is after it.
        states[-1] = result.last_hidden_state[0]
        layers = [[s] for s in states] if layers is None else [a + [s] for a, s in zip(layers, states)]
        ids.append(sequence[0])
        types.append(kinds[0])
        offsets.append(offsets[-1] + length)
    tensors = {f"hidden.{i}": torch.cat(parts) for i, parts in enumerate(layers)}
    tensors |= {"ids": torch.cat(ids).to(torch.int32), "types": torch.cat(types).to(torch.int32),
                "offsets": torch.tensor(offsets, dtype=torch.int32)}
    return tensors


def write_static(folder, generator):
    """The two layouts of static embeddings: sentence-transformers' and model2vec's (with shared rows and token weights)."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models
    tokenizer = Tokenizer(models.WordLevel({f"w{i}": i for i in range(20)}, unk_token="w0"))
    sequences = [[3, 4, 5], [], [19], [7, 7, 0, 2]]
    flat = torch.tensor([i for s in sequences for i in s], dtype=torch.int64)
    starts = torch.tensor([0, 3, 3, 4])

    def save(name, weights, module):
        path = os.path.join(folder, name)
        os.makedirs(path, exist_ok=True)
        save_file(weights, os.path.join(path, "model.safetensors"))
        vectors = module.forward({"input_ids": flat, "offsets": starts})["sentence_embedding"].detach()
        offsets = torch.tensor([0, 3, 3, 4, 8], dtype=torch.int32)
        save_file({"ids": flat.to(torch.int32), "offsets": offsets, "vectors": vectors}, os.path.join(path, "expected.safetensors"))

    table = torch.randn(20, 10, generator=generator)
    save("static-st", {"embedding.weight": table}, StaticEmbedding(tokenizer, embedding_weights=table))
    rows = torch.randn(6, 10, generator=generator).to(torch.float16)
    mapping = torch.randint(0, 6, (20,), generator=generator)
    weights = torch.rand(20, generator=generator, dtype=torch.float64)
    folded = StaticEmbedding._fold_model2vec_weights(rows, mapping, weights).float()
    save("static-model2vec", {"embeddings": rows, "mapping": mapping, "weights": weights}, StaticEmbedding(tokenizer, embedding_weights=folded))
    with open(os.path.join(folder, "static-model2vec", "config.json"), "w") as f:
        json.dump({"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True}, f)


TINY = dict(vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20, max_position_embeddings=32)
CLASSIFIERS = {
    "bert": t.BertConfig(**TINY, num_labels=1), "roberta": t.RobertaConfig(**TINY, pad_token_id=1, num_labels=1),
    "xlm-roberta": t.XLMRobertaConfig(**TINY, type_vocab_size=1, pad_token_id=1, num_labels=3),
    "distilbert": t.DistilBertConfig(vocab_size=40, dim=16, n_layers=1, n_heads=2, hidden_dim=20, max_position_embeddings=32, num_labels=1),
    "mpnet": t.MPNetConfig(**TINY, num_labels=2), "albert": t.AlbertConfig(**TINY, embedding_size=12, num_labels=2),
    "electra": t.ElectraConfig(**TINY, embedding_size=12, num_labels=1),
    "deberta-v2": t.DebertaV2Config(**TINY, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True,
                                    pos_att_type="p2c|c2p", position_biased_input=False, num_labels=1),
    "luke": t.LukeConfig(**TINY, entity_vocab_size=4, entity_emb_size=8, pad_token_id=1, num_labels=2),
    "modernbert": t.ModernBertConfig(**TINY, local_attention=8, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1,
                                     sep_token_id=2, classifier_pooling="mean", num_labels=1),
}


def write_classifiers(folder):
    """Sequence classifiers with their logits."""
    for name, config in CLASSIFIERS.items():
        generator = torch.Generator().manual_seed(5)
        model = t.AutoModelForSequenceClassification.from_config(config).eval()
        randomize(model, generator)
        path = os.path.join(folder, name)
        model.save_pretrained(path)
        ids, types, offsets, logits = [], [], [0], []
        takes_types = (getattr(config, "type_vocab_size", 0) or 0) > 1 and name not in ("distilbert", "mpnet", "modernbert")
        for length in (5, 1, 12):
            sequence = torch.randint(5, 40, (1, length), generator=generator)
            kinds = torch.zeros_like(sequence)
            if takes_types:
                kinds[0, length // 2:] = 1
            given = {"input_ids": sequence, "attention_mask": torch.ones_like(sequence)} | ({"token_type_ids": kinds} if takes_types else {})
            with torch.no_grad():
                logits.append(model(**given).logits[0])
            ids.append(sequence[0]), types.append(kinds[0]), offsets.append(offsets[-1] + length)
        save_file({"ids": torch.cat(ids).int(), "types": torch.cat(types).int(), "offsets": torch.tensor(offsets).int(), "logits": torch.stack(logits)},
                  os.path.join(path, "expected.safetensors"))


def write_buckets(folder):
    """Bucket of every distance, as the reference rounds its logarithms."""
    from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder
    distances = torch.arange(-600, 601)
    tables = {
        "distances": distances.tolist(),
        "mpnet": MPNetEncoder.relative_position_bucket(distances).tolist(),
        "deberta 256 512": make_log_bucket_position(distances, 256, 512).long().tolist(),
        "deberta 8 48": make_log_bucket_position(distances, 8, 48).long().tolist(),
    }
    with open(os.path.join(folder, "buckets.json"), "w") as f:
        json.dump(tables, f)


def main(folder):
    for name, (kind, config) in FAMILIES.items():
        generator = torch.Generator().manual_seed(20261121)
        model = kind(config).eval()
        randomize(model, generator)
        path = os.path.join(folder, name)
        model.save_pretrained(path)
        weights = os.path.join(path, "model.safetensors")
        tensors = load_file(weights)
        # What sentence vectors need nothing of.
        save_file({k: v for k, v in tensors.items() if not k.startswith("pooler.")}, weights, metadata={"format": "pt"})
        save_file(expected(model, config, generator), os.path.join(path, "expected.safetensors"))
        print(name, sum(v.numel() for v in tensors.values()))
    write_classifiers(os.path.join(os.path.dirname(folder), "classifiers"))
    write_static(folder, torch.Generator().manual_seed(7))
    write_buckets(folder)


if __name__ == "__main__":
    main(sys.argv[1])
