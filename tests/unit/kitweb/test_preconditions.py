"""If-Match (attack table, row 52)."""

import pytest

from kit.errors import PreconditionFailed, PreconditionRequired
from kit.web.preconditions import ensure_version, etag, version_of

pytestmark = pytest.mark.unit


def test_a_version_comes_back_from_its_tag() -> None:
    assert version_of(etag(7)) == 7
    assert version_of(f" {etag(0)} ") == 0
    ensure_version(7, 7)


@pytest.mark.parametrize("text", [None, "*", " * "])
def test_the_version_must_be_said(text: str | None) -> None:
    with pytest.raises(PreconditionRequired):
        version_of(text)


@pytest.mark.parametrize(
    "text", ["", 'W/"7"', "7", '"07"', '"-1"', '"7", "8"', '"x"', '"７"', '"' + "9" * 30 + '"']
)
def test_weak_and_foreign_tags_match_nothing(text: str) -> None:
    with pytest.raises(PreconditionFailed):
        version_of(text)


def test_a_stale_version_is_refused_with_the_current_tag() -> None:
    with pytest.raises(PreconditionFailed) as caught:
        ensure_version(6, 7)
    assert caught.value.extras == {"current": '"7"'}
