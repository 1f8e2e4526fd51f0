"""Which pages are made, and what they should say now."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tools import second_wall
from tools.pages import decisions, metrics, protocol, settings, topics
from tools.pages.markdown import filled

CHECKOUT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = CHECKOUT / "docs"


MAKERS: Final[Mapping[Path, Callable[[], str]]] = {
    DOCS / "settings.md": lambda: settings.page() + "\n",
    DOCS / "topics.md": lambda: topics.page() + "\n",
    DOCS / "second-wall.md": second_wall.page,
    DOCS / "adr/README.md": lambda: decisions.page(DOCS / "adr"),
    DOCS / "metrics.md": lambda: filled((DOCS / "metrics.md").read_text(), metrics.tables()),
    DOCS / "protocol.md": lambda: filled((DOCS / "protocol.md").read_text(), protocol.tables()),
}
"""What makes the text of each page, as it should be committed.

Raises ValueError if a page has no place for a table, or one for none.
"""


def pages() -> dict[Path, str]:
    """Return the text of every made page."""
    return {path: make() for path, make in MAKERS.items()}
