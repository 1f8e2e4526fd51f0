"""Somebody simulated, behind a session and a socket of his own. Must not know what is played."""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from rehearsal.api import Api, Session
from rehearsal.client import Client
from rehearsal.dialogues import Turn
from rehearsal.endings import ForGood
from rehearsal.streams import Answer, Frame

BACKOFF_S: Final = (0.5, 30.0)

OnFrame = Callable[["Somebody", Frame], None]


class Somebody:
    """A simulated person. `gone` once the platform turned him away for good."""

    def __init__(self, api: Api, session: Session, *, rng: random.Random, heard: OnFrame) -> None:
        self._api = api
        self._ids = Uuid7Ids(SystemClock())
        self.session = session
        self.gone = False
        self._client = Client(
            api.socket_url,
            session.token,
            rng=rng,
            on_event=lambda _, frame: heard(self, frame),
            on_state=lambda _, frame: heard(self, frame),
            on_end=self._end,
            backoff_s=BACKOFF_S,
        )

    @property
    def id(self) -> str:
        """The person's id."""
        return self.session.person_id

    async def sit_down(self, *streams: str) -> None:
        """Connect, and follow streams. Raises `ForGood`, `StreamRefused`, `TimeoutError`."""
        await self._client.open()
        for stream in streams:
            await self._client.subscribe(stream)

    async def say(self, conversation: str, turn: Turn) -> Answer:
        """Say something in a conversation; returns once it is known what became of it.

        Raises `StreamRefused` if it may not be followed.
        """
        stream = f"conv:{conversation}"
        await self._client.subscribe(stream)
        return await self._client.send(
            stream, "text", {"text": turn.text}, client_id=self._ids.new()
        )

    def turn_away(self, conversation: str) -> None:
        """Take a conversation off the screen."""
        self._client.unsubscribe(f"conv:{conversation}")

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the REST API as this person. Raises `ApiRefused`."""
        return await self._api.call(method, path, token=self.session.token, body=body)

    async def decide(self, path: str, body: dict[str, Any], *, version: int) -> Any:
        """Command something on the version that was read. Raises `ApiRefused`."""
        headers = {"Authorization": f"Bearer {self.session.token}", "If-Match": f'"{version}"'}
        return await self._api.post(path, json.dumps(body).encode(), headers)

    async def renew(self) -> None:
        """Trade the session for a fresh one, well before it ends."""
        self.session = await self._api.renew(self.session)
        self._client.renew(self.session.token)

    async def leave(self) -> None:
        """Close the socket."""
        await self._client.close()

    async def sign_out(self) -> None:
        """Close the socket and end the session. Raises `ApiRefused`."""
        await self.leave()
        await self._api.end(self.session)

    def _end(self, _: ForGood) -> None:
        self.gone = True
