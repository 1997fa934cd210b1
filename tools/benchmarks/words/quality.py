"""Quality of word vectors, ours beside the peers, over seeds: quality.py KOTONOHA TEXT WORDS_FOLDER JWSD_FOLDER --fasttext PROGRAM [--seeds 5] [key=value …]

To be run with a Python that has gensim. WORDS_FOLDER holds analogy/questions-words.txt, wordsim353/ and simlex999.txt, JWSD_FOLDER score_*.csv. All
libraries train on the same text with the same settings (fastText's exponent, 0.5, for everybody); `kotonoha evaluate` scores all of them. One line
of JSON a training, then mean and standard error.
"""
import argparse, glob, json, os, statistics, subprocess, sys, tempfile

parser = argparse.ArgumentParser()
for name in ("kotonoha", "text", "words", "jwsd"):
    parser.add_argument(name)
parser.add_argument("settings", nargs="*")
parser.add_argument("--fasttext")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--first-seed", type=int, default=0)
parser.add_argument("--threads", default="2")
parser.add_argument("--systems", default="deterministic,hogwild,gensim,fasttext")
parser.add_argument("--before", default="", help="a command put before each training")
given = parser.parse_args()
peers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")
settings = {"exponent": "0.5", "epochs": "3", "learning-rate": "0.025", "minimum-count": "5", **dict(item.split("=", 1) for item in given.settings)}


def run(*command):
    done = subprocess.run([*given.before.split(), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr[-400:]}")
    return done.stdout


def train(system, seed, output):
    if system in ("deterministic", "hogwild"):
        options = [part for key, value in settings.items() for part in ("--" + key, value)]
        run(given.kotonoha, "train", "words", given.text, "-o", output, "--seed", str(seed), "--threads", given.threads, "--quiet", "--force", *options,
            *(["--hogwild"] if system == "hogwild" else []))
    else:
        run(sys.executable, "-P", peers, given.fasttext if system == "fasttext" else system, given.text, f"seed={seed}", f"threads={given.threads}",
            f"output={output}", *(f"{key}={value}" for key, value in settings.items()))


def scores(output):
    result = {}
    found = json.loads(run(given.kotonoha, "evaluate", "analogies", os.path.join(given.words, "analogy", "questions-words.txt"), "--model", output, "--json"))
    for total in found["totals"]:
        result["analogies " + total["section"]] = total["accuracy"]
    lists = {"WordSim-353": sorted(glob.glob(os.path.join(given.words, "wordsim353", "*.tsv")) + glob.glob(os.path.join(given.words, "wordsim353", "*.csv")))[:1],
             "SimLex-999": [os.path.join(given.words, "simlex999.txt")]}
    for path in sorted(glob.glob(os.path.join(given.jwsd, "score_*.csv"))):
        lists["JWSD " + os.path.basename(path)[6:-4]] = [path]
    for name, paths in lists.items():
        for path in paths:
            result[name] = json.loads(run(given.kotonoha, "evaluate", "sts", path, "--model", output, "--samples", "10", "--json"))["spearman"]
    return result


all_scores = {}
with tempfile.TemporaryDirectory() as folder:
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        for system in given.systems.split(","):
            output = os.path.join(folder, "words.vec")
            train(system, seed, output)
            found = scores(output)
            all_scores.setdefault(system, []).append(found)
            print(json.dumps({"system": system, "seed": seed, **found}), flush=True)
for name in next(iter(all_scores.values()))[0]:
    row = {}
    for system, found in all_scores.items():
        values = [one[name] for one in found]
        row[system] = f"{statistics.mean(values):.4f} ± {statistics.stdev(values) / len(values) ** 0.5:.4f}" if len(values) > 1 else f"{values[0]:.4f}"
    print(json.dumps({"score": name, **row}, ensure_ascii=False))
