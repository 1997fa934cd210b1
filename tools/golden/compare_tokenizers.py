#!/usr/bin/env python3
"""Token ids of the program beside those of the references, over whole corpora: prints the differences, ends with status 1 if there are any.

    python tools/golden/compare_tokenizers.py [--tokenizers FOLDER] [--random N] TEXT...

KOTONOHA names the program where it is not .build/release/kotonoha.

Every *.json (Hugging Face tokenizers), *.model (sentencepiece) and *.vocab.txt (BertJapanese with MeCab) of the folder, which is that of
the tests' fixtures unless another is given, meets every line of the text files and N lines of random Unicode. Lines that no text file can
hold (with NUL, CR, LF) are left to the tests. Python 3.11 with tokenizers 0.23.3, transformers 5.23.0, sentencepiece 0.2.3, fugashi 1.5.2,
ipadic 1.0.0; build the program first (swift build -c release).
"""
import argparse
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizers", default="Tests/TokenizersTests/Fixtures")
    parser.add_argument("--random", type=int, default=20_000)
    parser.add_argument("texts", nargs="*")
    options = parser.parse_args()
    lines = AWKWARD + hard(options.random, 1)
    for path in options.texts:
        with open(path, encoding="utf-8", newline="\n") as file:
            lines += file.read().split("\n")
    lines = [line for line in lines if not set(line) & {"\0", "\r", "\n"} and not line.startswith("\ufeff")]

    different = 0
    for name in sorted(os.listdir(options.tokenizers)):
        path = os.path.join(options.tokenizers, name)
        if name.endswith((".cases.json", "lines.json")):
            continue
        kind = {".json": hugging_face, ".model": sentence_piece, ".txt": japanese}.get(os.path.splitext(name)[1])
        if kind is None:
            continue
        files, reference, extra = kind(path)
        with tempfile.TemporaryDirectory() as work:
            found = ours(model_folder(work, "model", files), lines, work, *extra)
        wrong = [(l, f, e) for l, f, e in zip(lines, found, reference(lines)) if f != list(e)]
        different += len(wrong)
        print(f"{name}: {len(lines)} lines, {len(wrong)} different", flush=True)
        for line, a, b in wrong[:3]:
            print(f"  {ascii(line)[:160]}\n    here      {a[:30]}\n    reference {b[:30]}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
