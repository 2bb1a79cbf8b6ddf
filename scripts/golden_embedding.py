#!/usr/bin/env python3
"""Writes tests/golden/small/<family>/vectors.json and bge-small.json: transformers' sentence vectors.

Run with torch, transformers, tokenizers and safetensors installed: scripts/golden_embedding.py MODELS_DIR
MODELS_DIR holds bge-small-en-v1.5 as scripts/setup writes it; the others are the small committed checkpoints.

The encoder of each checkpoint alone, as AutoModel loads it; every text by itself, float32, without padding. `cls` is
the first token's state, `mean` the mean of all, both before they are brought to length 1.
"""
import json
import pathlib
import sys

import torch
from golden_cross_encoder import BERLIN, GOLDEN, LAYOUT, ODD_TEXTS, load_tokenizer, text_ids, write
from transformers import AutoModel

TEXTS = [BERLIN, *ODD_TEXTS[:5], ODD_TEXTS[-1], "word " * 200]
BGE_PREFIX = "Represent this sentence for searching relevant passages: "


def vectors(folder, family, prefix, max_length, out):
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False).eval()
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    before, after = ([tokenizer.token_to_id(t) for t in LAYOUT[family][part]] for part in (0, 2))
    cases = []
    for text in TEXTS:
        ids = before + text_ids(tokenizer, prefix + text)[: max_length - len(before) - len(after)] + after
        with torch.inference_mode():
            states = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids))).last_hidden_state[0]
        listed = [[float(f"{value:.7g}") for value in row.tolist()] for row in (states[0], states.mean(0))]
        cases.append({"text": text, "tokens": len(ids), "cls": json.dumps(listed[0]), "mean": json.dumps(listed[1])})
    write(out, {"prefix": prefix, "cases": cases})


if __name__ == "__main__":
    for each in ("bert", "roberta", "xlm-roberta"):
        small = GOLDEN / "small" / each
        vectors(small, each, "query: ", 64, small / "vectors.json")
    bge = pathlib.Path(sys.argv[1]) / "bge-small-en-v1.5"
    vectors(bge, "bert", BGE_PREFIX, 512, GOLDEN / "bge-small.json")
