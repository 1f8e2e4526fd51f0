"""A buyer in a terminal: what is typed is said to a shop, and what the shop answers is shown.

`python -m rehearsal.buyer --url URL --shop SHOP`. A client of the public interface like any other.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any, Final

import httpx2
import stamina
import typer
from rich.console import Console

from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from rehearsal.api import Api, ApiRefused, Session
from rehearsal.client import Client
from rehearsal.endings import ForGood, StreamRefused
from rehearsal.streams import Frame

RENEW_S: Final = 600.0
"""A token lives for 15 minutes."""

LINE_LIMIT: Final = 2_000
"""Characters of a line that are sent; the rest is cut off and said so."""

_EVENTS: Final = {
    "conversation.queued.v1": "you wait for somebody who is free",
    "conversation.assigned.v1": "somebody is here for you",
    "conversation.transferred.v1": "somebody else is here for you now",
    "conversation.closed.v1": "the conversation has ended; what you write opens it again",
}
"""What a buyer is told of his conversation, by the type of its event."""


class Buyer:
    """One visitor of a shop, with a conversation of his own."""

    def __init__(self, api: Api, session: Session, conversation: str, *, console: Console) -> None:
        self._api = api
        self._session = session
        self._conversation = conversation
        self._console = console
        self._ids = Uuid7Ids(SystemClock())
        self._client = Client(
            api.socket_url,
            session.token,
            rng=random.Random(),  # noqa: S311 - spreads reconnects, no secret
            on_event=self._show,
        )

    async def talk(self) -> None:
        """Say line after line until the input ends. Raises `ForGood`, `StreamRefused`."""
        await self._client.open()
        await self._client.subscribe(self._stream)
        renewing = asyncio.create_task(self._renew())
        try:
            async for line in _lines():
                await self._say(line)
        finally:
            renewing.cancel()
            await self._client.close()

    @property
    def _stream(self) -> str:
        return f"conv:{self._conversation}"

    async def _say(self, line: str) -> None:
        if len(line) > LINE_LIMIT:
            self._note(f"only the first {LINE_LIMIT} characters were sent")
        answer = await self._client.send(
            self._stream, "text", {"text": line[:LINE_LIMIT]}, client_id=self._ids.new()
        )
        if answer.code is not None:
            self._note(f"this did not arrive: {answer.code}")

    def _show(self, _: Client, frame: Frame) -> None:
        told = frame.d if isinstance(frame.d, dict) else {}
        if frame.type == "chat.message.v1" and told.get("sender_kind") != "buyer":
            self._console.print(f"  shop> {_words(told)}", style="green", markup=False)
        elif frame.type in _EVENTS:
            self._note(_EVENTS[frame.type])

    def _note(self, sentence: str) -> None:
        self._console.print(f"  ({sentence})", style="dim", markup=False)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            self._session = await self._api.renew(self._session)
            self._client.renew(self._session.token)


def _words(told: dict[str, Any]) -> str:
    said = told.get("d")
    text = said.get("text") if isinstance(said, dict) else None
    return str(text) if text is not None else f"[{told.get('kind')}]"


async def _lines() -> AsyncIterator[str]:
    """Yield what is typed, without empty lines, until the input ends."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            yield line.strip()


async def _visit(url: str, shop: str, name: str, *, console: Console) -> None:
    async with Api(url) as api:
        session = await api.visit(shop, name)
        opened = await api.call("POST", "/v1/conversations", token=session.token, body={})
        console.print(f"You are {name}, a buyer of the shop {shop}. Type, and Enter sends.")
        await Buyer(api, session, str(opened["id"]), console=console).talk()


def be_a_buyer(
    url: Annotated[str, typer.Option(help="Where the platform answers.")],
    shop: Annotated[str, typer.Option(help="The shop's id.")],
    name: Annotated[str, typer.Option(help="What the shop's people see of you.")] = "小林",
) -> None:
    """Chat with a shop as one of its buyers; Ctrl-D ends."""
    stamina.instrumentation.set_on_retry_hooks(())
    console = Console(highlight=False)
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_visit(url, shop, name, console=console))
    except (ApiRefused, ForGood, StreamRefused) as error:
        console.print(f"The platform refused: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    except (httpx2.TransportError, OSError) as error:
        reason = type(error).__name__
        console.print(f"Nobody answers at {url} ({reason}): is the platform up?", style="red")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command()(be_a_buyer)
    app(prog_name=os.environ.get("PEAKDESK_COMMAND", "python -m rehearsal.buyer"))
