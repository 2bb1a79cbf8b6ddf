#!/usr/bin/env python3
"""Writes tests/golden/: what transformers answers for the cross-encoders that the unit tests load.

Run with torch, transformers, tokenizers and safetensors installed:
    scripts/golden_cross_encoder.py MODELS_DIR CORPUS.jsonl
MODELS_DIR holds ms-marco-MiniLM-L12-v2 as scripts/setup writes it, CORPUS.jsonl is the demo's package corpus.

Written: minilm.json (token ids and float32 logits of the real weights) and small/<family>/ (random checkpoints of a
few kilobytes with their own tokenizers, and cases.json). The pairs are laid out by hand here, so that the numbers do
not depend on the code under test. Every text is scored alone, in float32, without padding.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification,
                          RobertaConfig, RobertaForSequenceClassification, XLMRobertaConfig,
                          XLMRobertaForSequenceClassification)

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"
ODD_TEXTS = [
    "", " \t\n ", "a", "naïve café – Ünïcödé ﬁne", "北京是中国的首都。東京タワー", "한국어 문장입니다", "שלום עולם مرحبا",
    "emoji 👩‍👩‍👧‍👦 and 🇩🇪 flags", "zero\u200bwidth\u00adhyphen\u0000nul\u0007bell\ufeffbom", "[CLS] [SEP] [MASK] [PAD] [UNK]",
    "<s> </s> <mask> <pad> <unk>", "x" * 230, "1,234.56 e-9 0x1F #include <a/b.h> C++ ... !!!", "tabs\tand\r\nlines\u2028sep",
    "The quick brown fox jumps over the lazy dog.",
]
BERLIN = "How many people live in Berlin?"
BERLIN_TEXTS = [
    "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.",
    "Berlin is well known for its museums.",
]
LAYOUT = {"bert": (["[CLS]"], ["[SEP]"], ["[SEP]"]), "roberta": (["<s>"], ["</s>", "</s>"], ["</s>"])}
LAYOUT["xlm-roberta"] = LAYOUT["roberta"]


def text_ids(tokenizer, text):
    """A text's own ids. Where a Unigram vocabulary spells a special token as a piece, the unknown token stands for
    it: no text may place a control token."""
    unknown = {tokenizer.token_to_id(t) for t in ("[UNK]", "<unk>")} - {None}
    control = {i for i, t in tokenizer.get_added_tokens_decoder().items() if t.special} - unknown
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return [min(unknown) if i in control else i for i in ids]


def pair_ids(tokenizer, family, query, text, max_length):
    """Token ids and types of a pair, the document truncated first."""
    before, between, after = ([tokenizer.token_to_id(t) for t in part] for part in LAYOUT[family])
    room = max_length - len(before) - len(between) - len(after)
    q = text_ids(tokenizer, query)[:room]
    d = text_ids(tokenizer, text)[: room - len(q)]
    ids = before + q + between + d + after
    types = [0] * (len(before) + len(q) + len(between)) + [1] * (len(d) + len(after))
    return ids, types if family == "bert" else None


def score(model, ids, types):
    batch = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    if types is not None:
        batch["token_type_ids"] = torch.tensor([types])
    with torch.inference_mode():
        return float(model(**batch).logits[0, 0])


def cases_of(model, tokenizer, family, max_length, queries):
    cases = []
    for query, texts in queries:
        for text in texts:
            ids, types = pair_ids(tokenizer, family, query, text, max_length)
            cases.append({"query": query, "text": text, "tokens": len(ids), "logit": score(model, ids, types)})
    return cases


def load_tokenizer(path):
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=True, indent=1) + "\n")


def minilm(folder, corpus):
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    packages = [json.loads(line)["text"] for line in corpus.read_text().splitlines()][::200]
    long_text = " ".join(packages)
    queries = [
        (BERLIN, BERLIN_TEXTS + ODD_TEXTS),
        ("shrink photos from the command line", packages),
        ("how do I measure network latency", [long_text, "ping " * 600, packages[0] + " " + "日本語" * 400]),
        ("very " * 600 + "long question", ["an answer", BERLIN_TEXTS[0]]),
        ("[SEP] does this end the query? [SEP]", ["[CLS] no [SEP] it does not", BERLIN_TEXTS[1]]),
    ]
    write(GOLDEN / "minilm.json", {
        "model": "ms-marco-MiniLM-L12-v2", "reference": "transformers float32, one pair at a time",
        "tokens": [{"text": t, "ids": text_ids(tokenizer, t)} for t in ODD_TEXTS],
        "cases": cases_of(model, tokenizer, "bert", 512, queries),
    })


def small_tokenizer(family, corpus):
    if family == "bert":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
        tokenizer.train_from_iterator(corpus, trainer)
        ends = [(t, tokenizer.token_to_id(t)) for t in ("[SEP]", "[CLS]")]
        tokenizer.post_processor = processors.BertProcessing(*ends)
        return tokenizer
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if family == "roberta":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        tokenizer.train_from_iterator(corpus, trainer)
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
        return tokenizer
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return tokenizer


def small(family, seed, corpus):
    folder = GOLDEN / "small" / family
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = small_tokenizer(family, corpus)
    # A training run's own truncation and padding, which must not reach the scores.
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    kind = {"bert": (BertConfig, BertForSequenceClassification), "roberta": (RobertaConfig, RobertaForSequenceClassification),
            "xlm-roberta": (XLMRobertaConfig, XLMRobertaForSequenceClassification)}[family]
    is_bert = family == "bert"
    config = kind[0](vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                     intermediate_size=64, max_position_embeddings=64 if is_bert else 66, num_labels=1,
                     type_vocab_size=2 if is_bert else 1, pad_token_id=0 if is_bert else 1,
                     layer_norm_eps=1e-12 if is_bert else 1e-5)
    torch.manual_seed(seed)
    model = kind[1](config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if "LayerNorm.weight" in name else 0.0, 0.2)
            if family == "roberta":
                parameter.copy_(parameter.to(torch.bfloat16).float())
    tensors = {k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
    if family == "roberta":
        save_file({k: v.to(torch.bfloat16) for k, v in tensors.items()}, folder / "model.safetensors")
    elif family == "bert":
        save_file(tensors, folder / "model.safetensors")
    else:
        names = sorted(tensors)
        shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
        for file, part in shards.items():
            save_file({k: tensors[k] for k in part}, folder / file)
        write(folder / "model.safetensors.index.json",
              {"metadata": {}, "weight_map": {k: file for file, part in shards.items() for k in part}})
    values = config.to_dict()
    keep = ["hidden_act", "hidden_size", "id2label", "intermediate_size", "layer_norm_eps", "max_position_embeddings",
            "model_type", "num_attention_heads", "num_hidden_layers", "pad_token_id", "type_vocab_size", "vocab_size"]
    write(folder / "config.json", {"architectures": [kind[1].__name__], **{k: values[k] for k in keep}})
    queries = [(BERLIN, BERLIN_TEXTS + ODD_TEXTS + ["word " * 200]), ("very " * 100, ["short", "another " * 50])]
    write(folder / "cases.json", {
        "family": family,
        "tokens": [{"text": t, "ids": text_ids(tokenizer, t)} for t in ODD_TEXTS],
        "cases": cases_of(model, tokenizer, family, 64, queries),
    })


def main():
    models_dir, corpus = map(pathlib.Path, sys.argv[1:3])
    torch.set_num_threads(1)
    minilm(models_dir / "ms-marco-MiniLM-L12-v2", corpus)
    sample = [json.loads(line)["text"] for line in corpus.read_text().splitlines()[:200]]
    for seed, family in enumerate(("bert", "roberta", "xlm-roberta")):
        small(family, seed, sample)


if __name__ == "__main__":
    main()
