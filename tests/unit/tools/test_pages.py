"""Pages that are made from code are committed as they would be made now."""

from pathlib import Path

import pytest

from tools.pages import made
from tools.pages.markdown import filled, table

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("path", made.MAKERS, ids=lambda path: path.name)
def test_a_made_page_is_up_to_date(path: Path) -> None:
    assert path.read_text() == made.MAKERS[path](), "run `python -m tools.pages` and commit"


def test_a_place_that_nothing_is_made_for_is_refused() -> None:
    page = "<!-- made: here -->\n<!-- /made -->\n"

    assert filled(page, {"here": "x"}) == "<!-- made: here -->\nx\n<!-- /made -->\n"
    with pytest.raises(ValueError, match="there"):
        filled(page, {"here": "x", "there": "y"})
    with pytest.raises(ValueError, match="here"):
        filled(page, {})


def test_making_a_page_twice_changes_nothing() -> None:
    page = "<!-- made: here -->\nold\n<!-- /made -->\n"
    once = filled(page, {"here": table(("a", "b"), [("1|2", "x\ny")])})

    assert "old" not in once
    assert "| 1\\|2 | x<br>y |" in once
    assert filled(once, {"here": table(("a", "b"), [("1|2", "x\ny")])}) == once
