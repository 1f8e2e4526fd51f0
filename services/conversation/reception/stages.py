"""The reception pipeline: the order of its stages, and which steps are allowed (capability C4).

Pure; knows neither who works a conversation nor when.
"""

from typing import Final

from contracts.people import Stage
from kit.errors import Conflict

ORDER: Final = tuple(Stage)
"""From welcome to shipping, as the trade teaches it."""

BACK_TO: Final = frozenset({Stage.INTRODUCE, Stage.BARGAIN, Stage.GUIDE_ORDER, Stage.GUIDE_PAYMENT})
"""Stages that a buyer may return to: he asks again, or haggles over another item."""


class StageNotAllowed(Conflict):
    """A reception does not go back to that stage."""

    slug, title = "stage_not_allowed", "The conversation cannot go back to that stage"


def check(current: Stage, target: Stage) -> None:
    """Raise `StageNotAllowed` for a step backwards that no reception takes; skipping is fine."""
    backwards = ORDER.index(target) < ORDER.index(current)
    if backwards and target not in BACK_TO:
        raise StageNotAllowed(f"From {current} a conversation does not go back to {target}.")
