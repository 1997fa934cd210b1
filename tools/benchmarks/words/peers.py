"""Trains word vectors with a peer: peers.py LIBRARY TEXT [key=value …], keys as words-bench takes them. Prints one line of JSON.

LIBRARY: gensim, or the path of a `fasttext` program. Seconds are those of training: what fastText needs for the vocabulary, its matrices and
writing, which a run of no epochs shows, is taken off. fastText's exponent is 0.5 and cannot be set.
"""
import json, os, resource, subprocess, sys, tempfile, time

library, text = sys.argv[1:3]
given = dict(argument.split("=", 1) for argument in sys.argv[3:])
cbow = given.get("architecture") == "cbow"
ngrams = int(given.get("maximum-n", 0)) > 0
dimension, epochs, threads = (int(given.get(key, value)) for key, value in (("dimension", 100), ("epochs", 1), ("threads", 1)))
rate = float(given.get("learning-rate", 0.05 if cbow or ngrams else 0.025))
minimum, seed, sample = int(given.get("minimum-count", 5)), int(given.get("seed", 0)), float(given.get("subsample", 1e-3))
lengths = (int(given.get("minimum-n", 0)), int(given.get("maximum-n", 0)))
buckets = int(given.get("buckets", 2_000_000))
output = given.get("output")


def now():
    """Seconds on the wall, and those that processors spent on this process and its children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter(), own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def since(begin):
    return tuple(end - start for start, end in zip(begin, now()))


def gensim_seconds():
    from gensim.models import FastText, Word2Vec
    settings = dict(vector_size=dimension, window=5, negative=5, min_count=minimum, sample=sample, alpha=rate, min_alpha=rate * 1e-4, workers=threads,
                    sg=0 if cbow else 1, seed=seed + 1, ns_exponent=float(given.get("exponent", 0.75)))
    model = FastText(min_n=lengths[0], max_n=lengths[1], bucket=buckets, **settings) if ngrams else Word2Vec(**settings)
    model.build_vocab(corpus_file=text)
    # Each worker lowers the rate by the lines that it has read itself, out of `total_examples`: with the number of all lines it would come down
    # by 1/workers of an epoch only, jump back at each epoch, and end far above zero. With a worker's share it falls as in one thread. What a
    # worker reads ends by `total_words`, which stays that of the text.
    share = -(-model.corpus_count // threads)
    begin = now()
    model.train(corpus_file=text, total_words=model.corpus_total_words, total_examples=share, epochs=epochs)
    seconds = since(begin)
    if output:
        model.wv.save_word2vec_format(output)
    return seconds, model.corpus_total_words


def fasttext_once(epochs, output=None):
    with tempfile.TemporaryDirectory() as folder:
        begin = now()
        subprocess.run(
            [library, "cbow" if cbow else "skipgram", "-input", text, "-output", os.path.join(folder, "m"), "-lr", str(rate), "-dim", str(dimension), "-ws", "5",
             "-epoch", str(epochs), "-minCount", str(minimum), "-minn", str(lengths[0]), "-maxn", str(lengths[1]), "-neg", "5", "-bucket", str(buckets),
             "-thread", str(threads), "-t", str(sample), "-seed", str(seed), "-verbose", "0"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = since(begin)
        if output:
            # Without the end of sentences, which only fastText takes for a word.
            with open(os.path.join(folder, "m.vec"), "rb") as source, open(output, "wb") as file:
                words, width = source.readline().split()
                lines = [line for line in source if not line.startswith(b"</s> ")]
                file.write(b"%d %s\n" % (len(lines), width))
                file.writelines(lines)
        return seconds


if library == "gensim":
    (seconds, processor), words = gensim_seconds()
else:
    seconds, processor = fasttext_once(epochs, output)
    if not output:
        beside = fasttext_once(0)
        seconds, processor = seconds - beside[0], processor - beside[1]
    words = int(given.get("words", 0))
words *= epochs
print(json.dumps({"library": library, "threads": threads, "seconds": round(seconds, 3), "processor_seconds": round(processor, 3), "words": words,
                  "words_a_second": round(words / seconds)}))
