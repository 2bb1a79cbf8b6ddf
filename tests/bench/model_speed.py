#!/usr/bin/env python3
"""`qrerank bench` over the published sizes: the table of docs/models.md.

    model_speed.py [--models minilm-l6,…] [--candidates 50] [--seconds 10] [--dtypes float32,bfloat16]

MiniLM-L12 has its own weights; of the other BERT sizes random ones are written (time does not depend on their values) with the
same vocabulary. bge-reranker-base and -large have the layers of bert-base and bert-large; their vocabulary (250,002 words)
costs memory, not time, and is added to the column. A Qwen3 checkpoint (scripts/golden_qwen3.py --bench) is measured with
--qwen3 FOLDER.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import save_file

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MINILM = "ms-marco-MiniLM-L12-v2"
# layers, width, heads; then the words of the published vocabulary
SHAPES = {
    "ms-marco-TinyBERT-L2-v2": (2, 128, 2, 30_522),
    "ms-marco-MiniLM-L6-v2": (6, 384, 12, 30_522),
    MINILM: (12, 384, 12, 30_522),
    "bge-reranker-base": (12, 768, 12, 250_002),
    "bge-reranker-large, -v2-m3": (24, 1024, 16, 250_002),
}
BERT_WORDS = 30_522


def tensors(layers, width):
    random = np.random.default_rng(1)

    def matrix(rows, columns):
        return (random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.02))

    def linear(name, rows, columns):
        return {f"{name}.weight": matrix(rows, columns), f"{name}.bias": np.zeros(rows, np.float32)}

    def norm(name):
        return {f"{name}.weight": np.ones(width, np.float32), f"{name}.bias": np.zeros(width, np.float32)}

    found = {f"bert.embeddings.{kind}_embeddings.weight": matrix(rows, width)
             for kind, rows in (("word", BERT_WORDS), ("position", 512), ("token_type", 2))}
    found |= norm("bert.embeddings.LayerNorm")
    for layer in range(layers):
        at = f"bert.encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            found |= linear(f"{at}.attention.{part}", width, width)
        found |= norm(f"{at}.attention.output.LayerNorm") | norm(f"{at}.output.LayerNorm")
        found |= linear(f"{at}.intermediate.dense", 4 * width, width) | linear(f"{at}.output.dense", width, 4 * width)
    return found | linear("bert.pooler.dense", width, width) | linear("classifier", 1, width)


def write_checkpoint(folder, source, layers, width, heads):
    folder.mkdir()
    config = json.loads((source / "config.json").read_text())
    config |= {"num_hidden_layers": layers, "hidden_size": width, "num_attention_heads": heads, "intermediate_size": 4 * width}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / name, folder / name)
    save_file(tensors(layers, width), folder / "model.safetensors")


def bench(binary, folder, dtype, candidates, seconds):
    done = subprocess.run(
        [str(binary), "bench", "--set", f"models.m.path={folder}", "--set", f"models.m.dtype={dtype}", "--model", "m", "--json",
         "--candidates", str(candidates), "--at-once", "1", "--seconds", str(seconds)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"model_speed: {done.stderr}")
    model, row = map(json.loads, done.stdout.splitlines())
    return model, row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(name.split(",")[0] for name in SHAPES))
    parser.add_argument("--qwen3", type=pathlib.Path, help="folder of a Qwen3 checkpoint")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--dtypes", default="float32,int8")
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build/release/qrerank")
    parser.add_argument("--models-folder", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("QRERANK_CACHE", REPOSITORY / ".cache")) / "models")
    args = parser.parse_args()
    print("| model | dtype | weights | p50 of one search | searches/s | tokens/s |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        rows = []
        for name, (layers, width, heads, words) in SHAPES.items():
            if name.split(",")[0] not in args.models.split(","):
                continue
            folder = args.models_folder / MINILM
            if name != MINILM:
                folder = pathlib.Path(scratch) / str(len(rows))
                write_checkpoint(folder, args.models_folder / MINILM, layers, width, heads)
            rows.append((name, folder, (words - BERT_WORDS) * width))
        if args.qwen3:
            rows.append((args.qwen3.name, args.qwen3, 0))
        for name, folder, more_words in rows:
            for dtype in args.dtypes.split(","):
                model, row = bench(args.binary, folder, dtype, args.candidates, args.seconds)
                weights = model["bytes"] + more_words * {"float32": 4, "bfloat16": 2, "int8": 1}[dtype]
                print(f"| {name} | {dtype} | {weights / 1e6:,.0f} MB | {row['p50_ms']:,.0f} ms | {row['searches_per_second']:.2f} "
                      f"| {row['tokens_per_second']:,.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
