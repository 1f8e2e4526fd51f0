"""Which pages are made, and what they should say now."""

from pathlib import Path
from typing import Final

from tools import second_wall
from tools.pages import decisions, metrics, protocol, settings, topics
from tools.pages.markdown import filled

CHECKOUT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = CHECKOUT / "docs"


def pages() -> dict[Path, str]:
    """Return the text of every made page, as it should be committed.

    Raises ValueError if a page has no place for a table, or one for none.
    """
    partly = {
        DOCS / "metrics.md": metrics.tables(),
        DOCS / "protocol.md": protocol.tables(),
    }
    whole = {
        DOCS / "settings.md": settings.page(),
        DOCS / "topics.md": topics.page(),
    }
    texts = {path: text + "\n" for path, text in whole.items()}
    texts[DOCS / "second-wall.md"] = second_wall.page()
    texts[DOCS / "adr/README.md"] = decisions.page(DOCS / "adr")
    return texts | {path: filled(path.read_text(), made) for path, made in partly.items()}
