#!/usr/bin/env python3
"""What transformers answers for Qwen3 rerankers: writes tests/golden/small/qwen3-*, or checks it.

Run with torch, transformers, tokenizers and safetensors installed:
    scripts/golden_qwen3.py CORPUS.jsonl          writes the random checkpoints, their tokenizer and cases.json
    scripts/golden_qwen3.py --check               compares the committed numbers with transformers, live
    scripts/golden_qwen3.py --bench FOLDER TOKENIZER.json [SHAPE]
                                                  writes a random checkpoint of a published shape (0.6B, 4B, 8B)

The prompts are put together by hand here, as the model card does it, so that the numbers do not depend on the code
under test. Every text is scored alone, without padding: logit(yes) - logit(no) at the last position in float32 (and in
bfloat16, for comparison), or the one label's logit.
"""
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen3Config, Qwen3ForCausalLM, Qwen3ForSequenceClassification

from golden_cross_encoder import BERLIN, BERLIN_TEXTS, GOLDEN, ODD_TEXTS, write

BEFORE = [("<|im_start|>", True), (
    "system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that "
    "the answer can only be \"yes\" or \"no\".", False), ("<|im_end|>", True), ("\n", False), ("<|im_start|>", True),
    ("user\n", False)]
AFTER = [("<|im_end|>", True), ("\n", False), ("<|im_start|>", True), ("assistant\n", False), ("<think>", True),
         ("\n\n", False), ("</think>", True), ("\n\n", False)]
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
LABEL = "\n<Document>:"
# As the published tokenizer splits texts.
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
ADDED = [("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True), ("<tool_call>", False),
         ("</tool_call>", False), ("<think>", False), ("</think>", False)]
SHAPES = {
    "0.6B": dict(hidden_size=1024, num_hidden_layers=28, num_attention_heads=16, intermediate_size=3072, tie=True),
    "4B": dict(hidden_size=2560, num_hidden_layers=36, num_attention_heads=32, intermediate_size=9728, tie=True),
    "8B": dict(hidden_size=4096, num_hidden_layers=36, num_attention_heads=32, intermediate_size=12288, tie=False),
}
# The published shapes scaled down: ratios of heads, tied and untied heads, one and several files, dtypes of files.
VARIANTS = {
    "qwen3-tied": dict(seed=1, hidden_size=32, heads=4, kv_heads=2, layers=3, file_dtype=torch.bfloat16, tie=True),
    "qwen3-untied-sharded": dict(seed=2, hidden_size=32, heads=8, kv_heads=2, layers=2, file_dtype=torch.float32, tie=False),
    "qwen3-label": dict(seed=3, hidden_size=32, heads=2, kv_heads=2, layers=2, file_dtype=torch.float32, label=True),
}
POSITIONS = 256


def ids_of(tokenizer, parts):
    ids = []
    for text, control in parts:
        ids += [tokenizer.token_to_id(text)] if control else tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def prompt_ids(tokenizer, instruction, query, text, max_length):
    """Prefix and body, the document cut first, then the question."""
    def encode(t):
        return tokenizer.encode(t, add_special_tokens=False).ids

    before, after = ids_of(tokenizer, BEFORE), ids_of(tokenizer, AFTER)
    question = f"<Instruct>: {instruction or INSTRUCTION}\n<Query>: {query}"
    room = max_length - len(before) - len(after)
    whole = encode(f"{question}{LABEL} {text}")
    asked = encode(question + LABEL)
    assert whole[:len(asked)] == asked, "the cut before the document is not token-exact"
    if len(asked) > room:
        label = encode(LABEL)
        asked = encode(question)[:room - len(label)] + label
        whole = asked
    return before + asked, whole[len(asked):room] + after


def logit(model, ids, answers):
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits
    if answers is None:
        return float(logits[0, 0])
    last = logits[0, -1].double()
    return float(last[answers[0]] - last[answers[1]])


def load_tokenizer(path):
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def load(folder, dtype):
    config = json.loads((folder / "config.json").read_text())
    kind = Qwen3ForSequenceClassification if "Classification" in config["architectures"][0] else Qwen3ForCausalLM
    return kind.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def questions():
    word = "word " * 400
    return [
        ("", BERLIN, BERLIN_TEXTS + ODD_TEXTS + [word, BERLIN_TEXTS[0] * 3]),
        ("Given a question about code, retrieve the code or documentation that answers it", "how to sort?\n",
         ["sort(begin, end);", "\n\n  indented\n", BERLIN_TEXTS[1], "é\u0301 combining \u0301start", "\u0301starts with a mark"]),
        ("", "very " * 400, ["no room is left", "for a text"]),
    ]


def answers_of(folder, tokenizer):
    label = "Classification" in json.loads((folder / "config.json").read_text())["architectures"][0]
    return None if label else [tokenizer.token_to_id(w) for w in ("yes", "no")]


def numbers(folder):
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    answers = answers_of(folder, tokenizer)
    exact, half = load(folder, torch.float32), load(folder, torch.bfloat16)
    cases = []
    for instruction, query, texts in questions():
        for text in texts:
            prefix, body = prompt_ids(tokenizer, instruction, query, text, POSITIONS)
            ids = prefix + body
            cases.append({"instruction": instruction, "query": query, "text": text, "prefix_tokens": len(prefix),
                          "tokens": len(ids), "logit": logit(exact, ids, answers),
                          "logit_bfloat16": logit(half, ids, answers)})
    tokens = [{"text": t, "ids": tokenizer.encode(t, add_special_tokens=False).ids} for t in ODD_TEXTS]
    return {"model": folder.name, "reference": "transformers, one prompt at a time", "tokens": tokens, "cases": cases}


def small_tokenizer(corpus):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    template = [text for text, control in BEFORE + AFTER if not control] + ["<Instruct>: <Query>: <Document>:", INSTRUCTION]
    tokenizer.train_from_iterator(corpus + template * 50 + ["yes", "no"] * 2000, trainer)
    tokenizer.add_tokens([AddedToken(text, special=special, normalized=False) for text, special in ADDED])
    return tokenizer


def config_of(vocabulary, hidden_size, heads, kv_heads, layers, intermediate, head_dim, positions, tie, label):
    return Qwen3Config(
        vocab_size=vocabulary, hidden_size=hidden_size, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, head_dim=head_dim, intermediate_size=intermediate,
        max_position_embeddings=positions, rms_norm_eps=1e-6, tie_word_embeddings=tie, attention_bias=False,
        rope_theta=1e6, use_sliding_window=False, **({"num_labels": 1} if label else {}))


def write_config(folder, config, label):
    values = config.to_dict()
    keep = ["attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size", "max_position_embeddings",
            "model_type", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps",
            "tie_word_embeddings", "use_sliding_window", "vocab_size"] + (["id2label"] if label else [])
    kind = "Qwen3ForSequenceClassification" if label else "Qwen3ForCausalLM"
    # The published files say rope_theta at the top level; transformers 5 would write rope_parameters.
    rope = {"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}} if label else {"rope_theta": 1000000}
    write(folder / "config.json", {"architectures": [kind], **{k: values[k] for k in keep}, **rope})


def small(name, seed, hidden_size, heads, kv_heads, layers, file_dtype, corpus, tie=False, label=False):
    folder = GOLDEN / "small" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer = small_tokenizer(corpus)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = config_of(416, hidden_size, heads, kv_heads, layers, 64, 16, POSITIONS, tie, label)
    write_config(folder, config, label)
    torch.manual_seed(seed)
    model = (Qwen3ForSequenceClassification if label else Qwen3ForCausalLM)(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            norm = key.endswith("norm.weight")
            parameter.normal_(1.0 if norm else 0.0, 0.2 if norm or "embed" in key or "head" in key else 0.15)
    tensors = {k: v.to(file_dtype).contiguous() for k, v in model.state_dict().items() if not (tie and k == "lm_head.weight")}
    if "sharded" in name:
        names = sorted(tensors)
        shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
        for file, part in shards.items():
            save_file({k: tensors[k] for k in part}, folder / file, metadata={"format": "pt"})
        write(folder / "model.safetensors.index.json",
              {"metadata": {}, "weight_map": {k: file for file, part in shards.items() for k in part}})
    else:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    write(folder / "cases.json", numbers(folder))


def check():
    worst = 0.0
    for name in VARIANTS:
        folder = GOLDEN / "small" / name
        committed = json.loads((folder / "cases.json").read_text())
        live = numbers(folder)
        assert committed["tokens"] == live["tokens"], f"{name}: other token ids"
        distance = max(abs(a["logit"] - b["logit"]) for a, b in zip(committed["cases"], live["cases"], strict=True))
        worst = max(worst, distance)
        print(f"{name}: {len(live['cases'])} cases, largest difference {distance:.2e}")
    sys.exit(worst > 1e-5)


def bench(folder, tokenizer, shape):
    """bfloat16, as published; float32 shards of at most a layer's size would only be larger."""
    values = dict(SHAPES[shape])
    tie = values.pop("tie")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    config = config_of(151669, values["hidden_size"], values["num_attention_heads"], 8, values["num_hidden_layers"],
                       values["intermediate_size"], 128, 40960, tie, False)
    write_config(folder, config, False)
    torch.manual_seed(0)
    with torch.device("meta"):
        model = Qwen3ForCausalLM(config)
    shapes = {k: v.shape for k, v in model.state_dict().items() if not (tie and k == "lm_head.weight")}
    weight_map = {}
    parts = {}
    for key in shapes:
        layer = key.split(".")[2] if key.startswith("model.layers.") else "rest"
        parts.setdefault(layer, []).append(key)
    for number, keys in enumerate(parts.values(), 1):
        file = f"model-{number:05}-of-{len(parts):05}.safetensors"
        tensors = {}
        for key in keys:
            norm = key.endswith("norm.weight")
            width = 1 if norm else shapes[key][1]
            # Unit rows keep the states from growing; the head's spread gives scores between 0 and 1.
            tensor = torch.randn(shapes[key]) * (0.1 if norm else (1.0 if "embed" in key else width ** -0.5))
            tensors[key] = (tensor + 1 if norm else tensor).to(torch.bfloat16)
            weight_map[key] = file
        save_file(tensors, folder / file, metadata={"format": "pt"})
    write(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def main():
    torch.set_num_threads(1)
    if sys.argv[1] == "--check":
        check()
    elif sys.argv[1] == "--bench":
        bench(pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else "0.6B")
    else:
        corpus = [json.loads(line)["text"] for line in pathlib.Path(sys.argv[1]).read_text().splitlines()[:200]]
        for name, variant in VARIANTS.items():
            small(name, corpus=corpus, **variant)


if __name__ == "__main__":
    main()
