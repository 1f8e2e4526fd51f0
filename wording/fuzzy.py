"""Tells which findings are guesses: what merely sounds or looks like a term, or abbreviates it.

Ordinary words do all three, so a guess never blocks a message. It must not know contexts.
"""

from typing import Final

from wording.examine import Candidate
from wording.model import Flag, Why

SHORT: Final = 3
"""So few letters or digits stand for many things: a size, a model, a brand."""

PAIR: Final = 2
_HALVED: Final = frozenset({Why.MIXED, Why.REVERSED})
_ABBREVIATED: Final = frozenset({Why.INITIALS, Why.MIXED})
_GUESSED: Final = frozenset({Why.HOMOPHONE, Why.SHAPE})


def is_likeness(candidate: Candidate) -> bool:
    """Tell whether it merely sounds or looks like the term."""
    return not _GUESSED.isdisjoint(candidate.disguise.split("+"))


def is_guess(candidate: Candidate) -> bool:
    """Tell whether the engine made the form up and ordinary words may have it, too."""
    return is_likeness(candidate) or _are_short_initials(candidate)


def is_fuzzy(candidate: Candidate) -> bool:
    """Tell whether it is a guess, or says so little that nobody is held for it alone."""
    return (
        is_guess(candidate)
        or _is_listed_abbreviation(candidate)
        or candidate.form.why in _HALVED
        or (candidate.why is Why.MASK and len(candidate.form.normalised) <= PAIR)
    )


def are_initials(candidate: Candidate) -> bool:
    """Tell whether only the initials of a term stand there."""
    return candidate.form.why in _ABBREVIATED or _is_listed_abbreviation(candidate)


def _are_short_initials(candidate: Candidate) -> bool:
    form = candidate.form
    return form.why is Why.INITIALS and len(form.pattern) <= SHORT


def _is_listed_abbreviation(candidate: Candidate) -> bool:
    """Tell whether the lexicon lists it as initials; what a shop adds means itself."""
    term, pattern = candidate.form.term, candidate.form.pattern
    if term is None or candidate.form.why is not Why.LITERAL:
        return False
    return len(pattern) <= SHORT and pattern.isascii() and Flag.INITIALS in term.flags
