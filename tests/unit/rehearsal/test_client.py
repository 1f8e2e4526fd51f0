"""The reference client against a gateway that breaks at the worst moment, over a real socket."""

import asyncio
import random
from typing import Any

import msgspec
import pytest
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from typing_extensions import override

from rehearsal.client import Client
from rehearsal.streams import Frame
from tests.waiting import eventually

pytestmark = pytest.mark.unit

STREAM = "conv:1"
LIMITS = {"frames_per_s": 1_000, "burst": 1_000}


class Gateway:
    """Refuses the first `sub` for now and cuts; from then on one `sub` a connection is right."""

    def __init__(self) -> None:
        self.connections: list[Door] = []

    def door(self, _: WSUpgradeRequest) -> WSListener:
        door = Door(first=not self.connections)
        self.connections.append(door)
        return door


class Door(WSListener):
    """One connection of the gateway."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self._first = first
        self.subs = 0

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            transport.disconnect()
            return
        asked = msgspec.json.decode(frame.get_payload_as_bytes())
        if asked["t"] == "hello":
            self._say(transport, {"t": "ready", "limits": LIMITS})
        elif asked["t"] == "sub":
            self.subs += 1
            self._subscribed(transport, asked["id"])

    def _subscribed(self, transport: WSTransport, frame_id: str) -> None:
        if self._first:
            self._say(transport, {"t": "err", "id": frame_id, "problem": {"code": "retry"}})
            transport.disconnect()
        elif self.subs > 1:
            problem = {"code": "already_subscribed"}
            self._say(transport, {"t": "err", "id": frame_id, "problem": problem})
        else:
            self._say(transport, {"t": "ok", "id": frame_id, "d": {}})
            item = {"id": "m1", "position": [1, 5], "type": "chat.message.v1", "d": {}}
            snap = {"conversation": {}, "items": [item]}
            self._say(transport, {"t": "snap", "s": STREAM, "position": [1, 5], "d": snap})

    def _say(self, transport: WSTransport, frame: dict[str, Any]) -> None:
        transport.send(WSMsgType.TEXT, msgspec.json.encode(frame))


@pytest.mark.parametrize("seed", range(4))
async def test_who_was_told_to_subscribe_later_asks_a_new_connection_once(seed: int) -> None:
    gateway, shown = Gateway(), list[Frame]()
    server = await ws_create_server(gateway.door, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Client(
        f"ws://127.0.0.1:{port}/v1/ws",
        "token",
        rng=random.Random(seed),
        on_event=lambda _, frame: shown.append(frame),
        backoff_s=(0.01, 0.02),
    )
    try:
        await client.open()
        await client.subscribe(STREAM)
        await eventually(lambda: len(gateway.connections) > 1 and shown)
        client.drop()
        await eventually(lambda: len(gateway.connections) > 2 and gateway.connections[2].subs)
        await client.subscribe(STREAM)
    finally:
        await client.close()
        server.close()

    assert [door.subs for door in gateway.connections] == [1, 1, 1]
    assert [frame.id for frame in shown] == ["m1"]


async def test_a_line_that_is_lost_before_the_upgrade_is_answered_is_tried_again_at_once() -> None:
    tries = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Client(
        f"ws://127.0.0.1:{port}/v1/ws", "token", rng=random.Random(1), backoff_s=(0.01, 0.02)
    )
    opening = asyncio.create_task(client.open())
    try:
        await eventually(lambda: tries >= 3)
    finally:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await client.close()
        server.close()
