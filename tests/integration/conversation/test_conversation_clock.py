"""Since when a buyer waits: his first unanswered word, as the archive has it (H37)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.conversation.conversations import clock
from tests.integration.conversation.desk import Platform

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)

_INSERT = text(
    """
    insert into messages (message_id, conversation_id, generation, partition, log_offset, type,
        time, sender_kind, body, late)
    values (:id, :conversation, :generation, 0, :log_offset, :type, :time, :sender, :body, :late)
    """
)


@dataclass(frozen=True)
class Said:
    """A record of the log, `at` seconds after noon."""

    at: int
    sender: str | None = "buyer"
    seat: int | None = None
    late: bool = False
    type: str = "chat.message.v1"
    version: int = 0
    generation: int = 1
    sweep: str | None = None


def told(what: str, at: int, version: int, *, sweep: str | None = None) -> Said:
    """Return a lifecycle event."""
    return Said(at, None, type=f"conversation.{what}.v1", version=version, sweep=sweep)


CASES: dict[str, tuple[Sequence[Said], int | None]] = {
    "nothing was said": ((told("opened", 0, 1),), None),
    "his first word, not his last": ((Said(1), Said(5), Said(9)), 1),
    "answered": ((Said(1), Said(3, "agent")), None),
    "he asks again": ((Said(1), Said(3, "agent"), Said(7), Said(8)), 7),
    "machines answer nothing": ((Said(1), Said(2, "auto"), Said(3, "assist_bot")), 1),
    "an answer from a seat that was lost": (
        (told("assigned", 0, 2), Said(1), told("queued", 5, 3), Said(6, "agent", seat=2)),
        1,
    ),
    "an answer that crossed a transfer": (
        (told("assigned", 0, 2), Said(1), told("transferred", 5, 3), Said(6, "agent", seat=2)),
        1,
    ),
    "an answer that came before the log told of its seat": (
        (Said(1), Said(6, "agent", seat=2), told("assigned", 7, 2)),
        None,
    ),
    "the close ends his wait": ((Said(1), told("closed", 2, 3)), None),
    "given up": ((Said(1), told("closed", 2, 3, sweep="abandoned")), None),
    "a sweep closed as idle before his word was archived": (
        (Said(0), Said(1, "agent"), Said(5), told("closed", 6, 3, sweep="idle"), Said(9)),
        5,
    ),
    "he comes back": ((Said(1), told("closed", 2, 3), Said(50), told("reopened", 51, 4)), 50),
    "a goodbye behind the close answers nothing": (
        (Said(1), told("closed", 2, 3), Said(4), Said(5, "agent", late=True)),
        4,
    ),
    "his late word counts elsewhere": ((Said(1, late=True),), None),
    "what he wrote elsewhere counts here": ((Said(30, type="conversation.contacted.v1"),), 29),
    "a log that was made anew goes on": ((Said(9), Said(1, generation=2)), 9),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_buyer_waits_since_his_first_unanswered_word(
    platform: Platform, case: str
) -> None:
    said, since = CASES[case]
    talk, other = platform.service.ids.new(), platform.service.ids.new()
    async with platform.service.db.write_across("a test") as session:
        await _archive(platform, session, talk, said)
        await _archive(platform, session, other, [Said(0)])

        found = await clock.waiting_since(session, [talk, other])

    assert found.pop(other) == NOON
    assert found == ({} if since is None else {talk: NOON + timedelta(seconds=since)})


async def _archive(
    platform: Platform, session: AsyncSession, talk: str, said: Sequence[Said]
) -> None:
    for offset, one in zip(count(), said, strict=False):
        received = (NOON + timedelta(seconds=one.at - 1)).isoformat()
        body = {
            "assignment_version": one.seat,
            "version": one.version,
            "received_at": received,
            "sweep": one.sweep,
        }
        row = {
            "id": platform.service.ids.new(),
            "conversation": talk,
            "generation": one.generation,
            "log_offset": offset,
            "type": one.type,
            "time": NOON + timedelta(seconds=one.at),
            "sender": one.sender,
            "body": msgspec.json.encode(body).decode(),
            "late": one.late,
        }
        await session.execute(_INSERT, row)
