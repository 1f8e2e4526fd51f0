"""`docs/adr/README.md`: every decision with its one sentence, from the records themselves."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.pages.markdown import table

_RECORD: Final = re.compile(r"# (\d+)\. (.+)\n(?s:.*?)\n## Decision\n\n((?:> .+\n)+)")

_INTRODUCTION: Final = """\
# Decisions

What others lean on, each with its reason, what else was thought of, and what enforces it."""


def page(folder: Path) -> str:
    """Return the page. Raises ValueError for a record without title or decision."""
    return f"{_INTRODUCTION}\n\n{table(('', 'what', 'decided'), _rows(folder))}\n"


def _rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    for record in sorted(folder.glob("[0-9]*.md")):
        found = _RECORD.match(record.read_text())
        if found is None:
            raise ValueError(f"{record.name} needs `# NUMBER. TITLE` and `## Decision` with `> `")
        number, title, decision = found.groups()
        sentence = " ".join(line.removeprefix("> ") for line in decision.splitlines())
        yield number, f"[{title}]({record.name})", sentence
