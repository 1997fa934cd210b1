#!/usr/bin/env python3
"""Tiny random language models and what the reference libraries compute with them, as fixtures of LanguageModelsTests.

Made with torch 2.15.0, transformers 5.23.0, minicons 0.3.36, safetensors 0.8.0.

- heads/NAME: a masked model of every encoder family; expected.safetensors has logits of every token and the attention of every layer.
- bert, roberta: masked models with tokenizers; expected.json has minicons' token scores by both pseudo-log-likelihoods.
- causal.json, causal.safetensors: logits of a tiny GPT-2 for some texts, and minicons' scores of tokens and of words, plain and corrected
  for leading spaces.
- explain.json: attributions of a cosine and of a classifier's score, from Jacobians and gradients in double precision.

    python tools/golden/language_models.py Tests/LanguageModelsTests/Fixtures
"""
import json
import os
import sys

# Beside this file lies statistics.py, which would take the place of Python's own.
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != here]

import numpy as np
import torch
import transformers as t
from minicons import scorer
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.append(here)
from families import randomize, without  # noqa: E402

# minicons calls tokenizers by a name that transformers 5 has dropped.
t.PreTrainedTokenizerBase.batch_encode_plus = lambda self, texts, **settings: self(texts, **settings)

TINY = dict(vocab_size=40, hidden_size=18, num_hidden_layers=2, num_attention_heads=3, intermediate_size=22, max_position_embeddings=40, type_vocab_size=2)
HEADS = {
    "bert": (t.BertForMaskedLM, t.BertConfig(**TINY)),
    "bert-untied": (t.BertForMaskedLM, t.BertConfig(**TINY, hidden_act="relu", tie_word_embeddings=False)),
    "roberta": (t.RobertaForMaskedLM, t.RobertaConfig(**TINY, pad_token_id=1, layer_norm_eps=1e-5)),
    "xlm-roberta": (t.XLMRobertaForMaskedLM, t.XLMRobertaConfig(**{**TINY, "type_vocab_size": 1}, pad_token_id=1)),
    "distilbert": (t.DistilBertForMaskedLM, t.DistilBertConfig(vocab_size=40, dim=16, n_layers=2, n_heads=2, hidden_dim=22, max_position_embeddings=40)),
    "mpnet": (t.MPNetForMaskedLM, t.MPNetConfig(**without(TINY, "type_vocab_size"))),
    "albert": (t.AlbertForMaskedLM, t.AlbertConfig(**TINY, embedding_size=14)),
    "electra": (t.ElectraForMaskedLM, t.ElectraConfig(**TINY, embedding_size=14)),
    "deberta-v2": (t.DebertaV2ForMaskedLM, t.DebertaV2Config(
        **{**TINY, "type_vocab_size": 0}, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type="p2c|c2p", position_biased_input=False)),
    "deberta-v3": (t.DebertaV2ForMaskedLM, t.DebertaV2Config(
        **{**TINY, "type_vocab_size": 0}, relative_attention=True, pos_att_type="c2p", position_biased_input=True, legacy=False)),
    "luke": (t.LukeForMaskedLM, t.LukeConfig(**TINY, entity_vocab_size=4, entity_emb_size=8, pad_token_id=1)),
    "modernbert": (t.ModernBertForMaskedLM, t.ModernBertConfig(
        **without(TINY, "type_vocab_size"), local_attention=4, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)),
    "nomic_bert": (t.NomicBertForMaskedLM, t.NomicBertConfig(**TINY, pad_token_id=0)),
}
LENGTHS = [11, 2, 17]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *("##" + l for l in LETTERS), "two", "dogs", "play", "in", "the", "snow", "cat", "##ing",
         ".", ",", "'", "犬", "が", "雪", "##で", "##遊", "##ぶ", "で", "遊", "ぶ"]
