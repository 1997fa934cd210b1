"""One text of English and Japanese for training word vectors, outside the checkout: corpus.py FOLDER OUTPUT [--megabytes N]

FOLDER holds gzipped tables, one a folder, whose columns `en`, `ja` and `gloss` are sentences. English is cut at spaces and punctuation and put in
lower case; Japanese is cut into surface forms by MeCab (`mecab`, with the IPA dictionary). Lines that come again are dropped, the rest is shuffled with
a fixed seed, so that every beginning of the text is a sample of it; `--megabytes` ends it there. Where the tables come from stands in docs/words.md.
"""
import argparse, glob, gzip, os, random, re, subprocess

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("output")
parser.add_argument("--megabytes", type=float)
arguments = parser.parse_args()

english, japanese = set(), set()
for path in sorted(glob.glob(os.path.join(arguments.folder, "*", "*.tsv.gz"))):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        header = file.readline().rstrip("\n").split("\t")
        places = [(i, name) for i, name in enumerate(header) if name in ("en", "ja", "gloss")]
        for line in file:
            cells = line.rstrip("\n").split("\t")
            for place, name in places:
                if place < len(cells) and cells[place]:
                    (japanese if name == "ja" else english).add(cells[place])

word = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+|[^\sa-z0-9]")
lines = [" ".join(word.findall(text.lower())) for text in sorted(english)]
cut = subprocess.run(["mecab", "-O", "wakati", "-b", "65536"], input="\n".join(sorted(japanese)).encode(), stdout=subprocess.PIPE, check=True).stdout
lines += [line.strip() for line in cut.decode("utf-8", "replace").split("\n")]
lines = sorted({line for line in lines if line})
random.Random(0).shuffle(lines)
limit = arguments.megabytes * 1e6 if arguments.megabytes else float("inf")
written = 0
with open(arguments.output, "w", encoding="utf-8") as file:
    for line in lines:
        if written >= limit:
            break
        written += len(line.encode()) + 1
        file.write(line + "\n")
print(f"{written:,} bytes")
