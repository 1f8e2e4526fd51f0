"""A raw socket client for tests: sends what it is told, remembers what it gets, follows no rule."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from typing_extensions import override

from tests.waiting import PATIENCE_S, eventually

Frame = dict[str, Any]


class Phone(WSListener):
    """One socket. `frames` holds everything received, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.raw: list[bytes] = []
        self.closed: int | None = None
        self._transport: WSTransport | None = None
        self._next = 0

    @classmethod
    async def dial(
        cls,
        url: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> "Phone":
        """Connect to the gateway at this HTTP address; `more` is for the connection itself."""
        shown = {"Sec-WebSocket-Protocol": "peakdesk.v1", **(headers or {})}
        if token is not None:
            shown["Authorization"] = f"Bearer {token}"
        phone = cls()
        await ws_connect(
            lambda: phone,
            url.replace("http", "ws", 1) + "/v1/ws",
            extra_headers=shown,
            use_aiofastnet=False,
            **more,
        )
        return phone

    @property
    def transport(self) -> WSTransport:
        """The connection."""
        assert self._transport is not None
        return self._transport

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            payload = frame.get_payload_as_bytes()
            self.raw.append(payload)
            self.frames.append(msgspec.json.decode(payload))
        elif frame.msg_type == WSMsgType.CLOSE:
            code: object = frame.get_close_code()  # our own codes come as plain numbers
            self.closed = code.value if isinstance(code, WSCloseCode) else int(str(code))
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.closed is None:
            self.closed = WSCloseCode.ABNORMAL_CLOSURE.value

    # ---- to the gateway

    def say(self, **frame: Any) -> None:
        """Send a frame."""
        self.transport.send(WSMsgType.TEXT, msgspec.json.encode(frame))

    def text(self, payload: str | bytes) -> None:
        """Send anything as a text message."""
        data = payload.encode() if isinstance(payload, str) else payload
        self.transport.send(WSMsgType.TEXT, data)

    def message(self, s: str, text: str, *, id: str, **more: Any) -> None:  # noqa: A002 - the protocol's word
        """Send a chat message."""
        self.say(t="send", id=id, s=s, kind="text", d={"text": text}, **more)

    def hang_up(self) -> None:
        """Cut the line without a goodbye."""
        self.transport.underlying_transport.abort()

    async def close(self) -> None:
        """Say goodbye."""
        if not self.transport.is_disconnected:
            self.transport.send_close(WSCloseCode.OK)
            self.transport.disconnect()
            await self.transport.wait_disconnected()

    # ---- from the gateway

    async def get(self, wanted: Callable[[Frame], bool], within: float = PATIENCE_S) -> Frame:
        """Return the first frame of all so far that fits, waiting for it."""

        def found() -> Frame | None:
            return next((frame for frame in self.frames if wanted(frame)), None)

        return await eventually(found, within=within, what=f"a frame in {self.frames[-5:]}") or {}

    async def of(self, t: str, within: float = PATIENCE_S, **fields: Any) -> Frame:
        """Return the first frame of a type with these members."""

        def fits(frame: Frame) -> bool:
            return frame["t"] == t and all(frame.get(k) == v for k, v in fields.items())

        return await self.get(fits, within)

    async def answer(self, frame_id: str | None, within: float = PATIENCE_S) -> Frame:
        """Return the `ok` or `err` of an id."""

        def fits(frame: Frame) -> bool:
            return frame["t"] in {"ok", "err"} and frame["id"] == frame_id

        return await self.get(fits, within)

    async def code(self, frame_id: str | None, within: float = PATIENCE_S) -> str | None:
        """Return the problem's code of an answer; None for `ok`."""
        problem = (await self.answer(frame_id, within)).get("problem")
        return None if problem is None else str(problem["code"])

    async def code_at_once(self, frame_id: str) -> str | None:
        """Return the code of an answer that waits for nothing: it is there before the next one."""
        self.say(t="ping", ts=frame_id)
        await self.of("pong", ts=frame_id)
        return await self.code(frame_id, within=0)

    async def close_code(self, within: float = PATIENCE_S) -> int:
        """Return the code with which the socket was closed."""
        await eventually(lambda: self.closed is not None, within=within, what="the close")
        assert self.closed is not None
        return self.closed

    def texts(self, s: str) -> list[str]:
        """Return the texts of all messages seen on a stream, snapshots included, in order."""
        seen: list[Frame] = []
        for frame in self.frames:
            if frame["t"] == "snap" and frame["s"] == s:
                seen += frame["d"]["items"]
            elif frame["t"] == "ev" and frame["s"] == s:
                seen.append(frame)
        return [item["d"]["d"]["text"] for item in seen if item["type"] == "chat.message.v1"]

    def forget(self) -> None:
        """Forget what was received."""
        self.frames.clear()
        self.raw.clear()


async def settle(turns: int = 20) -> None:
    """Give what is ready its turn."""
    for _ in range(turns):
        await asyncio.sleep(0)
