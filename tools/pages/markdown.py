"""The few forms of Markdown that made pages use."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_PARAGRAPH: Final = re.compile(r"\n\s*\n")

_PLACE: Final = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- /made -->)", re.DOTALL)


def filled(page: str, made: Mapping[str, str]) -> str:
    """Return a page with what is made between `<!-- made: NAME -->` and `<!-- /made -->`.

    Raises ValueError if places and what is made for them differ.
    """
    places = {place[2] for place in _PLACE.finditer(page)}
    if places != made.keys():
        raise ValueError(f"the page has places {sorted(places)}, made is {sorted(made)}")
    return _PLACE.sub(lambda place: f"{place[1]}{made[place[2]]}\n{place[3]}", page)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell may hold any text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: str) -> str:
    """Return text as code, nothing for nothing."""
    return f"`{text}`" if text else ""


def one_line(docstring: str | None) -> str:
    """Return a docstring in one line."""
    return " ".join((docstring or "").split())


def summary(docstring: str | None) -> str:
    """Return a docstring's first paragraph in one line."""
    return one_line(_PARAGRAPH.split((docstring or "").strip())[0])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
