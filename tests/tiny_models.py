"""Tiny models with random weights, and chat templates of the shapes the field uses.

Every model has the tokenizer of `embedded:nano` (byte-level BPE, 2,048 entries) with the template's markers as special
tokens, so that tests need no network and no trained weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mixwright.models

NANO = Path(mixwright.models.__file__).parent / "embedded" / "nano"
# Every turn opens and closes with a special token, and an answer begins with a blank.
NANO_TEMPLATE = (NANO / "chat_template.jinja").read_text()

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Qwen 2 writes a system turn where the conversation has none.
DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}" + CHATML
)
# Llama 2 folds the system turn into the first user turn and has no generation prompt.
LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}"
    "{% set system = '<<SYS>>\n' ~ messages[0]['content'] ~ '\n<</SYS>>\n\n' %}{% set turns = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}{% if m['role'] == 'user' %}"
    "<s>[INST] {{ (system if loop.first else '') ~ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] }} </s>{% endif %}{% endfor %}"
)
# Reasoning models show the thoughts of the last answer only.
DROPS_THOUGHTS = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' and not loop.last %}{{ m['content'].split('</think>')[-1] }}"
    "{% else %}{{ m['content'] }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKERS = ["<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]"]
ARCHITECTURES = ("llama", "gpt2", "qwen2", "qwen3")


def save_tokenizer(folder: Path, template: str = CHATML, words: Sequence[str] = ()) -> Any:
    """Write the tokenizer's files to `folder`; `<|im_end|>` ends a sequence. words: added, not special."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer.from_file(str(NANO / "tokenizer.json"))
    inner.add_special_tokens(MARKERS)
    inner.add_tokens(list(words))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|pad|>", chat_template=template
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def build_model(architecture: str, *, vocabulary: int = 2056, positions: int = 256, seed: int = 0) -> Any:
    """A model of two layers and 32 hidden units in fp32, its weights drawn from the seed."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    wide: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": positions,
    }
    settings: dict[str, dict[str, Any]] = {
        "llama": wide,
        "qwen2": wide,
        "qwen3": wide,
        "gemma2": wide | {"final_logit_softcapping": 1.0},
        "granite": wide | {"logits_scaling": 3.0},
        "gpt2": {"vocab_size": vocabulary, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": positions},
        "lfm2": wide | {"layer_types": ["conv", "full_attention"], "block_multiple_of": 16},
        "mamba": {"vocab_size": vocabulary, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
    }
    torch.manual_seed(seed)
    config = AutoConfig.for_model(architecture, **settings[architecture], bos_token_id=None, eos_token_id=None)
    config.initializer_range = 0.2  # logits far enough apart that argmax never hangs on rounding
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()


def save_model(folder: Path, architecture: str = "llama", template: str = CHATML, seed: int = 0) -> Path:
    """A model folder in Hugging Face format."""
    tokenizer = save_tokenizer(folder, template)
    model = build_model(architecture, vocabulary=len(tokenizer), seed=seed)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    return folder


def save_chain(
    folder: Path, chain: Mapping[str, Mapping[str, float]], template: str = NANO_TEMPLATE, words: Sequence[str] = ()
) -> Path:
    """A model folder whose next token depends on the last alone.

    chain: for a token the probabilities of the next; after a token that is not in it, all are equally probable.
    """
    import torch

    tokenizer = save_tokenizer(folder, template, words)
    model = build_model("llama", vocabulary=len(tokenizer))
    config = model.config
    with torch.no_grad():
        for layer in model.model.layers:  # what a layer adds to its input
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        states, logits = model.model.embed_tokens.weight.zero_(), model.lm_head.weight.zero_()
        for dimension, (token, following) in enumerate(chain.items()):
            scale = math.sqrt(config.hidden_size)  # what normalisation makes of a unit vector
            states[tokenizer.convert_tokens_to_ids(token), dimension] = 1.0
            logits[:, dimension] = -100.0 / scale
            for word, probability in following.items():
                logits[tokenizer.convert_tokens_to_ids(word), dimension] = math.log(probability) / scale
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    return folder
