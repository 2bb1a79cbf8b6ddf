"""BERT in plain numpy, read by Hugging Face names: the slow check of a converted model folder, cross-encoder or embedder.

Written from the definition of BERT (post-layer-norm, exact gelu), not from any graph, so that a weight under a wrong
name or in a wrong orientation shows. One sequence at a time, float64, no batching: not for benchmarks.
"""

import json
import math
import pathlib

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer


class BertReference:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {k: v.astype(np.float64) for k, v in load_file(folder / "model.safetensors").items()}
        self.scope = "bert." if "bert.embeddings.LayerNorm.weight" in self.weights else ""
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()

    def _linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _norm(self, x, name):
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + self.config["layer_norm_eps"])
        return centred / deviation * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def _attention(self, x, name):
        heads = self.config["num_attention_heads"]
        tokens, hidden = x.shape

        def split(part):  # [tokens, hidden] -> [heads, tokens, head_dim]
            return self._linear(x, f"{name}.self.{part}").reshape(tokens, heads, hidden // heads).swapaxes(0, 1)

        scores = split("query") @ split("key").swapaxes(1, 2) / math.sqrt(hidden // heads)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = shares / shares.sum(-1, keepdims=True) @ split("value")
        return self._linear(mixed.swapaxes(0, 1).reshape(tokens, hidden), f"{name}.output.dense")

    def states(self, encoded):
        """[tokens, hidden] of the last layer."""
        tables = f"{self.scope}embeddings"
        x = (self.weights[f"{tables}.word_embeddings.weight"][encoded.ids]
             + self.weights[f"{tables}.position_embeddings.weight"][: len(encoded.ids)]
             + self.weights[f"{tables}.token_type_embeddings.weight"][encoded.type_ids])
        x = self._norm(x, f"{tables}.LayerNorm")
        erf = np.vectorize(math.erf)
        for layer in range(self.config["num_hidden_layers"]):
            name = f"{self.scope}encoder.layer.{layer}"
            x = self._norm(x + self._attention(x, f"{name}.attention"), f"{name}.attention.output.LayerNorm")
            inner = self._linear(x, f"{name}.intermediate.dense")
            inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
            x = self._norm(x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return x

    def logit(self, query, document):
        first = self.states(self.tokenizer.encode(query, document))[0]
        pooled = np.tanh(self._linear(first, "bert.pooler.dense"))
        return float(self._linear(pooled, "classifier")[0])

    def vector(self, text):
        """The first token's state, of length 1."""
        first = self.states(self.tokenizer.encode(text))[0]
        return first / np.linalg.norm(first)
