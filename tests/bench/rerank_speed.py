#!/usr/bin/env python3
"""Reranks 50 real package descriptions with MiniLM-L12: qrerank against onnxruntime and sentence-transformers.

    tests/bench/rerank_speed.py BENCH_PROGRAM MODELS_DIR CORPUS.jsonl [--rounds N] [--threads N] [--texts N]

BENCH_PROGRAM is build/<preset>/tests/bench/bench_rerank_speed (-DQRERANK_BUILD_BENCH=ON); MODELS_DIR and CORPUS.jsonl
are what scripts/setup and scripts/demo keep in the cache. Needs numpy, onnxruntime, tokenizers and
sentence-transformers. All engines run in one process tree on the same cores, in turn, every round; each time is end to
end (tokenizing included). The table gives the fastest and the median round: other work on the machine only ever adds.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer

QUERY = "shrink photos from the command line"


class Qrerank:
    """A bench program in one dtype, asked over its pipes: all texts in one call, or as the scheduler cuts them."""

    def __init__(self, program, folder, dtype, threads, texts_file, scheduled=False):
        self.name, self.padding = f"qrerank {dtype}", "none (packed)" + (", batches of 1 s" if scheduled else "")
        self.word = "scheduled" if scheduled else "time"
        self.process = subprocess.Popen([program, folder, dtype, str(threads), texts_file], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.tokens = int(self.process.stdout.readline().split()[1])

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def seconds(self):
        return float(self.ask(self.word))

    def scores(self):
        return np.array(self.ask("scores").split(), dtype=float)


class Onnx:
    """The int8 file as shipped, in batches padded to their longest text."""

    def __init__(self, session, tokenizer, texts, batch, by_length):
        self.session, self.tokenizer, self.texts = session, tokenizer, texts
        self.batch, self.by_length = batch, by_length
        self.name = f"onnxruntime int8, batch {batch}"
        self.padding = "none" if batch == 1 else "to the batch's longest" + (", sorted" if by_length else ", as given")

    def scores(self):
        pairs = self.tokenizer.encode_batch([(QUERY, text) for text in self.texts])
        order = list(range(len(pairs)))
        if self.by_length:
            order.sort(key=lambda i: -len(pairs[i].ids))
        scores = np.zeros(len(pairs))
        for start in range(0, len(order), self.batch):
            chosen = order[start:start + self.batch]
            width = max(len(pairs[i].ids) for i in chosen)
            feed = {name: np.zeros((len(chosen), width), dtype=np.int64)
                    for name in ("input_ids", "attention_mask", "token_type_ids")}
            for row, i in enumerate(chosen):
                length = len(pairs[i].ids)
                feed["input_ids"][row, :length] = pairs[i].ids
                feed["attention_mask"][row, :length] = 1
                feed["token_type_ids"][row, :length] = pairs[i].type_ids
            scores[chosen] = self.session.run(None, feed)[0][:, 0]
        return scores

    def seconds(self):
        begin = time.perf_counter()
        self.scores()
        return time.perf_counter() - begin


class SentenceTransformers:
    def __init__(self, folder, texts):
        self.model = CrossEncoder(folder, device="cpu", activation_fn=torch.nn.Identity())
        self.pairs = [(QUERY, text) for text in texts]
        self.name, self.padding = "sentence-transformers float32", "to the batch's longest (default batch 32)"

    def scores(self):
        return self.model.predict(self.pairs, show_progress_bar=False)

    def seconds(self):
        begin = time.perf_counter()
        self.scores()
        return time.perf_counter() - begin


def onnx_session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def contenders(arguments, texts, texts_file):
    folder = str(arguments.models / "ms-marco-MiniLM-L12-v2")
    tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.enable_truncation(512, strategy="only_second")
    tokenizer.no_padding()
    session = onnx_session(str(arguments.models / "onnx" / "reranker_en" / "model.onnx"), arguments.threads)
    torch.set_num_threads(arguments.threads)
    return [
        Qrerank(arguments.program, folder, "float32", arguments.threads, texts_file),
        Qrerank(arguments.program, folder, "bfloat16", arguments.threads, texts_file),
        Qrerank(arguments.program, folder, "float32", arguments.threads, texts_file, scheduled=True),
        SentenceTransformers(folder, texts),
        Onnx(session, tokenizer, texts, 1, False),
        Onnx(session, tokenizer, texts, 32, False),
        Onnx(session, tokenizer, texts, 32, True),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--texts", type=int, default=50)
    arguments = parser.parse_args()
    corpus = [json.loads(line)["text"] for line in arguments.corpus.read_text().splitlines()]
    texts = corpus[:: len(corpus) // arguments.texts][: arguments.texts]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"query": QUERY, "texts": texts}, file)
        file.flush()
        engines = contenders(arguments, texts, file.name)
        reference = engines[3].scores()
        differences = [float(np.max(np.abs(engine.scores() - reference))) for engine in engines]
        times = [[] for _ in engines]
        for _ in range(arguments.rounds):
            for engine, taken in zip(engines, times):
                time.sleep(0.05)  # the one before stops spinning
                taken.append(engine.seconds())
    tokens = engines[0].tokens
    print(f"{len(texts)} texts, {tokens} tokens with the query, {arguments.threads} threads, {arguments.rounds} rounds, "
          f"load {os.getloadavg()[0]:.1f}; onnxruntime {onnxruntime.__version__}, torch {torch.__version__}")
    print(f"{'engine':<32}{'padding':<44}{'min ms':>8}{'median':>8}{'tokens/s':>10}{'logit diff':>12}")
    for engine, taken, difference in zip(engines, times, differences):
        best = min(taken)
        print(f"{engine.name:<32}{engine.padding:<44}{best * 1e3:>8.0f}{statistics.median(taken) * 1e3:>8.0f}"
              f"{tokens / best:>10.0f}{difference:>12.4f}")
    best_of = [min(taken) for taken in times]
    print(f"float32 against sentence-transformers: {best_of[3] / best_of[0]:.2f}x; "
          f"bfloat16 against the best onnxruntime int8: {min(best_of[4:]) / best_of[1]:.2f}x; "
          f"batches of 1 s against one: {best_of[2] / best_of[0]:.2f} of the time")


if __name__ == "__main__":
    main()
