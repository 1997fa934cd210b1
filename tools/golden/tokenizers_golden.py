"""Golden fixtures of the tokenizers: Tests/TokenizersTests/Fixtures.

Small tokenizers of every kind, trained on Datasets/captions.tsv, and what the reference makes of a few hundred telling lines.
Python 3.11 with tokenizers 0.23.3, transformers 5.23.0, sentencepiece 0.2.3, fugashi 1.5.2, ipadic 1.0.0.

Run from the root of the repository: python tools/golden/tokenizers_golden.py [folder with all-MiniLM-L6-v2]
"""
import collections
import csv
import io
import json
import random
import os
import sys
import unicodedata

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models as M, normalizers as N, pre_tokenizers as P
from tokenizers import processors as PP, trainers as T

from hard_lines import AWKWARD, hard

assert tokenizers.__version__ == "0.23.3" and sentencepiece.__version__ == "0.2.3"
OUT = "Tests/TokenizersTests/Fixtures/"
rows = list(csv.DictReader(open("Datasets/captions.tsv", encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE))
captions = [row["text"] for row in rows]

# MARK: the lines

LINES = AWKWARD + captions[::10] + hard(160, 7)

# MARK: the tokenizers


def specials(*pairs):
    return [(token, id) for token, id in pairs]


def train(tokenizer, trainer, **options):
    kind = {"bpe": T.BpeTrainer, "wordpiece": T.WordPieceTrainer, "wordlevel": T.WordLevelTrainer, "unigram": T.UnigramTrainer}[trainer]
    tokenizer.train_from_iterator(captions, kind(show_progress=False, **options))
    return tokenizer


def bert_uncased():
    t = Tokenizer(M.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer, t.decoder = N.BertNormalizer(), P.BertPreTokenizer(), D.WordPiece()
    train(t, "wordpiece", vocab_size=900, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    t.post_processor = PP.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                             special_tokens=specials(("[CLS]", 2), ("[SEP]", 3)))
    return t


def bert_cased():
    t = Tokenizer(M.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer, t.pre_tokenizer, t.decoder = N.BertNormalizer(lowercase=False), P.BertPreTokenizer(), D.WordPiece()
    train(t, "wordpiece", vocab_size=800, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    t.post_processor = PP.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return t


def byte_level(vocab_size, special_tokens, prefix_space, normalizer=None, pre_tokenizer=None, ignore_merges=False):
    t = Tokenizer(M.BPE(ignore_merges=ignore_merges))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer, t.decoder = pre_tokenizer or P.ByteLevel(add_prefix_space=prefix_space), D.ByteLevel()
    return train(t, "bpe", vocab_size=vocab_size, initial_alphabet=P.ByteLevel.alphabet(), special_tokens=special_tokens)


def gpt2():
    t = byte_level(900, ["<|endoftext|>"], False)
    t.post_processor = PP.ByteLevel(trim_offsets=False)
    return t


def roberta():
    t = byte_level(900, ["<s>", "<pad>", "</s>", "<unk>"], True)
    t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    t.post_processor = PP.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
    return t


def modernbert():
    t = byte_level(900, ["[UNK]", "[CLS]", "[SEP]", "[PAD]"], False, normalizer=N.NFC())
    t.add_special_tokens([AddedToken("[MASK]", lstrip=True)])
    t.add_tokens([AddedToken(" " * k, normalized=True) for k in range(2, 25)]
                 + [AddedToken("|||EMAIL|||"), AddedToken("犬が", single_word=True), AddedToken("dog", normalized=True, rstrip=True)])
    t.post_processor = PP.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                             special_tokens=specials(("[CLS]", 1), ("[SEP]", 2)))
    return t


def llama3():
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    split = P.Sequence([P.Split(Regex(pattern), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    return byte_level(900, ["<|x|>"], False, normalizer=N.NFC(), pre_tokenizer=split, ignore_merges=True)


def xlm_roberta(model):
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(p.piece, p.score) for p in model.pieces[3:]]
    t = Tokenizer(M.Unigram(pieces + [("<mask>", 0.0)], 3))
    t.normalizer = N.Sequence([N.Precompiled(model.normalizer_spec.precompiled_charsmap), N.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer, t.decoder = P.Metaspace(replacement="▁", prepend_scheme="always"), D.Metaspace()
    t.post_processor = PP.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=specials(("<s>", 0), ("</s>", 2)))
    t.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)])
    return t


def unigram():
    t = Tokenizer(M.Unigram())
    t.normalizer = N.Sequence([N.Nmt(), N.NFKC(), N.Lowercase(), N.Replace(Regex(" {2,}"), " "), N.Strip()])
    t.pre_tokenizer = P.Sequence([P.Digits(True), P.Punctuation("contiguous"), P.Metaspace(prepend_scheme="first")])
    t.decoder = D.Metaspace(prepend_scheme="first")
    return train(t, "unigram", vocab_size=1500, unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>"])


def llama2(model):
    vocabulary, merges = merges_of(model)
    t = Tokenizer(M.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    t.add_special_tokens([AddedToken("<unk>", normalized=False), AddedToken("<s>", normalized=False), AddedToken("</s>", normalized=True)])
    t.post_processor = PP.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=specials(("<s>", 1)))
    return t


CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"


def qwen2():
    # As Qwen3-Embedding's: an end mark behind every text.
    pattern = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    split = P.Sequence([P.Split(Regex(pattern), "isolated"), P.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)])
    t = byte_level(900, ["<|endoftext|>", "<|im_start|>"], False, normalizer=N.NFC(), pre_tokenizer=split)
    t.post_processor = PP.Sequence([PP.ByteLevel(trim_offsets=False), PP.TemplateProcessing(
        single="$A <|endoftext|>", pair="$A <|endoftext|> $B:1 <|endoftext|>:1", special_tokens=specials(("<|endoftext|>", 0)))])
    return t


def o200k():
    upper, lower = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
    pattern = "|".join([
        rf"[^\r\n\p{{L}}\p{{N}}]?{upper}*{lower}+{CONTRACTIONS}?", rf"[^\r\n\p{{L}}\p{{N}}]?{upper}+{lower}*{CONTRACTIONS}?", r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
    split = P.Sequence([P.Split(Regex(pattern), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    return byte_level(900, ["<|endoftext|>"], False, pre_tokenizer=split, ignore_merges=True)


def merges_of(model):
    """A sentencepiece BPE model's pieces and merges, as Hugging Face's converters order them."""
    vocabulary = {p.piece: i for i, p in enumerate(model.pieces)}
    scores = {p.piece: p.score for p in model.pieces if p.type == 1}
    merges = [(piece[:i], piece[i:]) for piece in scores for i in range(1, len(piece)) if piece[:i] in vocabulary and piece[i:] in vocabulary]
    return vocabulary, sorted(merges, key=lambda m: (scores[m[0] + m[1]], len(m[0]), len(m[1])), reverse=True)


def gemma(model):
    vocabulary, merges = merges_of(model)
    t = Tokenizer(M.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer, t.pre_tokenizer = N.Replace(" ", "▁"), P.Split(" ", "merged_with_previous")
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()])
    t.add_special_tokens([AddedToken(x, normalized=False) for x in ("<unk>", "<s>", "</s>")])
    t.add_tokens([AddedToken(x, normalized=False) for x in ("\n", "\n\n", "▁▁", "▁▁▁", "<table>")])
    t.post_processor = PP.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=specials(("<s>", 1)))
    return t


def sarashina(model):
    t = Tokenizer(M.Unigram([(p.piece, p.score) for p in model.pieces], 0, byte_fallback=True))
    t.pre_tokenizer = P.Metaspace(replacement="▁", prepend_scheme="never", split=False)
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()])
    t.add_special_tokens([AddedToken(x, normalized=False) for x in ("<unk>", "<s>", "</s>")])
    t.post_processor = PP.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> <s>:1 $B:1 </s>:1", special_tokens=specials(("<s>", 1), ("</s>", 2)))
    return t


def t5(model):
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(p.piece, p.score) for p in model.pieces[3:]] + [(f"<extra_id_{i}>", 0.0) for i in (1, 0)]
    t = Tokenizer(M.Unigram(pieces, 2))
    t.normalizer = N.Precompiled(model.normalizer_spec.precompiled_charsmap)
    t.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.Metaspace(replacement="▁", prepend_scheme="always")])
    t.decoder = D.Metaspace(prepend_scheme="always")
    t.post_processor = PP.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=specials(("</s>", 1)))
    t.add_special_tokens(["<pad>", "</s>", "<unk>", "<extra_id_0>", "<extra_id_1>"])
    return t


