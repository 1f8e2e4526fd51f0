"""A reference client of the WebSocket protocol `peakdesk.v1`, by the book and no more.

It connects with full jitter, resumes from the highest position it received, resends with the same
client id, drops what it has by message id, and keeps each stream's sends in order. It must not
know what a rehearsal measures.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, Final

import msgspec
from picows import WSCloseCode, WSError, WSMsgType, WSTransport

from contracts.frames import CloseCode
from kit.clock import SystemClock
from rehearsal import wire
from rehearsal.endings import NO_RECONNECT_FROM, ForGood, SessionEnded, StreamRefused
from rehearsal.pace import Pace
from rehearsal.streams import Answer, Frame, Stream

ANSWER_TIMEOUT_S: Final = 10.0
"""Wait for the answer to `hello` or `sub` before the connection counts as dead."""

BACKOFF_S: Final = (0.5, 30.0)
"""Bounds of the full-jitter wait between connection attempts, unless a client is told others."""

OPEN_WITHIN_S: Final = 90.0
"""Longest wait for the first connection; later ones are tried for ever."""

HEARTBEAT_S: Final = 25.0

GIVEN_UP: Final = frozenset({"closed", "unsubscribed"})
"""Ends of sends and subscriptions by the client's own leaving, before the platform had answered."""

_SUBSCRIBE_LATER: Final = frozenset({"retry", "resync", "rate_limited"})

OnFrame = Callable[["Client", Frame], None]
OnEnd = Callable[[ForGood], None]


def _ignore(client: "Client", frame: Frame) -> None:
    """Take a frame nobody asked for."""


def _accept(end: ForGood) -> None:
    """Take an end that nobody waits for."""


