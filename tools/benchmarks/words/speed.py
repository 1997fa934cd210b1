"""Words a second of training, ours beside the peers, alternating in one run: speed.py WORDS_BENCH TEXT [--rounds N] [--threads 1,2] [--kinds …]

To be run with a Python that has gensim. `--fasttext` names a program built from the sources of PyPI's package with its own flags (g++ -std=c++17 -O3
-funroll-loops -march=native -pthread src/*.cc); a `fasttext` on the path, Debian's, is measured too. Every library is given the same text, dimension (100), window (5), negative
samples (5), subsampling (1e-3), least count (5), learning rate, and one epoch. The best of the rounds, one line of JSON a kind:
words a second on the wall (for a quiet machine), and a second of processor time, all threads together.
"""
import argparse, json, os, shutil, subprocess, sys

parser = argparse.ArgumentParser()
parser.add_argument("bench"), parser.add_argument("text")
parser.add_argument("--rounds", type=int, default=1)
parser.add_argument("--fasttext")
parser.add_argument("--threads", default="1,2")
parser.add_argument("--kinds", default="skip-gram,cbow,skip-gram ngrams,cbow ngrams")
parser.add_argument("--systems", default="deterministic,hogwild,gensim,fasttext,debian")
given = parser.parse_args()
peers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")
words = sum(len(line.split()) for line in open(given.text, encoding="utf-8", errors="replace", newline="\n"))
programs = {"gensim": "gensim", "fasttext": given.fasttext, "debian": shutil.which("fasttext")}


def measure(system, settings):
    if system in ("deterministic", "hogwild"):
        command = [given.bench, given.text, f"hogwild={int(system == 'hogwild')}", *settings]
    else:
        if not programs[system]:
            return None
        command = [sys.executable, "-P", peers, programs[system], given.text, f"words={words}", *settings]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"{system}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    # All words of the text count for everybody, those too rare to be kept included.
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return words / found["seconds"], words / found["processor_seconds"]


systems = given.systems.split(",")
for kind in given.kinds.split(","):
    settings = ["architecture=" + kind.split()[0], "epochs=1", "learning-rate=" + ("0.05" if "cbow" in kind or "ngrams" in kind else "0.025")]
    settings += ["minimum-n=3", "maximum-n=6"] if "ngrams" in kind else []
    for threads in given.threads.split(","):
        best = dict.fromkeys(systems)
        for _ in range(given.rounds):
            for system in systems:
                rates = measure(system, settings + [f"threads={threads}"])
                if rates:
                    best[system] = tuple(max(pair) for pair in zip(rates, best[system] or (0, 0)))
        print(json.dumps({"kind": kind, "threads": int(threads),
                          "a_second": {system: rates and round(rates[0]) for system, rates in best.items()},
                          "a_processor_second": {system: rates and round(rates[1]) for system, rates in best.items()}}), flush=True)
