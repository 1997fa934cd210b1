"""Times what users would pick instead, one line of JSON a measurement.

peers.py embed MODEL FILE N [--max-length L] [--reference OUT.npy]   sentence-transformers, ONNX Runtime, OpenVINO
peers.py search VECTORS.npy QUERIES                                  faiss IndexFlatIP
peers.py tokenize MODEL FILE                                         Hugging Face tokenizers, one thread
A peer that is not installed is left out. Best of two runs after a warm-up; the model is converted to ONNX once, into the temporary folder.
"""
import argparse
import json
import os
import sys
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import numpy as np


def say(**measurement):
    print(json.dumps(measurement), flush=True)


def best(work, runs=2):
    seconds, result = float("inf"), None
    for _ in range(runs):
        begin = time.perf_counter()
        result = work()
        seconds = min(seconds, time.perf_counter() - begin)
    return seconds, result


def batches(tokenizer, sentences, limit, size=32):
    """Sorted by length, as a careful user would do it."""
    order = sorted(range(len(sentences)), key=lambda i: -len(sentences[i]))
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        inputs = tokenizer([sentences[i] for i in rows], padding=True, truncation=True, max_length=limit, return_tensors="np")
        yield rows, {name: value.astype(np.int64) for name, value in inputs.items()}


def mean_vectors(hidden, mask):
    weights = mask[..., None]
    vectors = (hidden * weights).sum(1) / weights.sum(1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def embed(options):
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModel, AutoTokenizer

    with open(options.file, encoding="utf-8") as file:
        sentences = [line.rstrip("\n") for line in file][: options.n]
    model = SentenceTransformer(options.model, device="cpu")
    model.max_seq_length = options.max_length
    model.encode(sentences[:64])
    seconds, reference = best(lambda: model.encode(sentences, batch_size=64, normalize_embeddings=True))
    if options.reference:
        np.save(options.reference, reference)

    def report(name, seconds, vectors):
        cosines = (reference * vectors).sum(1)
        say(peer=name, per_s=len(sentences) / seconds, cos_min=float(cosines.min()))

    report("sentence-transformers f32", seconds, reference)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    path = os.path.join(tempfile.gettempdir(), "kotonoha-bench-minilm.onnx")
    if not os.path.exists(path):
        network = AutoModel.from_pretrained(options.model, attn_implementation="eager").eval()

        class Hidden(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.network = network

            def forward(self, ids, mask, types):
                return self.network(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

        names = ["input_ids", "attention_mask", "token_type_ids"]
        example = tokenizer(["hello world", "a"], padding=True, return_tensors="pt")
        torch.onnx.export(Hidden(), tuple(example[name] for name in names), path, input_names=names, output_names=["hidden"], opset_version=17,
                          dynamo=False, dynamic_axes={name: {0: "batch", 1: "length"} for name in names + ["hidden"]})

    def all_vectors(run):
        vectors = np.zeros_like(reference)
        for rows, inputs in batches(tokenizer, sentences, options.max_length):
            vectors[rows] = mean_vectors(run(inputs), inputs["attention_mask"])
        return vectors

    def measure(name, run):
        all_vectors(run)
        report(name, *best(lambda: all_vectors(run)))

    try:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        measure("ONNX Runtime f32", lambda inputs: session.run(None, inputs)[0])
        from onnxruntime.quantization import QuantType, quantize_dynamic

        small = path.replace(".onnx", "-int8.onnx")
        if not os.path.exists(small):
            quantize_dynamic(path, small, weight_type=QuantType.QInt8)
        session8 = onnxruntime.InferenceSession(small, settings, providers=["CPUExecutionProvider"])
        measure("ONNX Runtime int8", lambda inputs: session8.run(None, inputs)[0])
    except ImportError:
        pass
    try:
        import openvino

        # Where the processor has no bf16, OpenVINO imitates it, which takes an hour.
        halves = ["bf16"] if "avx512_bf16" in open("/proc/cpuinfo", encoding="utf-8").read() else []
        for precision in ["f32", *halves]:
            compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": 1})
            measure("OpenVINO " + precision, lambda inputs: compiled(inputs)[0])
            streams = openvino.Core().compile_model(
                path, "CPU", {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": len(os.sched_getaffinity(0))})

            def in_flight():
                vectors = np.zeros_like(reference)
                queue = openvino.AsyncInferQueue(streams, len(os.sched_getaffinity(0)))

                def done(request, data):
                    vectors[data[0]] = mean_vectors(request.get_output_tensor(0).data, data[1])

                queue.set_callback(done)
                for rows, inputs in batches(tokenizer, sentences, options.max_length):
                    queue.start_async({name: inputs[name] for name in ("input_ids", "attention_mask", "token_type_ids")}, (rows, inputs["attention_mask"]))
                queue.wait_all()
                return vectors

            in_flight()
            report(f"OpenVINO {precision}, a stream a core", *best(in_flight))
    except ImportError:
        pass


def search(options):
    import faiss

    vectors = np.load(options.vectors)
    faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    index.search(vectors[:64], 10)
    seconds, _ = best(lambda: index.search(vectors[: options.queries], 10))
    say(peer="faiss IndexFlatIP", s=seconds)


def tokenize(options):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with open(options.file, encoding="utf-8") as file:
        sentences = [line.rstrip("\n") for line in file]
    seconds, _ = best(lambda: [tokenizer.encode(sentence).ids for sentence in sentences])
    say(peer="Hugging Face tokenizers", per_s=len(sentences) / seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    tasks = parser.add_subparsers(dest="task", required=True)
    one = tasks.add_parser("embed")
    one.add_argument("model")
    one.add_argument("file")
    one.add_argument("n", type=int)
    one.add_argument("--max-length", type=int, default=256)
    one.add_argument("--reference")
    one = tasks.add_parser("search")
    one.add_argument("vectors")
    one.add_argument("queries", type=int)
    one = tasks.add_parser("tokenize")
    one.add_argument("model")
    one.add_argument("file")
    options = parser.parse_args()
    {"embed": embed, "search": search, "tokenize": tokenize}[options.task](options)
