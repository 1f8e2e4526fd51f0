"""What every answer over REST shares, and those that are a file where a client asks for one."""

import re
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from fastapi import Header
from pydantic import BaseModel, ConfigDict

CSV: Final = "text/csv"

OR_A_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}}
}
"""What the description of a route says that answers with a file, too."""

Accept = Annotated[str, Header()]


class Answer(BaseModel):
    """What every answer shares."""

    model_config = ConfigDict(frozen=True)


class Why(StrEnum):
    """Why a figure has no value."""

    NO_TRAFFIC = "no_traffic"
    """Nobody wrote."""
    OUTSIDE_WINDOW = "outside_window"
    """Whatever there was lies outside the hours that count."""
    NO_EVENTS = "no_events"
    """Nobody tells of what it is made of, or nobody was there."""
    NOT_ASKED = "not_asked"
    """Nobody was asked."""
    NO_ANSWER = "no_answer"
    """Asked, but nobody answered."""


class Figure(Answer):
    """One figure: a share, a mean or a count, and what it was divided from.

    `value` is `numerator / denominator`; null where nothing was there to divide by, and `why` says
    so. `provisional`: what it rests on is not told to its end yet.
    """

    value: float | None
    numerator: int
    denominator: int
    provisional: bool = False
    why: Why | None = None

    @classmethod
    def of(
        cls, numerator: int, denominator: int, *, why: Why, provisional: bool = False, **more: Any
    ) -> Self:
        """Return a figure; `why` is told where there is nothing to divide by."""
        return cls(
            value=numerator / denominator if denominator else None,
            numerator=numerator,
            denominator=denominator,
            provisional=provisional,
            why=None if denominator else why,
            **more,
        )


def wants_file(accept: str) -> bool:
    """Tell whether CSV is among what a client takes: nobody names it who wants JSON.

    With `q=0` he names it to say that he does not take it (RFC 9110, 12.4.2).
    """
    return any(map(_is_file, accept.lower().split(",")))


def _is_file(taken: str) -> bool:
    name, *parameters = (part.strip() for part in taken.split(";"))
    return name == CSV and not any(map(_REFUSED.fullmatch, parameters))


_REFUSED: Final = re.compile(r"q=0(\.0{0,3})?")
