"""Follows the archive and keeps what is looked up of it: behind its mark, never in its way.

A go that is cut off leaves nothing half done: rows and reach are one transaction, and what comes
again changes nothing. Processes share the partitions by locks that none waits for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Row

from contracts.people import ConversationId, MessageId, PersonId, ShopId
from contracts.topics import CHAT
from kit import positions
from kit.clock import Clock
from kit.postgres import Database
from services.conversation.archive import repository as archive
from services.conversation.search import repository
from services.conversation.search.domain import IndexedMessage, Reach, keys_of

ROWS: Final = 200
"""Records of a partition in one go; more wait for the next one."""

AT_ONCE: Final = 50
"""Texts that are cut between two looks at whatever else the process has to do."""

RESTS: Final = 3
"""Behind each partition it rests so many times as long as that took: of what the archive leaves it
takes a quarter, and what it does not get to is indexed later."""

BEHIND: Final = timedelta(seconds=5)
"""The archive lags by more: then it has the database to itself."""

EVER: Final = 2**63 - 1
_ALONG: Final = "the log as it is archived holds what all shops say"

Through = Callable[[], Awaitable[datetime | None]]


class Body(msgspec.Struct, gc=False):
    """What is read of what was said: a message has its text in `d`, a note beside it."""

    sender_id: str = ""
    author_id: str = ""
    kind: str = ""
    d: msgspec.Raw = msgspec.Raw(b"null")
    text: str = ""


class Content(msgspec.Struct, gc=False):
    """The content of a message."""

    text: str = ""


_body: Final = msgspec.json.Decoder(Body).decode
_content: Final = msgspec.json.Decoder(Content).decode
SPOKEN: Final = ("chat.message.v1", "chat.note.v1")
"""What has words; the rest of the log has none that anybody looks for."""


def text_of(body: str) -> tuple[str, str]:
    """Return who said something, and what; nothing for a picture and for what cannot be read."""
    try:
        read = _body(body)
        words = _content(read.d).text if read.kind == "text" else read.text
    except msgspec.MsgspecError:
        return "", ""
    return read.sender_id or read.author_id, words


@dataclass(frozen=True)
class Indexing:
    """Use case of a clock."""

    db: Database
    clock: Clock
    through: Through

    async def go(self) -> bool:
        """Go on once with every partition; True if there is more to do at once."""
        through = await self.through()
        if through is None or self.clock.now() - through > BEHIND:
            return False
        async with self.db.read_across(_ALONG) as session:
            marks = await positions.marks(session, CHAT.name)
            newest = await archive.newest_generation(session, CHAT.name)
            known = await repository.reaches(session)
        fresh = sorted(marks.keys() - known.keys())
        if fresh:
            async with self.db.write_across(_ALONG) as session:
                await repository.begin(session, CHAT.name, fresh)
        due = [
            partition
            for partition in sorted(marks.keys() | known.keys())
            if _is_due(known.get(partition), newest, marks.get(partition, 0))
        ]
        more = False
        for partition in due:
            begun = self.clock.monotonic()
            more |= await self._follow(partition, newest, marks.get(partition, 0))
            await self.clock.sleep(RESTS * (self.clock.monotonic() - begun))
        return more

    async def _follow(self, partition: int, newest: int, mark: int) -> bool:
        async with self.db.write_across(_ALONG) as session:
            reach = await repository.lock(session, partition)
            if reach is None or not _is_due(reach, newest, mark):
                return False
            end = mark if reach.generation == newest else EVER
            rows = await repository.archived(session, reach, end=end, types=SPOKEN, limit=ROWS)
            await repository.add(session, await _cut(rows))
            is_whole = len(rows) < ROWS
            reached_at = rows[-1].time if rows else reach.reached_at
            reach = replace(reach, reached_at=reached_at)
            if not is_whole:
                reach = replace(reach, next_offset=rows[-1].log_offset + 1)
            elif reach.generation == newest:
                reach = replace(reach, next_offset=mark)
            else:
                # The log of that generation is gone: what is archived of it is all there is.
                reach = replace(reach, generation=reach.generation + 1, next_offset=0)
            await repository.move(session, reach)
            return _is_due(reach, newest, mark)


def _is_due(reach: Reach | None, newest: int, mark: int) -> bool:
    return reach is None or (reach.generation, reach.next_offset) < (newest, mark)


async def _cut(rows: Iterable[Row[Any]]) -> list[IndexedMessage]:
    found: list[IndexedMessage] = []
    for number, row in enumerate(rows, 1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        if row.body is None or row.shop_id is None:
            continue
        sender, text = text_of(row.body)
        keys = keys_of(row.shop_id, text)
        if keys:
            found.append(
                IndexedMessage(
                    MessageId(str(row.message_id)),
                    ShopId(row.shop_id),
                    ConversationId(str(row.conversation_id)),
                    PersonId(sender),
                    row.time,
                    keys,
                )
            )
    return found
