#!/usr/bin/env python3
"""Tiny sentence models on decoders and on T5's encoder, with sentence-transformers' vectors: fixtures of SentenceEmbeddingTests.

Made with torch 2.15.0, transformers 5.23.0, sentence-transformers 6.2.0. Each folder is a model as the library saves it, without its
tokenizer.json (those of the tokenizers' fixtures, named in expected.json), in the layout of a published model: last token and an instruction
(Qwen3-Embedding), mean, two dense layers and prompts (EmbeddingGemma), weighted mean (SGPT), mean and one dense layer (Sentence-T5), last
token behind an end mark, the prompt not pooled by the mean (an instruction that counts for context alone).

    python tools/golden/decoder_embedders.py Tests/SentenceEmbeddingTests/Fixtures/decoders Tests/TokenizersTests/Fixtures
"""
import json
import os
import shutil
import sys

# Last, because this folder has a statistics.py of its own.
sys.path.append(sys.path.pop(0))

import torch
import transformers as t
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

from families import randomize

TEXTS = ["two dogs play in the snow", "犬が雪の中で走る", "a", "It's 12,345 o'clock — isn't it?", "naïve café\n\n  two spaces",
         "a very " + "very " * 20 + "long sentence"]
SHAPE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=6, intermediate_size=20,
             max_position_embeddings=64, attn_implementation="eager")


def qwen3(size):
    return t.Qwen3Model(t.Qwen3Config(**SHAPE, vocab_size=size, bos_token_id=0, eos_token_id=0, pad_token_id=0))


def gemma3(size):
    return t.Gemma3TextModel(t.Gemma3TextConfig(**SHAPE, vocab_size=size, bos_token_id=1, eos_token_id=2, pad_token_id=0, sliding_window=6,
                                                use_bidirectional_attention=True, layer_types=["sliding_attention", "full_attention"]))


def gpt2(size):
    return t.GPT2Model(t.GPT2Config(vocab_size=size, n_embd=16, n_layer=2, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0))


def t5(size):
    return t.T5EncoderModel(t.T5Config(vocab_size=size, d_model=16, d_kv=5, d_ff=20, num_layers=2, num_heads=3, dropout_rate=0.0))


def llama(size):
    return t.LlamaModel(t.LlamaConfig(**SHAPE, vocab_size=size, bos_token_id=1, eos_token_id=2, pad_token_id=0))


MODELS = {
    "qwen3": (qwen3, "qwen2", "<|endoftext|>", lambda d: [Pooling(d, "lasttoken"), Normalize()], {"query": "Instruct: find\nQuery:", "document": ""}),
    "embeddinggemma": (gemma3, "gemma", "<unk>", lambda d: [
        Pooling(d, "mean"), Dense(d, 24, bias=False, activation_function=torch.nn.Identity()),
        Dense(24, 12, bias=False, activation_function=torch.nn.Identity()), Normalize()],
        {"query": "task: search result | query: ", "document": "title: none | text: "}),
    "sgpt": (gpt2, "gpt2", "<|endoftext|>", lambda d: [Pooling(d, "weightedmean")], {}),
    "sentence-t5": (t5, "t5", "<pad>", lambda d: [Pooling(d, "mean"), Dense(d, 10, bias=False, activation_function=torch.nn.Identity()), Normalize()], {}),
    "sarashina": (llama, "sarashina", "<unk>", lambda d: [Pooling(d, "lasttoken")], {"query": "クエリ: "}),
    "instructor": (llama, "sarashina", "<unk>", lambda d: [Pooling(d, "mean", include_prompt=False)], {"query": "クエリ: "}),
}


def main(folder, tokenizers):
    for name, (make, tokenizer, pad, steps, prompts) in MODELS.items():
        path, work = os.path.join(folder, name), os.path.join(folder, name + ".work")
        file = os.path.join(tokenizers, tokenizer + ".tokenizer.json")
        # The length of a prompt leaves out an end mark only where the tokenizer names it.
        marks = {"bos_token": "<s>", "eos_token": "</s>"} if name == "instructor" else {}
        fast = t.PreTrainedTokenizerFast(tokenizer_file=file, pad_token=pad, model_max_length=48, **marks)
        generator = torch.Generator().manual_seed(3)
        model = make(len(fast)).eval()
        randomize(model, generator)
        model.save_pretrained(work), fast.save_pretrained(work)
        transformer = Transformer(work, max_seq_length=48)
        torch.manual_seed(4)
        whole = SentenceTransformer(modules=[transformer] + steps(transformer.get_word_embedding_dimension()), prompts=prompts, device="cpu").eval()
        whole.save(path, create_model_card=False)
        shutil.rmtree(work)
        expected = {"tokenizer": tokenizer, "texts": TEXTS, "vectors": {}}
        # One by one, so that nothing is padded.
        for prompt in [None] + [p for p in prompts]:
            vectors = [whole.encode(text, prompt_name=prompt) if prompt else whole.encode(text, prompt="") for text in TEXTS]
            expected["vectors"][prompt or ""] = [[float(f"{x:.8g}") for x in v] for v in vectors]
        os.remove(os.path.join(path, "tokenizer.json"))
        with open(os.path.join(path, "expected.json"), "w", encoding="utf-8") as out:
            json.dump(expected, out, ensure_ascii=False)
        print(name, len(fast), sorted(os.listdir(path)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
