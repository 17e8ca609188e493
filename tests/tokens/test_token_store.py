"""Corpus to token store: every record whole with its identity, or dropped with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import NANO

from mixwright.ground.errors import InputError
from mixwright.items.conversation import Message
from mixwright.models.tokenizer import ChatTokenizer, Encoded
from mixwright.sources.intake.records import Record, RecordWriter, conversation_record, read_records
from mixwright.tokens.store import TokenStore
from mixwright.tokens.tokenize import tokenize

HASHES = {"tokenizer_sha256": "t", "template_sha256": "c"}


@pytest.fixture(scope="module")
def tokenizer() -> ChatTokenizer:
    return ChatTokenizer(NANO)


def conversation(prompt: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def tokenized(
    folder: Path,
    tokenizer: ChatTokenizer,
    conversations: Sequence[list[Message]],
    *,
    max_tokens: int = 64,
    longer: str = "drop",
) -> tuple[TokenStore, dict[str, object]]:
    corpus, out = folder / "desk.parquet", folder / "store"
    out.mkdir(parents=True)
    with RecordWriter(corpus, Record) as writer:
        for number, messages in enumerate(conversations):
            origin = f"desk.jsonl:{number}"
            writer.write(
                conversation_record(messages, source="desk", origin=origin, licence="x", group=None, split="train")
            )
    counts = tokenize(
        "desk", corpus, tokenizer, HASHES, loss="assistant", longer=longer, max_tokens=max_tokens, out=out
    )
    return TokenStore(out), dict(counts)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.tuples(st.text(max_size=40), st.text(min_size=1, max_size=40)), min_size=1, max_size=8))
def test_a_record_reads_back_as_it_was_encoded(
    tmp_path_factory: pytest.TempPathFactory, tokenizer: ChatTokenizer, texts: list[tuple[str, str]]
) -> None:
    conversations = [conversation(*pair) for pair in texts]
    store, counts = tokenized(tmp_path_factory.mktemp("tokens"), tokenizer, conversations, max_tokens=1000)
    assert len(store) == counts["records"] == len(texts)
    for index, wanted in enumerate(tokenizer.encode(conversations, loss="assistant")):
        assert isinstance(wanted, Encoded)
        ids, loss = store.record(index)
        assert ids.tolist() == wanted.ids.tolist()
        assert loss.astype(bool).tolist() == wanted.loss.tolist()
        assert (len(ids), store.supervised[index]) == (len(wanted.ids), wanted.loss.sum())
    assert counts["tokens"] == store.num_tokens
    assert counts["supervised_tokens"] == store.num_supervised
    assert counts["supervised_tokens"] == store.supervised.sum()


def test_the_row_of_a_record_names_it(tmp_path: Path, tokenizer: ChatTokenizer) -> None:
    conversations = [conversation("Hello", "Hi"), conversation("x " * 200, "y"), conversation("Bye", "Bye")]
    tokenized(tmp_path, tokenizer, conversations)
    kept = list(read_records(tmp_path / "store" / "records.parquet"))
    assert [record.origin for record in kept] == ["desk.jsonl:0", "desk.jsonl:2"]
    wanted = list(read_records(tmp_path / "desk.parquet"))
    assert [record.record_id for record in kept] == [wanted[0].record_id, wanted[2].record_id]


def test_what_cannot_be_learnt_from_is_dropped_with_its_reason(tmp_path: Path, tokenizer: ChatTokenizer) -> None:
    conversations: list[list[Message]] = [
        conversation("Hello", "Hi"),
        conversation("word " * 100, "too long"),
        [*conversation("Hello", "Hi"), {"role": "tool", "content": "a role that the template refuses"}],
        [{"role": "user", "content": "no answer"}],
    ]
    _, counts = tokenized(tmp_path, tokenizer, conversations)
    assert counts["records"] == 1
    assert counts["dropped"] == {"longer_than_a_row": 1, "nothing_supervised": 1, "template": 1}
    dropped = pq.read_table(tmp_path / "store" / "dropped.parquet").to_pylist()
    assert [row["origin"] for row in dropped] == ["desk.jsonl:1", "desk.jsonl:2", "desk.jsonl:3"]
    assert all(row["reason"] and row["text"] for row in dropped)


def test_a_record_as_long_as_a_row_is_kept_and_one_token_more_is_not(tmp_path: Path, tokenizer: ChatTokenizer) -> None:
    messages = conversation("Hello", "Good morning")
    (encoded,) = tokenizer.encode([messages], loss="assistant")
    assert isinstance(encoded, Encoded)
    size = len(encoded.ids)
    store, _ = tokenized(tmp_path / "fits", tokenizer, [messages], max_tokens=size)
    assert store.num_tokens == size
    with pytest.raises(InputError, match="longer_than_a_row") as caught:
        tokenized(tmp_path / "not", tokenizer, [messages], max_tokens=size - 1)
    assert caught.value.where == "sources.desk"
    assert "sequence_length" in str(caught.value.fix)


@pytest.mark.parametrize("longer", ["truncate", "split"])
def test_a_record_longer_than_a_row_is_cut_where_that_is_said(
    tmp_path: Path, tokenizer: ChatTokenizer, longer: str
) -> None:
    messages = conversation("Hello", "Good morning, and what may I do for you on this day?")
    (encoded,) = tokenizer.encode([messages], loss="assistant")
    assert isinstance(encoded, Encoded)
    size = int(np.argmax(encoded.loss)) + 3  # the first part has something to learn
    store, counts = tokenized(tmp_path, tokenizer, [messages, conversation("a", "b")], max_tokens=size, longer=longer)
    *parts, short = [store.record(index) for index in range(len(store))]
    begins = [b for b in range(0, len(encoded.ids), size) if encoded.loss[b + 1 : b + size].any()]
    begins = begins if longer == "split" else begins[:1]
    assert counts["cut"] == 1
    assert len(short[0]) <= size
    for begin, (ids, loss) in zip(begins, parts, strict=True):
        assert ids.tolist() == encoded.ids[begin : begin + size].tolist()
        wanted = encoded.loss[begin : begin + size].tolist()
        assert loss.astype(bool).tolist() == [False, *wanted[1:]]  # nothing is before the first token to learn it from
    names = pq.read_table(tmp_path / "store" / "records.parquet")["record_id"].to_pylist()
    assert len(names) == len(store)
    assert len(set(names)) == 2


def test_a_beginning_with_nothing_to_learn_asks_for_longer_rows_or_the_other_parts(
    tmp_path: Path, tokenizer: ChatTokenizer
) -> None:
    messages = conversation("a question of several words " * 5, "yes")
    with pytest.raises(InputError, match=r"nothing_supervised_in_its_beginning 1;.* first 8 of") as caught:
        tokenized(tmp_path, tokenizer, [messages], max_tokens=8, longer="truncate")
    assert "longer: split" in str(caught.value.fix)


def test_the_store_says_which_tokenizer_and_template_made_it(tmp_path: Path, tokenizer: ChatTokenizer) -> None:
    tokenized(tmp_path, tokenizer, [conversation("Hello", "Hi")])
    about = json.loads((tmp_path / "store" / "store.json").read_text())
    learnt = about.pop("supervised_tokens")
    assert learnt > 0
    assert about == {"dtype": "uint16", "loss": "assistant", **HASHES}


@pytest.mark.parametrize("name", ["tokens.bin", "loss.bin"])
def test_a_damaged_store_is_refused(tmp_path: Path, tokenizer: ChatTokenizer, name: str) -> None:
    tokenized(tmp_path, tokenizer, [conversation("Hello", "Hi")])
    path = tmp_path / "store" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged"):
        TokenStore(tmp_path / "store")


def test_large_vocabularies_are_stored_in_four_bytes(tmp_path: Path) -> None:
    ids = np.asarray([70_000, 1, 151_000], np.uint32)
    ids.tofile(tmp_path / "tokens.bin")
    np.ones(3, np.uint8).tofile(tmp_path / "loss.bin")
    np.save(tmp_path / "offsets.npy", np.asarray([0, 3], np.uint64))
    np.save(tmp_path / "supervised.npy", np.asarray([3], np.uint32))
    (tmp_path / "store.json").write_text('{"dtype": "uint32", "supervised_tokens": 3}')
    assert TokenStore(tmp_path).record(0)[0].tolist() == ids.tolist()