def bpe_suffix():
    t = Tokenizer(M.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    t.normalizer, t.pre_tokenizer, t.decoder = N.BertNormalizer(lowercase=False, strip_accents=False), P.BertPreTokenizer(), D.BPEDecoder()
    return train(t, "bpe", vocab_size=700, special_tokens=["<unk>"], end_of_word_suffix="</w>", limit_alphabet=150)


def bpe_prefix():
    t = Tokenizer(M.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True))
    t.normalizer = N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()])
    t.pre_tokenizer, t.decoder = P.Sequence([P.UnicodeScripts(), P.Whitespace()]), D.WordPiece()
    return train(t, "bpe", vocab_size=700, special_tokens=["<unk>"], continuing_subword_prefix="##", limit_alphabet=150)


def word_level():
    t = Tokenizer(M.WordLevel(unk_token="[UNK]"))
    t.normalizer = N.Sequence([N.NFKD(), N.Strip(left=True, right=False)])
    t.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.Split("の", "merged_with_previous"), P.Split(Regex("[0-9]+"), "merged_with_next"),
                                  P.CharDelimiterSplit("x")])
    return train(t, "wordlevel", vocab_size=700, special_tokens=["[UNK]"])


def odd():
    t = Tokenizer(M.WordPiece(unk_token="[UNK]"))
    t.normalizer = N.Sequence([N.Prepend(">>"), N.Replace(Regex("(?=犬)"), "<"), N.NFKC(), N.ByteLevel()])
    t.pre_tokenizer = P.Sequence([P.Split(Regex("[aeiou]"), "contiguous", invert=True), P.FixedLength(7), P.Punctuation("removed")])
    return train(t, "wordpiece", vocab_size=500, special_tokens=["[UNK]"])


