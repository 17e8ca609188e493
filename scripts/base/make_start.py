"""Write the untrained start of `embedded:nano`: a tokenizer learnt from generated text and seeded random
weights.

The folder is plain Hugging Face format, so that the product trains its own base with the same command as any
other model (`recipes/nano.yaml`). Two choices carry the small size:

- A byte-level BPE of 2,048 entries: nothing is out of vocabulary, and the embedding stays a quarter of the
  model. Digits are split singly, so sums are learnt by column.
- The template puts one space before every turn's text, and the decoder removes it again. Every word of an
  answer then has the token that it had in the question, wherever it stands; otherwise a first word would be
  another token.

`<|end|>` closes a turn, `<|endoftext|>` a conversation: a model that has learnt both can write whole conversations of
its own, and knows when one is over.

python scripts/base/make_start.py FOLDER [--seed 0]
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from mixwright.sources.generators import generate

VOCABULARY_SIZE = 2048
NUM_TOKENIZER_RECORDS = 40_000
MAX_POSITIONS = 1024
PAD, END, END_OF_TEXT = "<|pad|>", "<|end|>", "<|endoftext|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
SPECIAL = (PAD, END, END_OF_TEXT, *ROLES)

CHAT_TEMPLATE = """\
{%- for message in messages -%}
    {%- if message['role'] not in ['system', 'user', 'assistant'] -%}
        {{- raise_exception('unknown role ' ~ message['role'] ~ ': use system, user or assistant') -}}
    {%- endif -%}
    {{- '<|' ~ message['role'] ~ '|>' -}}
    {%- if message['role'] == 'assistant' -%}
        {%- generation -%}{{- ' ' ~ message['content'] ~ '<|end|>' -}}{%- endgeneration -%}
    {%- else -%}
        {{- ' ' ~ message['content'] ~ '<|end|>' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|assistant|>' -}}
{%- endif -%}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(arguments.folder, arguments.seed)
    num_parameters = write_weights(arguments.folder, arguments.seed)
    print(json.dumps({"folder": str(arguments.folder), "num_parameters": num_parameters}))


def write_tokenizer(folder: Path, seed: int) -> None:
    """Train the tokenizer on the train side of every skill and save it with its chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed), trainer)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END_OF_TEXT,
        extra_special_tokens=[END, *ROLES],
        chat_template=CHAT_TEMPLATE,
        model_max_length=MAX_POSITIONS,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)


def write_weights(folder: Path, seed: int) -> int:
    """Save a random Llama of about 1.1 million parameters in bfloat16; return their number."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        vocab_size=VOCABULARY_SIZE,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=MAX_POSITIONS,
        tie_word_embeddings=True,
        bos_token_id=None,
        pad_token_id=SPECIAL.index(PAD),
        eos_token_id=SPECIAL.index(END_OF_TEXT),
    )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)  # type: ignore[no-untyped-call]
    model.generation_config.do_sample = False
    model.generation_config.eos_token_id = [SPECIAL.index(END), SPECIAL.index(END_OF_TEXT)]
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    return int(model.num_parameters())


def _texts(seed: int) -> Iterator[str]:
    for example in generate("skills", seed=seed, num_records=NUM_TOKENIZER_RECORDS, split="train"):
        for message in example.messages:
            yield " " + message["content"]


if __name__ == "__main__":
    main()
