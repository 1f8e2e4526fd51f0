"""Since when a buyer waits: his first unanswered word, as the archive has it (H37)."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.clock import Clock
from services.conversation.conversations import clock
from tests.integration.conversation.desk import Platform
from tests.suites.clock import CASES, NOON, event, expected, moment, places

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

_INSERT = text(
    """
    insert into messages (message_id, conversation_id, generation, partition, log_offset, type,
        time, sender_kind, body, late)
    values (:id, :conversation, :generation, 0, :log_offset, :type, :time, :sender, :body, :late)
    """
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_the_archive_answers_as_the_clock_would_stand(
    platform: Platform, case: dict[str, Any]
) -> None:
    talk, other = platform.service.ids.new(), platform.service.ids.new()
    async with platform.service.db.write_across("a test") as session:
        await _archive(platform, session, talk, case)
        await _archive(platform, session, other, {"log": [{"said": "buyer", "at": 0}]})

        clocks = await clock.clocks(session, [talk, other])
        waits = await clock.waiting_since(session, [talk, other])

    assert clocks == {talk: expected(case), other: Clock(NOON, (1, 0))}
    since = expected(case).waiting_since
    assert waits == {other: NOON} | ({} if since is None else {talk: since})


async def _archive(
    platform: Platform, session: AsyncSession, talk: str, case: Mapping[str, Any]
) -> None:
    for one, (generation, offset) in places(case):
        row = {
            "id": platform.service.ids.new(),
            "conversation": talk,
            "generation": generation,
            "log_offset": offset,
            "time": moment(one["at"]),
            "late": one.get("late", False),
        }
        await session.execute(_INSERT, row | _record(one))


def _record(one: Mapping[str, Any]) -> dict[str, Any]:
    if "said" in one:
        body = msgspec.json.encode({"assignment_version": one.get("seat")})
        return {"type": "chat.message.v1", "sender": one["said"], "body": body.decode()}
    told = event(one)
    sender = "buyer" if one["told"] == "contacted" else None
    return {"type": told.type, "sender": sender, "body": told.body().decode()}
