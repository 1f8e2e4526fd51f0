"""Flags are counted against the planted turns that the platform has surely judged, no others."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from typing_extensions import override

from rehearsal.api import Api, Session
from rehearsal.audit import Audit
from rehearsal.ledger import Ledger, Outcome, Sent, Serial
from rehearsal.report import FlagCount

pytestmark = pytest.mark.unit


class Monitor(Api):
    """REST that knows one flag."""

    @override
    async def pages(
        self, path: str, *, token: str, params: dict[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        if path.endswith("/flags"):
            yield {"message_id": "m1"}


async def test_a_turn_whose_words_the_gate_never_judged_is_not_missed() -> None:
    ledger = Ledger()
    ends = [(Outcome.OK, None), (Outcome.FAIL, "no_seat"), (Outcome.INFO, "closed")]
    for number, (outcome, code) in enumerate(ends, 1):
        ledger.invoke(Sent(Serial(number), "talk", "agent", 0.0, planted="insult"))
        ledger.answer(Serial(number), outcome, at=0.1, code=code, message_id=f"m{number}")

    async with Monitor("http://127.0.0.1:9") as api:
        audit = Audit(api, Session("boss", "t", "r"), "shop", ledger=ledger)
        found = await audit.count_flags(labelled=True)

    assert found == FlagCount(expected=1, raised=1, wrong=0, unplanted=0)
