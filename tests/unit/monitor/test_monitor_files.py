"""Whether a client asks for a file, by what it says that it takes."""

import pytest

from services.monitor.access.schemas import wants_file

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "accept", ["text/csv", "Text/CSV; charset=utf-8", "application/json;q=0.5, text/csv;q=0.1"]
)
def test_who_names_csv_gets_a_file(accept: str) -> None:
    assert wants_file(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/*",
        "application/json",
        "text/csv;q=0",
        "text/csv; q=0.000, */*",
        "text/csvx",
    ],
)
def test_who_does_not_or_refuses_it_gets_json(accept: str) -> None:
    assert not wants_file(accept)
