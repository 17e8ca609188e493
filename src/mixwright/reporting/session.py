"""The session: one conversation that changes its subject, answered by every arm, side by side.

It opens the page because it needs no statistics: an arm that answers a sum in the form of its domain is
seen at a glance, while a mean hides it. It is shown, not scored.
"""

from typing import NamedTuple

from mixwright.reporting.contents import BASE_ARM, RunContents
from mixwright.reporting.files import damaged
from mixwright.reporting.wording import shortened, visible

LONGEST_TEXT = 1500


class Reply(NamedTuple):
    """What one arm answered; `finished` is False where the answer was cut off."""

    arm: str
    text: str
    finished: bool


class Exchange(NamedTuple):
    """One request and the replies to it, one per arm."""

    request: str
    replies: tuple[Reply, ...]


class SessionView(NamedTuple):
    """The whole conversation; `arms` are the columns, the base first."""

    arms: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


def session_view(run: RunContents) -> SessionView | None:
    """The session of every arm that held one; None without any.

    Raises:
        InputError: two arms were asked different things.
    """
    arms = sorted((arm for arm in run.arms if arm.session), key=lambda arm: arm.name != BASE_ARM)
    if not arms:
        return None
    requests = [turn.request for turn in arms[0].session]
    for arm in arms[1:]:
        if [turn.request for turn in arm.session] != requests:
            where = run.path / "arms" / arm.name / "session" / "session.json"
            raise damaged(where, f"its requests are not those of the arm '{arms[0].name}'")
    exchanges = tuple(
        Exchange(
            _shown(request),
            tuple(Reply(arm.name, _shown(arm.session[turn].response), arm.session[turn].finished) for arm in arms),
        )
        for turn, request in enumerate(requests)
    )
    return SessionView(tuple(arm.name for arm in arms), exchanges)


def _shown(text: str) -> str:
    return visible(shortened(text, LONGEST_TEXT))
