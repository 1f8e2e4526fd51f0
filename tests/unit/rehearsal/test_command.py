"""The command `python -m rehearsal`: what it prints beside its report."""

from collections.abc import Iterator

import pytest
from stamina import instrumentation
from typer.testing import CliRunner

from rehearsal.__main__ import app

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    instrumentation.set_on_retry_hooks(None)


def test_a_call_that_is_repeated_writes_nothing_into_the_live_view() -> None:
    done = CliRunner().invoke(app, ["--url", "http://a", "--password", "b", "--check"])

    assert done.exit_code == 0
    assert instrumentation.get_on_retry_hooks() == ()