TEXTS = ["two dogs play in the snow.", "The cat", "playing snowcat, it's the dogs", "cats", "the snow in the snow in the snow"]
CORPUS = ["the two dogs are playing in the snow while the cats sleep in the house", "it's snowing, said the cat; the dogs don't mind.",
          "a dog and a cat play with the ball that the boy has thrown into the garden"] * 40


def strengthen(model, generator):
    randomize(model, generator)
    model.tie_weights()
    return model.eval()


def heads(folder, generator):
    for name, (kind, config) in HEADS.items():
        path = os.path.join(folder, "heads", name)
        os.makedirs(path, exist_ok=True)
        config._attn_implementation = "eager"
        model = strengthen(kind(config), generator)
        model.save_pretrained(path)
        ids, offsets, logits, attentions = [], [0], [], None
        for length in LENGTHS:
            sequence = torch.randint(5, 40, (1, length), generator=generator)
            with torch.no_grad():
                result = model(input_ids=sequence, attention_mask=torch.ones_like(sequence), output_attentions=True)
            ids.append(sequence[0])
            offsets.append(offsets[-1] + length)
            logits.append(result.logits[0])
            attentions = attentions or [a[0].contiguous() for a in result.attentions]
        tensors = {"ids": torch.cat(ids).to(torch.int32), "offsets": torch.tensor(offsets, dtype=torch.int32), "logits": torch.cat(logits)}
        tensors |= {f"attention.{i}": a for i, a in enumerate(attentions)}
        save_file(tensors, os.path.join(path, "expected.safetensors"))
        generation = os.path.join(path, "generation_config.json")
        if os.path.exists(generation):
            os.remove(generation)


def masked_scores(folder, tokenizer):
    found = {}
    for metric in ["original", "within_word_l2r"]:
        lm = scorer.MaskedLMScorer(folder, "cpu", PLL_metric=metric)
        found[metric] = [[[token, score] for token, score in text] for text in lm.token_score(TEXTS, PLL_metric=metric)]
    with torch.no_grad():
        encoded = tokenizer("two dogs " + tokenizer.mask_token + " in the " + tokenizer.mask_token, return_tensors="pt")
        logits = lm.model(**encoded).logits[0]
    masks = [i for i, x in enumerate(encoded["input_ids"][0].tolist()) if x == tokenizer.mask_token_id]
    probabilities = logits[masks].softmax(-1)
    values, ids = probabilities.topk(5)
    fill = [[[tokenizer.convert_ids_to_tokens(i), v] for i, v in zip(row, vs)] for row, vs in zip(ids.tolist(), values.tolist())]
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump({"texts": TEXTS, **found, "fill": fill}, f, ensure_ascii=False, indent=1)


def byte_level(specials, frame=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=330, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                               show_progress=False))
    if frame:
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")),
                                                               trim_offsets=True, add_prefix_space=False)
    return tokenizer


def masked(folder, generator):
    path = os.path.join(folder, "bert")
    os.makedirs(path, exist_ok=True)
    model = strengthen(t.BertForMaskedLM(t.BertConfig(**{**TINY, "vocab_size": len(WORDS)})), generator)
    model.save_pretrained(path)
    raw = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer(lowercase=True)
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.BertProcessing(("[SEP]", WORDS.index("[SEP]")), ("[CLS]", WORDS.index("[CLS]")))
    raw.decoder = decoders.WordPiece()
    tokenizer = t.PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]",
                                          model_max_length=40)
    tokenizer.save_pretrained(path)
    masked_scores(path, tokenizer)

    path = os.path.join(folder, "roberta")
    os.makedirs(path, exist_ok=True)
    raw = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], frame=True)
    tokenizer = t.PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>",
                                          unk_token="<unk>", mask_token="<mask>", model_max_length=38)
    tokenizer.save_pretrained(path)
    model = strengthen(t.RobertaForMaskedLM(t.RobertaConfig(**{**TINY, "vocab_size": len(tokenizer)}, pad_token_id=1)), generator)
    model.save_pretrained(path)
    masked_scores(path, tokenizer)


