"""The session stage: one model through one conversation that changes its subject.

Suites ask one thing at a time. A session shows what a user meets: a question of the domain, then an unrelated request,
then the domain again, each answer standing in the conversation when the next is asked. It is shown, not scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mixwright.ground.artefacts import write_json
from mixwright.ground.hashing import Json
from mixwright.items.conversation import Message
from mixwright.items.suite import Item
from mixwright.models.handle import ModelHandle


def default_requests(items: Sequence[Item], roles: Mapping[str, str]) -> tuple[str, ...]:
    """A domain item's question, a general one's, and another domain one's; nothing where a recipe lacks either.

    roles: `domain` or `general` by suite. Only items of one user turn are taken, so that each stands for itself.
    """
    asked: dict[str, list[str]] = {"domain": [], "general": []}
    for item in items:
        if [message["role"] for message in item.prompt] == ["user"]:
            asked[roles[item.suite]].append(str(item.prompt[0]["content"]))
    if not asked["domain"] or not asked["general"]:
        return ()
    return (asked["domain"][0], asked["general"][0], asked["domain"][-1])


def hold_session(
    arm: str, model: Path, requests: Sequence[str], *, device: str, precision: str, max_new_tokens: int, out: Path
) -> Mapping[str, Json]:
    """Write `session.json`: the requests with what the model answered.

    A request stays without an answer once the chat template refuses the conversation or the model's context has no room
    left for it: what is only shown must not end a run.
    """
    handle = ModelHandle(model, device=device, precision=precision)
    messages: list[Message] = []
    turns: list[dict[str, Json]] = []
    unanswered = 0
    for request in requests:
        messages.append({"role": "user", "content": request})
        try:
            prompt = handle.tokenizer.prompt_ids(messages)
        except ValueError:
            prompt = []
        if not prompt or (handle.context and len(prompt) + max_new_tokens > handle.context):
            turns.append({"request": request, "response": "", "finished": False})
            unanswered += 1
            continue
        (answer,) = handle.generate([prompt], max_new_tokens=[max_new_tokens], batch_size=1, label=f"session {arm}")
        turns.append({"request": request, "response": answer.text, "finished": answer.finished})
        messages.append({"role": "assistant", "content": answer.text or " "})
    write_json(out / "session.json", {"turns": turns})
    return {"turns": len(turns), "unanswered": unanswered}
