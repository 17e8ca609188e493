"""Training curves per arm: loss by source over tokens, learning rate and speed.

All panels share their ranges, so that two arms can be compared by eye. The total loss of two arms with
different blends is not comparable; the loss on one source is, which is why the sources are drawn and the
total is only a thin grey line.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mixwright.reporting.contents import RunContents, TrainingStep
from mixwright.reporting.lines import Line, averaged, line_chart
from mixwright.reporting.wording import compact

DASHES = (None, "7 3", "2 3", "9 3 2 3", "4 2", "1 2")


@dataclass(frozen=True)
class TrainingView:
    """One arm's training, ready to print.

    tokens_per_second: the mean over the whole training. last_losses: source, loss, and divergence from the base where
    the source has a KL term. taught: whether any has.
    """

    arm: str
    loss: Markup
    learning_rate: Markup
    speed: Markup
    num_steps: int
    num_tokens: int
    seconds: float
    tokens_per_second: float | None
    last_losses: tuple[tuple[str, float, float | None], ...]
    taught: bool


def training_views(run: RunContents, colours: Mapping[str, str]) -> list[TrainingView]:
    """A panel for every arm that was trained."""
    trained = [arm for arm in run.arms if arm.training]
    lines = {arm.name: _loss_lines(arm.training, colours) for arm in trained}
    losses = [y for arm in trained for line in lines[arm.name] for _, y in line.points]
    if not losses:
        return []
    x_range = (0.0, float(max(arm.training[-1].tokens for arm in trained)))
    y_range = (min(0.0, *losses), 1.05 * max(losses))
    views = []
    for arm in trained:
        steps, last = arm.training, arm.training[-1]
        strays = {name: value for step in steps for name, value in step.kl_by_source.items()}
        views.append(
            TrainingView(
                arm=arm.name,
                loss=line_chart(
                    f"{arm.name}: loss by source over tokens",
                    lines[arm.name],
                    x_range=x_range,
                    y_range=y_range,
                ),
                learning_rate=_small(
                    f"{arm.name}: learning rate over tokens",
                    [(step.tokens, step.learning_rate) for step in steps],
                    x_range,
                ),
                speed=_small(f"{arm.name}: tokens per second over tokens", _speeds(steps), x_range),
                num_steps=last.step,
                num_tokens=last.tokens,
                seconds=last.seconds,
                tokens_per_second=last.tokens / last.seconds if last.seconds > 0 else None,
                last_losses=tuple(
                    (line.label, line.points[-1][1], strays.get(line.label)) for line in lines[arm.name] if line.points
                ),
                taught=bool(strays),
            )
        )
    return views


def _loss_lines(steps: Sequence[TrainingStep], colours: Mapping[str, str]) -> list[Line]:
    sources = list(dict.fromkeys(name for step in steps for name in step.loss_by_source))
    total = Line("all sources", averaged([(step.tokens, step.loss) for step in steps]), "total")
    lines = [total] if len(sources) != 1 else []
    for index, source in enumerate(
        sorted(sources, key=lambda name: list(colours).index(name) if name in colours else 99)
    ):
        values = averaged([(step.tokens, step.loss_by_source.get(source)) for step in steps])
        lines.append(Line(source, values, colours.get(source, "cool-1"), DASHES[index % len(DASHES)]))
    return lines


def _speeds(steps: Sequence[TrainingStep]) -> list[tuple[float, float]]:
    return [
        (after.tokens, (after.tokens - before.tokens) / (after.seconds - before.seconds))
        for before, after in itertools.pairwise(steps)
        if after.seconds > before.seconds
    ]


def _small(title: str, points: Sequence[tuple[float, float]], x_range: tuple[float, float]) -> Markup:
    kept = averaged(points, most=80)
    top = max((y for _, y in kept), default=1.0) or 1.0
    return line_chart(
        title,
        [Line("", kept, "total")],
        x_range=x_range,
        y_range=(0.0, 1.1 * top),
        height=130,
        named=False,
        y_text=compact,
    )
