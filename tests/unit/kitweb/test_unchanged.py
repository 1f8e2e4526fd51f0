"""If-None-Match: who has this version is told so, and nobody else."""

import pytest

from kit.web.unchanged import etag_of, has

pytestmark = pytest.mark.unit

ETAG = etag_of(b"{}")


def test_the_same_bytes_have_the_same_tag_and_others_another() -> None:
    assert etag_of(b"{}") == ETAG
    assert etag_of(b"[]") != ETAG


@pytest.mark.parametrize("sent", [ETAG, f"W/{ETAG}", f'"other", {ETAG}', f"W/{ETAG},W/x", "*"])
def test_who_lists_this_version_has_it(sent: str) -> None:
    assert has(sent, ETAG)


@pytest.mark.parametrize("sent", ["", '"other"', ETAG.strip('"'), f'{ETAG[:-2]}"', "*, *x"])
def test_who_lists_others_has_it_not(sent: str) -> None:
    assert not has(sent, ETAG)
