"""A conversation to archive, and what is shown of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from contracts.base import decode
from contracts.conversation import Lifecycle
from contracts.gateway import ChatMessage, NoteWritten
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from kit.bus.ports import Message, Position, Record, TopicPartition
from kit.clock import ManualClock
from kit.ids import derived_id
from tests.integration.conversation.desk import Person, Platform, Shop, message, ok
from tests.waiting import eventually

SECRET = "canary 别告诉买家"
"""What a note says where nothing else is asked for: no buyer may ever see it."""


async def begin(platform: Platform) -> tuple[Shop, Person, Person, dict[str, Any]]:
    """Return a shop with its agent, a buyer and their conversation."""
    shop = await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()
    return shop, agent, buyer, ok(await buyer.post("/v1/conversations"), 201)


async def archived(reader: Person, conversation: Mapping[str, Any], **params: Any) -> list[Any]:
    path = f"/v1/conversations/{conversation['id']}/messages"
    page = ok(await reader.get(path, order="asc", limit=200, **params))
    items: list[Any] = page["items"]
    return items


async def texts(reader: Person, conversation: Mapping[str, Any]) -> list[str]:
    items = await archived(reader, conversation)
    return [one["d"]["d"]["text"] for one in items if one["type"] == "chat.message.v1"]


async def has_text(reader: Person, talk: Mapping[str, Any], wanted: str) -> bool:
    return wanted in await texts(reader, talk)


def spoken(platform: Platform, talk: Mapping[str, Any], **changed: Any) -> ChatMessage:
    return message(talk, "x", kind=SenderKind.BUYER, ids=platform.service.ids, **changed)


def changed(record: Message, **changed: Any) -> Message:
    headers = changed.pop("headers", dict(record.headers))
    fields = {"topic": record.topic, "key": record.key, "value": record.value} | changed
    return Message(headers=tuple(headers.items()), **fields)


async def close(agent: Person, talk: Mapping[str, Any]) -> None:
    """Close a conversation; on return its close stands in the log, and in the archive.

    It goes there by the outbox: what is said before that may still overtake it.
    """
    ok(await agent.post(f"/v1/conversations/{talk['id']}/close"))

    async def there() -> bool:
        kinds = [one["type"] for one in await archived(agent, talk)]
        return kinds[-1:] == ["conversation.closed.v1"]

    await eventually(there)


async def told(
    platform: Platform, reader: Person, talk: Mapping[str, Any], kind: type[Any]
) -> list[Any]:
    """Return a conversation's events of one type, once the log holds its newest version.

    Each change raises the version and has its event: what is not there by then never comes.
    """
    version = ok(await reader.get(f"/v1/conversations/{talk['id']}"))["version"]

    async def complete() -> list[Any]:
        found = await events(platform, "chat", talk["id"], Lifecycle)
        return found if max((one.version for one in found), default=0) >= version else []

    return [one for one in await eventually(complete) if isinstance(one, kind)]


async def events(platform: Platform, topic: str, key: str, kind: type[Any]) -> list[Any]:
    """Return what the log holds of one key, of one type."""
    found = [decode(record) for record in await records(platform, topic, key)]
    return [one for one in found if isinstance(one, kind)]


async def records(platform: Platform, topic: str, key: str) -> list[Record]:
    """Return what the log holds of one key, as it stands there."""
    bus = platform.service.bus
    reader = bus.reader([topic])
    await reader.start()
    found: list[Record] = []
    try:
        ends = await reader.end_offsets(reader.assignment())
        left: set[TopicPartition] = {tp for tp, end in ends.items() if end > 0}
        while left:
            for fetched in (await reader.getmany(200)).values():
                found += [record for record in fetched if record.key == key.encode()]
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
    finally:
        await reader.stop()
    return found


async def complete(platform: Platform, clock: ManualClock) -> None:
    """Wait until the archive is known to be complete until now."""

    async def known() -> bool:
        await platform.service.archive.completeness.look()
        through = await platform.service.archive.completeness.through()
        return through is not None and clock.now() - through < timedelta(milliseconds=1)

    await eventually(known)


async def noted(
    platform: Platform,
    talk: Mapping[str, Any],
    said: str = SECRET,
    *,
    by: str = "leader",
    **change: Any,
) -> tuple[NoteWritten, Position]:
    """Put a note into the log, as a gateway would."""
    client_id = platform.service.ids.new()
    fields: dict[str, Any] = {
        "id": derived_id("message", talk["id"], by, client_id),
        "time": platform.service.clock.now(),
        "shop_id": ShopId(talk["shop_id"]),
        "conversation_id": ConversationId(talk["id"]),
        "author_id": PersonId(by),
        "author_name": "主管",
        "client_id": client_id,
        "text": said,
        "to": None,
        "body_hash": derived_id("note", said).replace("-", ""),
    }
    event = NoteWritten(**(fields | change))
    return event, await platform.publish(event)


async def stands(reader: Person, talk: Mapping[str, Any], note_id: str) -> bool:
    """Tell whether a note is shown in a history."""
    return note_id in [one["id"] for one in await archived(reader, talk)]
