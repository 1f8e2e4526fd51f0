"""Ways in which a platform turns somebody away for good; whatever else happens is tried again."""

from http import HTTPStatus
from typing import Final

from contracts.frames import CloseCode

NO_RECONNECT_FROM: Final = 4500
"""Close codes from here on mean: do not come back with this token."""

_WORTH_ANOTHER_TRY: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


class Broken(Exception):
    """A rehearsal cannot go on; says in which phase, who was concerned, and why."""


class ForGood(ConnectionError):
    """The server will not have this person back; `code` ends whatever was still open."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class SessionEnded(ForGood):
    """The server closed with a code of 4500 or above."""

    def __init__(self, code: int) -> None:
        known = next((f" ({c.name.lower()})" for c in CloseCode if c == code), "")
        super().__init__(f"the server ended the session with close code {code}{known}", str(code))


class UpgradeRefused(ForGood):
    """The server does not open a socket here, and would not a moment later."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server refused the upgrade with status {status}", f"http_{status}")


class StreamRefused(Exception):
    """The server does not let this person follow the stream; `code` is the problem's code."""

    def __init__(self, stream: str, code: str | None) -> None:
        super().__init__(f"{stream}: {code}")
        self.code = code


def is_for_good(status: int) -> bool:
    """Whether an upgrade that was answered so need not be tried again."""
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _WORTH_ANOTHER_TRY
