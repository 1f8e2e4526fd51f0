"""Keyed commands (IETF draft -08): what a key names, and what is said of one that was seen before.

Pure: the gateway reads keys too. Where answers are kept is in `kit.keyed`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel
from typing_extensions import override

from kit.errors import Conflict, Unprocessable

View = TypeVar("View", bound=BaseModel)


class KeyReused(Unprocessable):
    """The key was used for another request."""

    slug, title = "idempotency_key_reused", "This Idempotency-Key belongs to another request"


class InFlight(Conflict):
    """The same command is being carried out at this moment."""

    slug, title = "idempotency_in_flight", "The same request is still being carried out"

    @property
    @override
    def retry_after(self) -> int:
        return 1


class Replayed(Exception):
    """The command was carried out before: its answer is this one, and nothing else is done.

    No failure: `kit.web` answers with it.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__("answered before")
        self.status, self.headers, self.body = status, headers, body

    def completed(self, view: type[View], complete: Callable[[View], View]) -> "Replayed":
        """Return it with what was left out of the stored answer put back, as a secret must be."""
        whole = complete(view.model_validate_json(self.body))
        return Replayed(self.status, self.headers, whole.model_dump_json(by_alias=True).encode())


def _no_headers(_: BaseModel) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class CommandKey:
    """Names one command of one caller, and how its success is answered.

    `route` is its template with the method, `body_hash` of where and what was sent. `status` and
    `headers` are those of the first answer, so that a replay is answered alike.
    """

    shop_id: str
    subject: str
    route: str
    key: str
    body_hash: bytes
    status: int = 200
    headers: Callable[[BaseModel], Mapping[str, str]] = _no_headers

    @property
    def lock(self) -> int:
        """The advisory lock of the command, as a signed 64-bit number."""
        named = json.dumps(["idempotency", self.owner, self.route, self.key])
        return int.from_bytes(hashlib.blake2b(named.encode(), digest_size=8).digest(), signed=True)

    @property
    def owner(self) -> str:
        """Whose key it is: two people may choose the same one."""
        return f"{self.shop_id}:{self.subject}"