def causal(folder, generator):
    raw = byte_level(["<|endoftext|>"])
    tokenizer = t.PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<|endoftext|>", eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    model = strengthen(t.GPT2LMHeadModel(t.GPT2Config(vocab_size=len(tokenizer), n_positions=40, n_embd=16, n_layer=2, n_head=2)), generator)
    raw.save(os.path.join(folder, "causal-tokenizer.json"))
    lm = scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
    expected, tensors = [], {}
    for number, text in enumerate(TEXTS):
        ids = [tokenizer.bos_token_id] + tokenizer(text, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0]
        tensors |= {f"ids.{number}": torch.tensor(ids, dtype=torch.int32), f"logits.{number}": logits.contiguous()}
        tokens, ranks = zip(*[(s, r) for (_, s, r) in lm.token_score([text], bos_token=True, rank=True)[0][1:]])
        one = {"text": text, "token_scores": tokens, "token_ranks": ranks,
               "entropies": [float(-(p * p.log()).sum()) for p in logits.softmax(-1)[:-1]]}
        for key, corrected in [("words", False), ("words_corrected", True)]:
            scores = lm.word_score_tokenized([text], tokenize_function=str.split, bos_token=True, bow_correction=corrected)[0]
            one[key] = [[w, s] for w, s in scores if w != tokenizer.bos_token]
        expected.append(one)
    save_file(tensors, os.path.join(folder, "causal.safetensors"))
    with open(os.path.join(folder, "causal.json"), "w") as f:
        json.dump(expected, f, ensure_ascii=False, indent=1)


def explain(folder, generator):
    """The tiny BERT as a sentence encoder (mean of its last layer, unit length), references with [PAD] in place of the text."""
    path = os.path.join(folder, "bert")
    tokenizer = t.AutoTokenizer.from_pretrained(path)
    model = t.BertModel.from_pretrained(path, add_pooling_layer=False, attn_implementation="eager").double().eval()

    def inputs(text):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        reference = ids.clone()
        reference[0, 1:-1] = tokenizer.pad_token_id
        return model.embeddings(ids)[0].detach(), model.embeddings(reference)[0].detach(), tokenizer.convert_ids_to_tokens(ids[0])

    def vector(x):
        state = model.encoder(x[None]).last_hidden_state[0].mean(0)
        return state / state.norm()

    nodes, weights = np.polynomial.legendre.leggauss(48)
    nodes, weights = (nodes + 1) / 2, weights / 2

    def contributions(x, reference):
        """(tokens, size): what each token's way from the reference does to the vector."""
        total = 0
        for node, weight in zip(nodes, weights):
            jacobian = torch.autograd.functional.jacobian(vector, reference + node * (x - reference))
            total = total + weight * torch.einsum("ktd,td->tk", jacobian, x - reference)
        return total

    a, b = "two dogs play in the snow.", "the cat, playing"
    (xa, ra, ta), (xb, rb, tb) = inputs(a), inputs(b)
    ua, ub = contributions(xa, ra), contributions(xb, rb)
    with torch.no_grad():
        va, vb, wa, wb = vector(xa), vector(xb), vector(ra), vector(rb)
    ja = torch.einsum("ktd,td->tk", torch.autograd.functional.jacobian(vector, xa), xa)
    jb = torch.einsum("ktd,td->tk", torch.autograd.functional.jacobian(vector, xb), xb)
    result = {
        "a": a, "b": b, "tokens_a": ta, "tokens_b": tb, "score": float(va @ vb), "reference_a": float(wa @ vb), "reference_b": float(va @ wb),
        "references": float(wa @ wb), "integrated_jacobians": (ua @ ub.T).tolist(), "gradient_input": (ja @ jb.T).tolist(),
    }
    with open(os.path.join(folder, "explain.json"), "w") as f:
        json.dump(result, f, ensure_ascii=False, indent=1)


def main(folder):
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(20261126)
    heads(folder, generator)
    masked(folder, generator)
    causal(folder, generator)
    explain(folder, generator)


if __name__ == "__main__":
    main(sys.argv[1])