# MARK: what the reference makes of the lines


def tried(f, *arguments):
    try:
        return f(*arguments)
    except BaseException:  # the reference panics now and then
        return None


def cases(t):
    t.no_padding()
    t.no_truncation()
    result = []
    for line in LINES:
        e = t.encode(line)
        result.append({"ids": e.ids, "offsets": [x for pair in e.offsets for x in pair], "words": [-1 if w is None else w for w in e.word_ids],
                       "decoded": tried(t.decode, e.ids)})
    pairs = []
    for a, b, length, stride, strategy in [
            (40, 41, None, 0, "longest_first"), (72, 73, 24, 0, "longest_first"), (74, 75, 19, 3, "longest_first"), (76, 77, 24, 0, "only_first"),
            (78, 79, 24, 2, "only_second"), (80, None, 9, 2, "longest_first"), (81, None, 11, 0, "longest_first")]:
        if length:
            t.enable_truncation(length, stride=stride, strategy=strategy)
        e = tried(t.encode, LINES[a]) if b is None else tried(t.encode, LINES[a], LINES[b])
        t.no_truncation()
        if e:
            pairs.append({"a": a, "b": b, "max": length, "stride": stride, "strategy": strategy, "ids": e.ids, "types": e.type_ids,
                          "special": e.special_tokens_mask, "overflow": [o.ids for o in e.overflowing],
                          "overflowTypes": [o.type_ids for o in e.overflowing]})
    return {"cases": result, "pairs": pairs}


def write(name, value):
    with open(OUT + name, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


def write_tokenizer(name, t):
    t.no_padding()
    t.no_truncation()
    with open(OUT + name + ".tokenizer.json", "w", encoding="utf-8") as file:
        file.write(t.to_str(pretty=False) + "\n")
    write(name + ".cases.json", cases(Tokenizer.from_file(OUT + name + ".tokenizer.json")))


def sentence_piece(name, **options):
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(captions), model_writer=buffer, minloglevel=2, num_threads=1, **options)
    open(OUT + name + ".model", "wb").write(buffer.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=buffer.getvalue())
    write(name + ".cases.json", {"cases": [{"ids": processor.encode(line), "decoded": processor.decode(processor.encode(line))} for line in LINES]})
    from transformers.convert_slow_tokenizer import import_protobuf
    model = import_protobuf().ModelProto()
    model.ParseFromString(buffer.getvalue())
    return model


