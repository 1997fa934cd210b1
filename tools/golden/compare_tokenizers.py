#!/usr/bin/env python3
"""Token ids of the program beside those of the references, over whole corpora: prints the differences, ends with status 1 if there are any.

    python tools/golden/compare_tokenizers.py [--tokenizers FOLDER] [--random N] [--every N] TEXT...

KOTONOHA names the program where it is not .build/release/kotonoha.

Every *.json (Hugging Face tokenizers), *.model (sentencepiece) and *.vocab.txt (BertJapanese with MeCab) of the folder, which is that of
the tests' fixtures unless another is given, and the tokenizer.json of every model folder in it meets the hand-written lines, N lines of
random Unicode and every line of the texts, each line once: files, gzipped or not, and folders of them (what is not UTF-8 is left out).
--every 8 takes every eighth line of the texts. Lines that no text file can hold (with NUL, CR, LF) are left to the tests. Python 3.11 with
tokenizers 0.23.3, transformers 5.23.0, sentencepiece 0.2.3, fugashi 1.5.2, ipadic 1.0.0; build the program first
(swift build -c release).
"""
import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile

from hard_lines import AWKWARD, hard

PROGRAM = os.environ.get("KOTONOHA", ".build/release/kotonoha")


def ours(folder, lines, work, *options):
    path = os.path.join(work, "lines.txt")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines(line + "\n" for line in lines)
    command = [PROGRAM, "tokenize", path, "--model", folder, "--ids", "--quiet", "--format", "txt", "--encoding", "utf-8", *options]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")[:-1]
    assert len(found) == len(lines), f"{len(found)} lines of {len(lines)}"
    return [[int(i) for i in line.split()] for line in found]


def model_folder(work, name, files):
    folder = os.path.join(work, name)
    os.makedirs(folder)
    for file, text in ({"config.json": '{"model_type": "bert"}'} | files).items():
        with open(os.path.join(folder, file), "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
    return folder


def hugging_face(path):
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return {"tokenizer.json": open(path, "rb").read()}, lambda lines: [e.ids for e in tokenizer.encode_batch(lines)], []


def sentence_piece(path):
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_file=path)
    return {"tokenizer.model": open(path, "rb").read()}, processor.encode, []


def japanese(path):
    import ipadic
    from transformers import BertJapaneseTokenizer
    tokenizer = BertJapaneseTokenizer(path, word_tokenizer_type="mecab", subword_tokenizer_type="wordpiece", mecab_kwargs={"mecab_dic": "ipadic"})
    configuration = {"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab", "subword_tokenizer_type": "wordpiece",
                     "do_lower_case": False, "mecab_kwargs": {"mecab_dic": "ipadic"}}
    files = {"vocab.txt": open(path, "rb").read(), "tokenizer_config.json": json.dumps(configuration)}
    # The same dictionary on both sides; Debian's is that of ipadic but for the name of the era since 2019.
    return files, lambda lines: [tokenizer(line)["input_ids"] for line in lines], ["--dictionary", ipadic.DICDIR]


def tokenizers(folder):
    """Names and paths of what is compared."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            path = os.path.join(path, "tokenizer.json")
            if os.path.exists(path):
                yield name, path
        elif not name.endswith((".cases.json", "lines.json")) and os.path.splitext(name)[1] in KINDS:
            yield name, path


def text_lines(paths):
    for path in paths:
        if os.path.isdir(path):
            yield from text_lines(os.path.join(path, name) for name in sorted(os.listdir(path)))
            continue
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            try:
                yield from file.read().decode().split("\n")
            except UnicodeDecodeError:
                print(f"{path} is not UTF-8, left out", file=sys.stderr)


KINDS = {".json": hugging_face, ".model": sentence_piece, ".txt": japanese}
# Encodings of a million lines do not fit into memory.
PART = 50_000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizers", default="Tests/TokenizersTests/Fixtures")
    parser.add_argument("--random", type=int, default=20_000)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("texts", nargs="*")
    options = parser.parse_args()
    texts = list(dict.fromkeys(text_lines(options.texts)))[::options.every]
    lines = [line for line in AWKWARD + hard(options.random, 1) + texts if not set(line) & {"\0", "\r", "\n"} and not line.startswith("\ufeff")]

    different = 0
    for name, path in tokenizers(options.tokenizers):
        files, reference, extra = KINDS[os.path.splitext(path)[1]](path)
        wrong = []
        with tempfile.TemporaryDirectory() as work:
            model = model_folder(work, "model", files)
            for start in range(0, len(lines), PART):
                part = lines[start:start + PART]
                wrong += [(l, f, list(e)) for l, f, e in zip(part, ours(model, part, work, *extra), reference(part)) if f != list(e)]
        different += len(wrong)
        print(f"{name}: {len(lines)} lines, {len(wrong)} different", flush=True)
        for line, a, b in wrong[:3]:
            print(f"  {ascii(line)[:160]}\n    here      {a[:30]}\n    reference {b[:30]}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
