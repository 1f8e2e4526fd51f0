"""Changed files are taken over and told of; files that cannot be used are told of once."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from kit.reloading import Reloading

pytestmark = pytest.mark.unit


class Refused(Exception):
    """The files cannot be used."""


class Files:
    """Answers what it is told to, one look after the other."""

    version = "v2"

    def __init__(self, answers: Sequence[bool | Exception]) -> None:
        self._answers = list(answers)

    def reload_if_changed(self) -> bool:
        """Answer or raise the next."""
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_change_is_told_of_and_nothing_else() -> None:
    reloading = Reloading("lexicon", Files([False, True, False]), refused=Refused)

    with capture_logs() as told:
        for _ in range(3):
            await reloading()

    assert told == [
        {"event": "reloading.done", "what": "lexicon", "version": "v2", "log_level": "info"}
    ]


async def test_what_cannot_be_used_is_told_of_and_stops_nobody() -> None:
    reloading = Reloading("lexicon", Files([Refused("line 3"), True]), refused=Refused)

    with capture_logs() as told:
        await reloading()
        await reloading()

    assert [(line["event"], line.get("reason")) for line in told] == [
        ("reloading.refused", "line 3"),
        ("reloading.done", None),
    ]


async def test_a_bug_is_not_taken_for_unusable_files() -> None:
    with pytest.raises(ZeroDivisionError):
        await Reloading("lexicon", Files([ZeroDivisionError()]), refused=Refused)()