def near_ties():
    """Sums that are equal in single precision, not in double, decide how `jjj` is cut."""
    from transformers.convert_slow_tokenizer import import_protobuf
    proto = import_protobuf()
    model = proto.ModelProto()
    for piece, score, kind in [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("p", -4.1079, 1), ("j", -12.3581, 1), ("jj", -8.4975, 1), ("k", -7.3, 1),
                               ("q", -3, 4), ("qqj", 0, 4)]:
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type, model.trainer_spec.unk_id, model.trainer_spec.bos_id, model.trainer_spec.eos_id = 1, 0, 1, 2
    model.trainer_spec.vocab_size = len(model.pieces)
    model.normalizer_spec.name, model.normalizer_spec.add_dummy_prefix, model.normalizer_spec.escape_whitespaces = "identity", False, False
    open(OUT + "sp_ties.model", "wb").write(model.SerializeToString())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    random.seed(7)
    lines = ["pjjj"] + ["".join(random.choices("pjkxq", [3, 12, 1, 0.3, 3], k=random.randint(3, 60))) for _ in range(60)]
    lines.append("".join(random.choices("pjkq", [3, 12, 1, 1], k=30_000)))  # its sum falls below -100,000
    write("sp_ties.cases.json", {"lines": lines, "ids": [processor.encode(line) for line in lines]})


def japanese():
    import fugashi
    import ipadic
    from transformers import BertJapaneseTokenizer
    tagger = fugashi.GenericTagger(f'-d "{ipadic.DICDIR}" -r "{ipadic.DICDIR}/mecabrc"')
    words, characters = collections.Counter(), collections.Counter()
    for line in captions:
        line = unicodedata.normalize("NFKC", line)
        words.update(w.surface for w in tagger(line))
        characters.update(line.replace(" ", ""))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [w for w, _ in words.most_common(700)]
    for c, _ in characters.most_common(400):
        vocabulary += [c, "##" + c]
    with open(OUT + "japanese.vocab.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(dict.fromkeys(vocabulary)) + "\n")
    # Debian's dictionary is that of ipadic but for the name of the era since 2019.
    lines = [line for line in LINES if "\u32ff" not in line and "令和" not in line]
    result = {"lines": lines}
    for name, subwords, lower in [("wordpiece", "wordpiece", False), ("lowercase", "wordpiece", True), ("character", "character", True)]:
        t = BertJapaneseTokenizer(OUT + "japanese.vocab.txt", word_tokenizer_type="mecab", subword_tokenizer_type=subwords, do_lower_case=lower,
                                  mecab_kwargs={"mecab_dic": "ipadic"})
        result[name] = [t(line)["input_ids"] for line in lines]
    write("japanese.cases.json", result)


os.makedirs(OUT, exist_ok=True)
write("lines.json", LINES)
for make in [bert_uncased, bert_cased, gpt2, roberta, modernbert, llama3, qwen2, o200k, unigram, bpe_suffix, bpe_prefix, word_level, odd]:
    write_tokenizer(make.__name__, make())
model = sentence_piece("sp_unigram", model_type="unigram", vocab_size=1200, character_coverage=0.99)
write_tokenizer("xlm_roberta", xlm_roberta(model))
write_tokenizer("t5", t5(model))
symbols = sentence_piece("sp_symbols", model_type="unigram", vocab_size=1200, byte_fallback=True, user_defined_symbols=["<sep>", "犬が"],
               normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.98)
model = sentence_piece("sp_bpe", model_type="bpe", vocab_size=1200, byte_fallback=True, normalization_rule_name="identity",
                       remove_extra_whitespaces=False, split_digits=True, user_defined_symbols=["<sep>"], character_coverage=0.98)
write_tokenizer("llama2", llama2(model))
write_tokenizer("gemma", gemma(model))
write_tokenizer("sarashina", sarashina(symbols))
near_ties()
japanese()
if len(sys.argv) > 1:
    write("minilm.cases.json", cases(Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")))
