#!/usr/bin/env python3
"""A 0.6B-shaped random Qwen3 reranker on this CPU: speed against transformers, each trick's gain, memory, int8.

    scripts/golden_qwen3.py --bench FOLDER TOKENIZER.json          writes the checkpoint first (1.2 GB)
    tests/bench/qwen3_bench.py BENCH_PROGRAM FOLDER PART [--texts N] [--threads N] [--data SHARED_DATA] [--dtype D]
        [--device cpu|cuda]

PART: `ours` (one request, then with each trick switched off), `request` (one request only), `transformers` (the same
request padded in batches of 8, as the model card does it; needs torch and transformers), `memory` (peaks of loading and
scoring per dtype), `int8` (Kendall's tau and distance of int8 from float32 on MED: for each of the first queries up to 12 abstracts
that were judged relevant and others up to 25, until there are N pairs; FOLDER may hold any family). BENCH_PROGRAM is build/<preset>/tests/bench/qwen3_bench. Each prints lines of Markdown.
The texts are MED abstracts of 20 to 300 tokens (four characters counted as one), the query is about 25 tokens, with the
instruction about 45.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
QUERY = ("the relationship of blood and cerebrospinal fluid oxygen concentrations or partial pressures. a method of "
         "interest is polarography.")


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def texts_of(data, count):
    # Every text lies between 20 and 300 tokens: cut, and spread evenly over the lengths.
    fitting = [row["text"] for row in lines_of(data / "med/corpus.jsonl") if len(row["text"]) > 600][:count]
    return [t[:80 + (1120 * i) // max(1, count - 1)] for i, t in enumerate(fitting)]


def bench(arguments, mode, dtype, query, texts):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"query": query, "texts": texts}, file)
        file.flush()
        command = [arguments.program, mode, arguments.folder, dtype, str(arguments.threads), file.name,
                   arguments.device]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def values_of(output):
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def ours(arguments, texts):
    got = values_of(bench(arguments, "speed", arguments.dtype, QUERY, texts))
    print(f"{len(texts)} texts, {got['tokens']:.0f} tokens computed, {got['prefix']:.0f} of them shared, {arguments.dtype}")
    for name in ("all", "no_sharing", "no_packing", "whole_head"):
        print(f"| {name} | {got[name]:.1f} s | {got[name] / got['all']:.2f} |")


def request(arguments, texts):
    print(f"| {arguments.dtype} | {values_of(bench(arguments, 'request', arguments.dtype, QUERY, texts))['all']:.1f} s |")


def transformers(arguments, texts):
    import torch
    from golden_qwen3 import AFTER, BEFORE, INSTRUCTION, ids_of
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(arguments.threads)
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[arguments.dtype]
    model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=dtype).eval()
    tokenizer = Tokenizer.from_file(str(pathlib.Path(arguments.folder) / "tokenizer.json"))
    before, after = ids_of(tokenizer, BEFORE), ids_of(tokenizer, AFTER)
    begin = time.perf_counter()
    for start in range(0, len(texts), 8):
        rows = [before + tokenizer.encode(f"<Instruct>: {INSTRUCTION}\n<Query>: {QUERY}\n<Document>: {t}").ids + after
                for t in texts[start:start + 8]]
        longest = max(map(len, rows))
        ids = torch.tensor([[151643] * (longest - len(r)) + r for r in rows])
        mask = torch.tensor([[0] * (longest - len(r)) + [1] * len(r) for r in rows])
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=mask).logits[:, -1, :]
        torch.softmax(logits[:, [2152, 9693]].float(), dim=1)
    print(f"| transformers {arguments.dtype}, padded left, batches of 8 | {time.perf_counter() - begin:.1f} s |")


def memory(arguments, texts):
    alone = values_of(bench(arguments, "tokenizer", "float32", QUERY, []))
    print(f"of this the tokenizer: {alone['tokenizer'] / 1e6:.0f} MB, {alone['peak'] / 1e6:.0f} MB while it is read")
    for dtype in ("float32", "bfloat16", "int8"):
        got = values_of(bench(arguments, "memory", dtype, QUERY, texts))
        load, score = ((got[at] - got["before"]) for at in ("loaded", "scored"))
        print(f"| {dtype} | {got['weights'] / 1e6:.0f} MB | {load / 1e6:.0f} MB | {load / got['weights']:.2f} "
              f"| {score / 1e6:.0f} MB | {score / got['weights']:.2f} |")


def kendall(a, b):
    pairs = [(x - y) * (p - q) for i, (x, p) in enumerate(zip(a, b)) for y, q in zip(a[:i], b[:i])]
    return sum((v > 0) - (v < 0) for v in pairs) / len(pairs)


def judged_pairs(data, count):
    """(query, 25 texts) of MED until there are `count` pairs: relevant ones and, spread over the corpus, others."""
    corpus = {row["_id"]: row["text"] for row in lines_of(data / "med/corpus.jsonl")}
    relevant = {}
    for line in (data / "med/qrels/test.tsv").read_text().splitlines()[1:]:
        query, text, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, []).append(text)
    for row in lines_of(data / "med/queries.jsonl")[:math.ceil(count / 25)]:
        wanted = relevant[row["_id"]]
        others = [key for key in corpus if key not in wanted]
        some = wanted[:12]
        some += others[::len(others) // (25 - len(some))][:25 - len(some)]
        yield row["text"], [corpus[key] for key in some]


def int8(arguments, _):
    exact, small, taus = [], [], []
    for query, texts in judged_pairs(arguments.data, arguments.texts):
        a, b = ([float(v) for v in bench(arguments, "scores", d, query, texts).split()] for d in ("float32", "int8"))
        exact, small, taus = exact + a, small + b, taus + [kendall(a, b)]
    logits = [abs(a - b) for a, b in zip(exact, small)]
    scores = [abs(1 / (1 + math.exp(-a)) - 1 / (1 + math.exp(-b))) for a, b in zip(exact, small)]
    print(f"{len(exact)} pairs: tau over all {kendall(exact, small):.4f}, within a query {sum(taus) / len(taus):.4f}; logit "
          f"distance mean {sum(logits) / len(logits):.4f}, max {max(logits):.4f}; score distance mean "
          f"{sum(scores) / len(scores):.5f}, max {max(scores):.5f}; float32 logits {min(exact):.2f} to {max(exact):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {f.__name__: f for f in (ours, request, transformers, memory, int8)}
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("part", choices=parts)
    parser.add_argument("--texts", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data"))
    arguments = parser.parse_args()
    parts[arguments.part](arguments, texts_of(arguments.data, min(arguments.texts, 50)))


if __name__ == "__main__":
    main()