class Client:
    """One person's socket.

    `on_event` gets each event of a stream once, `on_repeat` each event that the client rule
    dropped, `on_state` every `patch` and every snapshot that is no conversation's. `on_end` is told
    once if the server ends it all; every send and subscription, open or new, then ends with that.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        rng: random.Random,
        on_event: OnFrame = _ignore,
        on_repeat: OnFrame = _ignore,
        on_state: OnFrame = _ignore,
        on_end: OnEnd = _accept,
        backoff_s: tuple[float, float] = BACKOFF_S,
    ) -> None:
        self._url, self._token, self._rng, self._backoff_s = url, token, rng, backoff_s
        self._on_event, self._on_repeat, self._on_state = on_event, on_repeat, on_state
        self._on_end = on_end
        self._pace = Pace(self._transmit, SystemClock())
        self._streams: dict[str, Stream] = {}
        self._requests: dict[str, asyncio.Future[Frame]] = {}
        self._ready: asyncio.Future[Frame] | None = None
        self._transport: WSTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequence = 0
        self._over: str | None = None
        self._come_back_s: float | None = None
        self.connects = 0
        self.close_codes: list[int] = []

    async def open(self) -> None:
        """Connect, say hello, and keep the connection until `close`.

        A gateway that is away is tried again as at any reconnect, for `OPEN_WITHIN_S`. Raises
        `ForGood`, `TimeoutError`.
        """
        ceiling = self._backoff_s[0]
        async with asyncio.timeout(OPEN_WITHIN_S):
            while not await self._try_to_connect():
                await asyncio.sleep(self._rng.uniform(0, ceiling))
                ceiling = min(self._backoff_s[1], ceiling * 2)
        self._spawn(self._keep())

    async def close(self) -> None:
        """Leave for good; unanswered sends are given up with the code `closed`."""
        self._give_up("closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()

    def drop(self) -> None:
        """Cut the connection as a lost network would; the client comes back by itself."""
        if self._transport is not None:
            self._transport.underlying_transport.abort()

    async def subscribe(self, name: str) -> None:
        """Follow a stream from now to `close`, across reconnects. Raises `StreamRefused`.

        A connection that is lost meanwhile is no error: the next one subscribes again.
        """
        if self._over is not None:
            raise StreamRefused(name, self._over)
        if name in self._streams:
            stream = self._streams[name]
            await stream.live.wait()
        else:
            stream = self._streams[name] = Stream(name, self._write, self._rng)
            try:
                await self._subscribe(stream)
            except (ConnectionError, TimeoutError):
                await stream.live.wait()
        if stream.refused is not None:
            raise StreamRefused(name, stream.refused)

    def unsubscribe(self, name: str) -> None:
        """Stop following a stream; its unanswered sends are given up."""
        stream = self._streams.pop(name, None)
        if stream is not None:
            stream.give_up("unsubscribed")
            stream.refused = "unsubscribed"
            stream.live.set()  # for who waits to be subscribed
            self._write({"t": "unsub", "id": self._next_id(), "s": name})

    def send(
        self, name: str, kind: str, d: dict[str, Any], *, client_id: str
    ) -> asyncio.Future[Answer]:
        """Send on a subscribed stream; the future resolves once the outcome is final.

        `retry` and lost connections are handled here: the frame goes out again with `again`.
        """
        stream = self._streams.get(name)
        if stream is None or self._over is not None:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            answered.set_result(Answer(self._over or "not_subscribed"))
            return answered
        return stream.send({"t": "send", "id": client_id, "s": name, "kind": kind, "d": d})

    def waits_for(self, name: str) -> bool:
        """Whether this client follows the stream and is cut off from it just now."""
        stream = self._streams.get(name)
        return stream is not None and not stream.subscribed

    def renew(self, token: str) -> None:
        """Go on with a fresh token of the same person, on this connection and on later ones."""
        self._token = token
        self._write({"t": "token", "token": token})

    def signal(self, kind: str, name: str) -> None:
        """Send `typing` or `read`; lossy by contract."""
        self._write({"t": kind, "s": name})

    def received(self, frame: Frame) -> None:
        """Take one frame of the server."""
        stream = self._streams.get(frame.s or "")
        match frame.t:
            case "ev" if stream is not None:
                (self._on_event if stream.event(frame) else self._on_repeat)(self, frame)
            case "snap" if stream is not None and stream.name.startswith("conv:"):
                for item in stream.snapshot(frame):
                    item.s = frame.s
                    self._on_event(self, item)
            case "snap" | "patch":
                self._on_state(self, frame)
            case "ok" | "err":
                self._answered(frame)
            case "ready" if self._ready is not None and not self._ready.done():
                self._pace.open(frame.limits or {}, frame.frames_left)
                self._ready.set_result(frame)
            case "resync" if stream is not None:
                self._resync(stream)
            case "goaway":
                self._come_back_s = (frame.reconnect_after_ms or 0) / 1_000
                self._spawn(self._leave_soon(self._come_back_s))

    def disconnected(self, code: int) -> None:
        """Take the end of a connection."""
        self.close_codes.append(code)
        self._pace.close()
        for stream in self._streams.values():
            stream.live.clear()
            if code == CloseCode.BAD_POSITION:
                stream.position = None
        final = code >= NO_RECONNECT_FROM
        error = SessionEnded(code) if final else ConnectionError(f"closed with {code}")
        for waiting in (self._ready, *self._requests.values()):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)
        if isinstance(error, ForGood):
            self._end(error)

    async def _try_to_connect(self) -> bool:
        try:
            await self._connect()
        except ForGood as end:
            self._end(end)
            raise
        except (OSError, TimeoutError, WSError):
            self.drop()
            return False
        return True

    async def _keep(self) -> None:
        """Reconnect with full jitter whenever the connection is lost."""
        ceiling = self._backoff_s[0]
        while self._over is None and self._transport is not None:
            await self._beat_until_lost(self._transport)
            while self._over is None:
                pause = self._come_back_s
                await asyncio.sleep(self._rng.uniform(0, ceiling) if pause is None else pause)
                self._come_back_s = None
                try:
                    await self._connect()
                    for stream in list(self._streams.values()):
                        await self._subscribe(stream)
                except ForGood as end:
                    self._end(end)
                except (OSError, TimeoutError, WSError):
                    self.drop()
                    ceiling = min(self._backoff_s[1], ceiling * 2)
                else:
                    ceiling = self._backoff_s[0]
                    break

    async def _beat_until_lost(self, transport: WSTransport) -> None:
        lost = asyncio.ensure_future(transport.wait_disconnected())
        while not lost.done():
            await asyncio.wait({lost}, timeout=HEARTBEAT_S * self._rng.uniform(0.8, 1.2))
            if not lost.done():
                self._write({"t": "ping"})

    async def _connect(self) -> None:
        self._ready = asyncio.get_running_loop().create_future()
        self._transport = await wire.opened(self._url, self, within_s=ANSWER_TIMEOUT_S)
        self.connects += 1
        program = {"name": "peakdesk-rehearsal", "version": "1"}
        self._transmit({"t": "hello", "v": 1, "token": self._token, "client": program})
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await self._ready

    async def _subscribe(self, stream: Stream) -> None:
        """Subscribe or resume, then put what is unanswered on the wire again, oldest first.

        One at a time: who waits to ask again must find that a new connection has asked meanwhile.
        """
        async with stream.joining:
            if stream.subscribed:
                return
            await self._join(stream)

    async def _join(self, stream: Stream) -> None:
        answer = await self._request(stream.subscribe_frame())
        while answer.code in _SUBSCRIBE_LATER:
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))
            answer = await self._request(stream.subscribe_frame())
        stream.live.set()
        if answer.code is None:
            stream.resend()
        else:
            self._streams.pop(stream.name, None)
            stream.refused = answer.code
            stream.give_up(answer.code)

    async def _request(self, frame: dict[str, Any]) -> Frame:
        """Ask and wait for the answer. Raises `ConnectionError`, `TimeoutError`."""
        asked = self._transport
        if asked is None or asked.is_disconnected:
            raise ConnectionError("not connected")
        request_id = self._next_id()
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._requests[request_id] = answer
        self._write(frame | {"id": request_id})
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await answer
        except TimeoutError:
            # A connection without answers is dead: the next one subscribes again.
            asked.underlying_transport.abort()
            raise
        finally:
            self._requests.pop(request_id, None)

    def _answered(self, frame: Frame) -> None:
        request = self._requests.get(frame.id or "")
        if request is None:
            any(stream.answer(frame) for stream in self._streams.values())
        elif not request.done():
            request.set_result(frame)

    def _resync(self, stream: Stream) -> None:
        """Fetch a snapshot; the ids already seen stay known, so nothing is shown twice."""
        stream.position = None
        if stream.subscribed:
            stream.live.clear()
            self._spawn(self._subscribe_again(stream))

    async def _subscribe_again(self, stream: Stream) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):  # the next connection will
            await self._subscribe(stream)

    async def _leave_soon(self, seconds: float) -> None:
        """Move to another gateway when this one says that it stops."""
        await asyncio.sleep(seconds)
        self._come_back_s = 0.0
        if self._transport is not None:
            self._transport.disconnect()

    def _end(self, end: ForGood) -> None:
        """The server wants no more of this person: nobody may wait for anything any longer."""
        if self._over is None:
            self._give_up(end.code)
            self._on_end(end)

    def _give_up(self, code: str) -> None:
        self._over = self._over or code
        for stream in self._streams.values():
            stream.give_up(code)
            if not stream.subscribed:
                stream.refused = code
                stream.live.set()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next_id(self) -> str:
        self._sequence += 1
        return f"r{self._sequence}"

    def _write(self, frame: dict[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._pace.put(frame)

    def _transmit(self, frame: dict[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(WSMsgType.TEXT, msgspec.json.encode(frame))
