"""Quick replies as a list of phrases. Pure values."""

from dataclasses import dataclass
from typing import Final

PHRASES_MOST: Final = 500
"""Phrases of a list at most; more are answered 422. A console holds two lists in memory."""

OF_THE_SHOP: Final = "shop"
"""Stands as the owner of the list that all of a shop's staff have; else it is a person's id."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that are said again and again. `uses` counts how often they were taken."""

    id: str
    title: str
    words: str
    uses: int = 0


@dataclass(frozen=True, slots=True)
class PhraseList:
    """One list, in its owner's order. Version 0: nobody has written it yet."""

    version: int = 0
    phrases: tuple[Phrase, ...] = ()
