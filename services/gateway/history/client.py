"""What the conversation service knows: who may be where, what is archived, up to which mark (H11).

The only part that asks a neighbour about conversations. Must not know sockets or the log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Protocol

import httpx2
import msgspec
from msgspec import Meta, Raw, Struct

from contracts.people import PersonId, Role, ShopId
from kit.errors import NotFound, Unavailable
from kit.web.auth import ServiceTokens

TIMEOUT_S: Final = 5.0
"""Wait for one answer; then the client is told `retry`."""

CONNECTIONS: Final = 32
"""Requests under way at once; others wait, within the same timeout."""


class Mark(Struct, frozen=True, gc=False):
    """Every offset of the partition below this one is archived or dead-lettered."""

    partition: int
    offset: int
    generation: int


class Facts(Struct, frozen=True, gc=False):
    """Whose conversation it is."""

    shop_id: str
    buyer_id: str
    agent_id: str | None
    version: int
    assignment_version: int


class Attached(Struct, frozen=True):
    """One snapshot: facts, mark and archived items.

    `conversation`, `items` and `read` are shown as is; an older release says nothing of `read`.
    `continue_in` names the buyer's other conversation if this one was closed long ago (H30).
    """

    conversation: Raw
    mark: Mark
    items: list[Raw] = []
    resync: bool = False
    read: Raw = Raw()
    continue_in: str | None = None

    @property
    def facts(self) -> Facts:
        """Return what the hub needs of the conversation."""
        return _facts.decode(self.conversation)


class Stored(Struct, frozen=True, gc=False):
    """The first archived body of a message id and its position."""

    body_hash: str
    position: tuple[int, int]


class Archived(Struct, frozen=True):
    """Where a conversation stands for who owns it; everything below `mark` is in it.

    `unseen` are places of the buyer's words that are new to the owner, `seat` is the newest version
    that the log told of a seat.
    """

    id: str
    owner: str
    version: int
    head: dict[str, object] | None
    waiting_since: datetime | None
    position: tuple[int, int] | None
    first: bool
    seat: int
    read_up_to: tuple[int, int] | None
    unseen: list[tuple[int, int]]
    partition: int
    mark: tuple[int, int]


class Inbox(Struct, frozen=True):
    """What somebody has in hand: shown as is, and of staff the rows that are kept up to date.

    An older release says nothing of `rows`, nor does any of a buyer's.
    """

    conversations: list[dict[str, Raw]] = []
    rows: list[Archived] | None = None


class Rows(Struct, frozen=True):
    """Rows that were asked for."""

    rows: list[Archived]


class ItemHead(Struct, frozen=True, gc=False):
    """What the gateway reads of an archived item."""

    position: tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]]
    id: str


_facts: Final = msgspec.json.Decoder(Facts)
_attached: Final = msgspec.json.Decoder(Attached)
_rows: Final = msgspec.json.Decoder(Rows)
_stored: Final = msgspec.json.Decoder(Stored)
item_head: Final = msgspec.json.Decoder(ItemHead).decode
"""Read the head of an archived item."""


class HistoryClient(Protocol):
    """What subscribing needs to know. Each raises `NotFound` or `Unavailable`."""

    async def attach(
        self, conversation: str, principal: "Asker", *, limit: int, after: tuple[int, int] | None
    ) -> Attached:
        """Return the conversation as this person may see it."""

    async def inbox(self, principal: "Asker") -> bytes:
        """Return the person's open conversations and work as JSON."""

    async def heads(self, conversations: Sequence[str]) -> list[Archived]:
        """Return where these stand for who owns them, of those that somebody owns."""

    async def message(self, message_id: str) -> Stored | None:
        """Return what is archived under a message id."""

    async def board(self, shop: ShopId) -> bytes:
        """Return the shop's board as JSON, `null` if there is none yet."""

    async def tiles(self, shop: ShopId) -> bytes | None:
        """Return the shop's totals and all tiles; None: the monitor is one of before."""


class Asker(Protocol):
    """For whom the gateway asks."""

    @property
    def subject(self) -> PersonId: ...
    @property
    def role(self) -> Role: ...
    @property
    def shop_id(self) -> ShopId: ...


class HttpHistoryClient:
    """`HistoryClient` over the admin ports of conversation and monitor."""

    def __init__(
        self, client: httpx2.AsyncClient, tokens: ServiceTokens, *, conversation: str, monitor: str
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._conversation = conversation.rstrip("/")
        self._monitor = monitor.rstrip("/")

    async def attach(
        self, conversation: str, principal: Asker, *, limit: int, after: tuple[int, int] | None
    ) -> Attached:
        query = {**_asking(principal), "limit": str(limit)}
        if after is not None:
            query["after"] = f"{after[0]},{after[1]}"
        path = f"{self._conversation}/internal/conversations/{conversation}/attach"
        try:
            return _attached.decode(await self._get(path, query))
        except msgspec.DecodeError:
            raise Unavailable("The conversation service answered something else.") from None

    async def inbox(self, principal: Asker) -> bytes:
        path = f"{self._conversation}/internal/inbox/{principal.subject}"
        return await self._get(path, {**_asking(principal), "rows": "true"})

    async def heads(self, conversations: Sequence[str]) -> list[Archived]:
        body = msgspec.json.encode({"ids": conversations})
        try:
            found = await self._ask("POST", f"{self._conversation}/internal/heads", body=body)
            return _rows.decode(found).rows
        except msgspec.DecodeError:
            raise Unavailable("The conversation service answered something else.") from None

    async def message(self, message_id: str) -> Stored | None:
        try:
            body = await self._get(f"{self._conversation}/internal/messages/{message_id}", {})
            return _stored.decode(body)
        except NotFound:
            return None
        except msgspec.DecodeError:
            raise Unavailable("The conversation service answered something else.") from None

    async def board(self, shop: ShopId) -> bytes:
        try:
            return await self._get(f"{self._monitor}/internal/board/{shop}", {})
        except NotFound:
            return b"null"

    async def tiles(self, shop: ShopId) -> bytes | None:
        try:
            return await self._get(f"{self._monitor}/internal/board/{shop}/tiles", {})
        except NotFound:
            return None

    async def _get(self, url: str, query: dict[str, str]) -> bytes:
        return await self._ask("GET", url, query=query)

    async def _ask(
        self, method: str, url: str, *, query: dict[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        headers = {"authorization": f"Bearer {self._tokens.current()}"}
        if body:
            headers["content-type"] = "application/json"
        try:
            answer = await self._client.request(
                method, url, params=query, content=body, headers=headers, timeout=TIMEOUT_S
            )
        except httpx2.HTTPError as error:
            raise Unavailable("The conversation service does not answer.") from error
        if answer.status_code in _ABSENT:
            raise NotFound
        if answer.status_code != httpx2.codes.OK:
            raise Unavailable("The conversation service cannot answer now.")
        return answer.content


_ABSENT: Final = frozenset({403, 404, 422})
"""Absent, foreign, not permitted, or no id at all: the client learns no difference."""


def _asking(principal: Asker) -> dict[str, str]:
    return {"subject": principal.subject, "role": str(principal.role), "shop": principal.shop_id}
