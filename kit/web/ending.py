"""How a connection ends on our side: a refusal as the last answer, and a while in which it is read.

Knows the transport; must not know requests, or whether answers are due before.
"""

import asyncio
from http import HTTPStatus
from typing import Final

import structlog
from uvicorn.protocols.http.flow_control import FlowControl

from kit.web.bare import bare_problem

LINGER_S: Final = 1.0
"""Seconds in which a client that is refused while it sends may finish and read why."""

log: Final = structlog.get_logger("kit.web")


class Ending:
    """The end of one connection. `refused` is set as soon as its last answer is known."""

    __slots__ = ("_flow", "_linger", "_loop", "_parting", "_refusal", "_transport")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        flow: FlowControl,
        *,
        linger: bool,
    ) -> None:
        """Where we do not `linger`, a refused client may miss why."""
        self._loop = loop
        self._transport = transport
        self._flow = flow
        self._linger = linger
        self._refusal: bytes | None = None
        self._parting = False

    @property
    def refused(self) -> bool:
        """Tell whether the last answer is a refusal, given or to be given."""
        return self._refusal is not None

    @property
    def over(self) -> bool:
        """Tell whether nothing can be answered any more."""
        return self._parting or self._transport.is_closing()

    @property
    def begun(self) -> bool:
        """Tell whether nothing that comes is listened to any more."""
        return self.refused or self.over

    def refuse(self, status: HTTPStatus, slug: str) -> None:
        """Keep a refusal that no application sees, until `say`."""
        log.info("http.refused", status=status.value, code=slug)
        self._refusal = bare_problem(status, slug)

    def say(self) -> None:
        """Give the refusal as the last answer."""
        assert self._refusal is not None
        self._transport.write(self._refusal)
        self.part()

    def part(self) -> None:
        """Say no more, and drop what still comes for a while before closing (RFC 9112, 9.6).

        A connection closed with unread bytes is reset, and the reset overtakes the answer.
        """
        if not self._linger:
            self._transport.close()
        elif not self.over:
            self._parting = True
            self._transport.write_eof()
            self._flow.resume_reading()
            self._loop.call_later(LINGER_S, self._transport.close)
