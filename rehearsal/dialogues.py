"""Dialogues to play: the set that ships with PeakDesk, or any TSV with session, role and text.

Reads files; must not know how or when a turn is sent.
"""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Final

from contracts.frames import TEXT_CHARS

SHIPPED: Final = Path(__file__).parent / "dialogues" / "singles_day.tsv"

TURNS_LIMIT: Final = 1_000_000
"""Turns read from one file; a longer file is refused rather than half played."""


class Side(StrEnum):
    """Who speaks in a turn."""

    BUYER = "buyer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said. `planted` names the wording category this turn must be caught for."""

    side: Side
    text: str
    planted: str | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A whole session between one buyer and the shop."""

    name: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class DialogueSet:
    """Dialogues and whether every rude turn in them is labelled (H28)."""

    dialogues: tuple[Dialogue, ...]
    labelled: bool


class BadDialogues(ValueError):
    """The file cannot be played; the sentence names the line and the cure."""


RUDE: Final = {
    Side.BUYER: ("你们是不是傻逼", "一群废物东西，滚", "王八蛋商家"),
    Side.AGENT: ("你是不是傻逼啊", "王八蛋，自己不会看吗", "滚你妈的"),
}
"""Lines planted into dialogues that carry no labels, so that every run proves the gate."""

PLANT_EVERY: Final = 12
"""One dialogue in this many receives a rude line of each side."""


def load(path: Path | None = None) -> DialogueSet:
    """Read dialogues. Raises `BadDialogues` with the line number.

    The file is UTF-8 TSV with a header naming at least `session`, `role` (buyer or agent) and
    `text`; the optional column `planted` labels rude turns and makes the set a labelled one.
    """
    source = path or SHIPPED
    try:
        with source.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            names = set(rows.fieldnames or ())
            if missing := {"session", "role", "text"} - names:
                raise BadDialogues(
                    f"{source.name}: the header lacks {', '.join(sorted(missing))};"
                    " expected session, role, text separated by tabs"
                )
            turns = [_turn(source, number, row) for number, row in enumerate(rows, start=2)]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadDialogues(f"cannot read {source}: {reason}") from error
    if len(turns) > TURNS_LIMIT:
        raise BadDialogues(f"{source.name}: more than {TURNS_LIMIT} turns; split the file")
    dialogues = tuple(
        Dialogue(name, tuple(turn for _, turn in group))
        for name, group in groupby(turns, key=lambda pair: pair[0])
    )
    if not any(d.turns[0].side is Side.BUYER for d in dialogues):
        raise BadDialogues(f"{source.name}: no dialogue starts with a buyer; nothing to play")
    return DialogueSet(dialogues, labelled="planted" in names)


def _turn(source: Path, number: int, row: dict[str, str | None]) -> tuple[str, Turn]:
    session, role, text = row.get("session"), row.get("role"), (row.get("text") or "").strip()
    if not session or role not in set(Side) or not text:
        raise BadDialogues(
            f"{source.name}, line {number}: expected a session, the role buyer or agent, and a text"
        )
    if len(text) > TEXT_CHARS or "\0" in text:
        raise BadDialogues(
            f"{source.name}, line {number}: the text is over {TEXT_CHARS} characters or holds a"
            " NUL; shorten it"
        )
    return session, Turn(Side(role), text, row.get("planted") or None)


def with_rude_turns(played: Sequence[Dialogue], rng: random.Random) -> list[Dialogue]:
    """Plant one rude line of each side in some dialogues, after their first two turns."""
    return [
        _plant(dialogue, rng) if number % PLANT_EVERY == PLANT_EVERY // 2 else dialogue
        for number, dialogue in enumerate(played)
    ]


def _plant(dialogue: Dialogue, rng: random.Random) -> Dialogue:
    turns = list(dialogue.turns)
    for side in Side:
        at = rng.randint(min(2, len(turns)), len(turns))
        turns.insert(at, Turn(side, rng.choice(RUDE[side]), planted="insult"))
    return replace(dialogue, turns=tuple(turns))
