"""Stand-ins of chat robots and of a shop's own server: each speaks its wire as its manual says.

They check signatures, count as the real ones do, close their ears to who says too much, and answer
200 with a code in the body. A test may put words into their mouths first.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from standardwebhooks import Webhook, WebhookVerificationError
from typing_extensions import override

HANGS: Final[tuple[int, dict[str, Any]]] = (0, {})
"""An answer that never comes."""

WECOM_BYTES: Final = 4_096
_HOUR_S: Final = 3_600


@dataclass
class Robot(ABC):
    """What is common: it keeps what it took, and counts."""

    secret: str = ""
    minute: int = 20
    path: str = "/hook"
    answers: deque[tuple[int, dict[str, Any]]] = field(default_factory=deque)
    """What it says next, whatever it is sent."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    port: int = 0
    _times: deque[float] = field(default_factory=deque)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def texts(self) -> list[str]:
        """All that it took, as text."""
        return [json.dumps(one, ensure_ascii=False) for one in self.taken]

    @abstractmethod
    def answer(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Return status and body."""

    def is_over(self, most: int, *, seconds: float = 60.0) -> bool:
        """Count one more; tell whether it is more than so many in so long."""
        now = time.monotonic()
        self._times.append(now)
        while self._times and self._times[0] < now - 60:
            self._times.popleft()
        return sum(1 for at in self._times if at > now - seconds) > most


class DingTalk(Robot):
    """timestamp and sign in the address; 20 a minute, then closed."""

    @override
    def answer(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        if self.secret and not self._signed(asked):
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        if self.is_over(self.minute):
            return 200, {"errcode": 130101, "errmsg": "send too fast"}
        told = json.loads(body)
        if told.get("msgtype") != "markdown" or not {"title", "text"} <= set(told["markdown"]):
            return 200, {"errcode": 400001, "errmsg": "bad message"}
        self.taken.append(told)
        return 200, {"errcode": 0, "errmsg": "ok"}

    def _signed(self, asked: dict[str, str]) -> bool:
        at = asked.get("timestamp", "0")
        right = hmac.new(self.secret.encode(), f"{at}\n{self.secret}".encode(), hashlib.sha256)
        is_right = base64.b64encode(right.digest()).decode() == asked.get("sign")
        return is_right and abs(time.time() - int(at) / 1000) < _HOUR_S


class Feishu(Robot):
    """timestamp and sign in the body; 100 a minute, 5 a second."""

    @override
    def answer(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        told = json.loads(body)
        if self.secret and not self._signed(told):
            return 400, {
                "code": 19021,
                "msg": "sign match fail",
            }
        if self.is_over(100) or self.is_over(5, seconds=1.0):
            return 400, {"code": 11232, "msg": "frequency limited"}
        if told.get("msg_type") != "interactive" or "elements" not in told.get("card", {}):
            return 400, {"code": 19002, "msg": "params error"}
        self.taken.append(told)
        return 200, {"code": 0, "msg": "success", "data": {}}

    def _signed(self, told: dict[str, Any]) -> bool:
        at = told.get("timestamp", "0")
        right = hmac.new(f"{at}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
        is_right = base64.b64encode(right).decode() == told.get("sign")
        return is_right and abs(time.time() - int(at)) < _HOUR_S


class WeCom(Robot):
    """The key stands in the address; 4,096 bytes, 20 a minute."""

    @override
    def answer(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if parse_qs(urlsplit(target).query).get("key") != ["k1"]:
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url"}
        if self.is_over(self.minute):
            return 200, {"errcode": 45009, "errmsg": "api freq out of limit"}
        told = json.loads(body)
        if told.get("msgtype") != "markdown":
            return 200, {"errcode": 40008, "errmsg": "invalid message type"}
        if len(told["markdown"]["content"].encode()) > WECOM_BYTES:
            return 200, {"errcode": 40058, "errmsg": "content exceed max length"}
        self.taken.append(told)
        return 200, {"errcode": 0, "errmsg": "ok"}


class ShopServer(Robot):
    """Verifies by the library that its shop would use."""

    @override
    def answer(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        try:
            told = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return 401, {}
        self.taken.append({**told, "id": headers["webhook-id"]})
        return 204, None


@asynccontextmanager
async def listening(robot: Robot) -> AsyncIterator[Robot]:
    """Let it listen on a free port of this machine."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(robot, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    robot.port = server.sockets[0].getsockname()[1]
    try:
        yield robot
    finally:
        server.close()


async def _serve(robot: Robot, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines if ": " in line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    robot.asked += 1
    if robot.answers:
        status, told = robot.answers.popleft()
    else:
        status, told = robot.answer(first.split(" ")[1], headers, body)
    if not status:
        await reader.read()
        return
    shown = b"" if told is None else json.dumps(told).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(shown)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + shown)
    await writer.drain()
