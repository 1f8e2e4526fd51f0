"""The frames of the WebSocket protocol `peakdesk.v1`, as both sides may rely on them.

These models are the documentation and the referee; the gateway's hot path has its own, faster types
and a test that ties the two. Nothing here knows a socket.
"""

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.base import Moment
from contracts.gateway import REASON_CHARS
from contracts.people import Role, ShopId

SUBPROTOCOL: Final = "peakdesk.v1"
FRAME_BYTES: Final = 64 * 1024
"""A frame over this size closes the socket with 1009."""

TEXT_CHARS: Final = 2_000
"""Characters (code points) of a text, of an image's `alt`, of all words of a card together; more
are refused with `bad_frame`, never cut. The wording gate's work grows with them."""

CHARS_PER_FRAME: Final = 500
"""A frame with more characters of words counts as several against the rate: a text of 2,000 as
four."""

BYTES_PER_FRAME: Final = 4_096
"""A frame of more bytes counts as several against the rate: one of 64 KiB as sixteen. Reading it
takes up to 5 ms, a short one a few microseconds (measured)."""

CARD_DEPTH: Final = 32
"""Objects and lists inside one another in a card; deeper ones are refused with `bad_frame`. Readers
of the log cannot read beyond 200."""

REPLAY_LIMIT: Final = 500
"""Messages replayed at a subscription at most; a longer gap is answered `resync`."""

GENERATIONS: Final = 32_768
OFFSETS: Final = 10**18
"""Bounds of a position; what lies beyond them was never given out."""

Position = tuple[
    Annotated[int, Field(ge=0, lt=GENERATIONS)], Annotated[int, Field(ge=0, lt=OFFSETS)]
]
"""`[generation, offset]`, compared in that order."""

StreamName = Annotated[
    str, Field(pattern=r"^(inbox|(conv|monitor|board|current):[A-Za-z0-9_-]{1,64})$")
]


class CloseCode(IntEnum):
    """Why a socket is closed. 4000-4499: reconnect and resume; 4500-4999: do not."""

    NOT_TEXT = 1003
    NOT_UTF8 = 1007
    TOO_BIG = 1009
    DRAINING = 4000
    SLOW_READER = 4001
    HEARTBEAT_LOST = 4002
    RATE = 4003
    BAD_POSITION = 4004
    TOKEN_EXPIRED = 4005
    BAD_TOKEN = 4500
    PROTOCOL = 4501
    VERSION = 4502
    REVOKED = 4503
    REPLACED = 4505
    TOO_MANY = 4506


class Frame(BaseModel):
    """What every frame shares. A client's frame with an unknown field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# ---- client to server


class Client(Frame):
    """Which program connects.

    `instance` names one running client: its newer socket replaces its older one (4505).
    """

    name: str = Field(max_length=64)
    version: str = Field(max_length=32)
    instance: str | None = Field(default=None, max_length=64)


class Resume(Frame):
    """Where the client stands in one stream; `position` as last received in `ev` or `snap`."""

    s: StreamName
    position: Any = None


class Hello(Frame):
    """The first frame, within five seconds. `token` unless the upgrade carried a Bearer header."""

    t: Literal["hello"] = "hello"
    v: int
    token: str | None = None
    client: Client | None = None
    resume: tuple[Resume, ...] = Field(default=(), max_length=64)


class Sub(Frame):
    """Subscribe. With `position` the gap is replayed as `ev`, without it a `snap` comes first.

    A position that is malformed or of another generation is answered `resync`, one from the future
    closes the socket with 4004.
    """

    t: Literal["sub"] = "sub"
    id: str = Field(max_length=64)
    s: StreamName
    position: Any = None


class Unsub(Frame):
    """Unsubscribe."""

    t: Literal["unsub"] = "unsub"
    id: str = Field(max_length=64)
    s: StreamName


class Send(Frame):
    """Say something. `id` is the idempotency key, `again` marks a resend of the same id.

    A UUIDv7 in lower case serves best as an id: what is said at one time then lies together in the
    archive. `d` is `{"text": ...}` for text, `{"url", "alt"?}` for an image, any JSON object for a
    card; one of a kind that `contracts.cards` names is as its schema says, and of these staff send
    what may be pressed, buyers what they pressed. Its words, in a card every key and every string
    with a break between two, are `TEXT_CHARS` at most. `confirm` is the signature that an answer
    with the code `confirm` carried, `reason` why the words are meant; it is kept beside them, and
    no buyer sees it.
    A `note`, `{"text", "to"?}`, is for staff alone, of whom everybody who may see the conversation
    may write one, owner or not, closed or not; `to` is the colleague whom it is meant for. A
    buyer's is refused as `forbidden`.
    """

    t: Literal["send"] = "send"
    id: str = Field(pattern=r"^[0-9A-Za-z-]{8,64}$")
    s: StreamName
    kind: Literal["text", "image", "card", "note"]
    d: dict[str, Any]
    again: bool = False
    confirm: str | None = Field(default=None, max_length=128)
    reason: str | None = Field(default=None, min_length=1, max_length=REASON_CHARS)


class Read(Frame):
    """The reader has seen everything up to `position`, or whatever he was sent. Lossy, unanswered.

    Beyond what this socket was sent nothing counts as seen.
    """

    t: Literal["read"] = "read"
    s: StreamName
    position: Position | None = None


class Typing(Frame):
    """Somebody is typing. Lossy, unanswered."""

    t: Literal["typing"] = "typing"
    s: StreamName


class Viewing(Frame):
    """One of staff looks at it: said every 20 s, over after 30. Lossy, unanswered."""

    t: Literal["viewing"] = "viewing"
    s: StreamName
    on: bool


class Ping(Frame):
    """Heartbeat, every 25 s ± 20 %; answered by `pong` with the same `ts`."""

    t: Literal["ping"] = "ping"
    ts: int | float | str | None = None


class Token(Frame):
    """A fresh token of the same subject; answered by `ok` with `{"expires_at"}`."""

    t: Literal["token"] = "token"
    token: str
    id: str | None = Field(default=None, max_length=64)


ClientFrame = Annotated[
    Hello | Sub | Unsub | Send | Read | Typing | Viewing | Ping | Token, Field(discriminator="t")
]

# ---- server to client


class User(Frame):
    """Whom the gateway takes the client for."""

    id: str
    role: Role
    shop_id: ShopId
    name: str


class Limits(Frame):
    """What a client must keep to; staff share `frames_per_s` and `burst` among all their sockets.

    A frame counts once for every `chars_per_frame` characters of its words or every
    `bytes_per_frame` bytes, whichever is more, and at least once.
    """

    frame_bytes: int
    text_chars: int
    chars_per_frame: int
    bytes_per_frame: int
    frames_per_s: int
    burst: int
    subscriptions: int
    replay: int


class Ready(Frame):
    """The answer to `hello`.

    `frames_left` of the burst may be sent at once: what staff sent on another socket, or on one
    that was lost a moment ago, is taken from it. Absent from older gateways: the whole burst.
    """

    t: Literal["ready"] = "ready"
    session: str
    user: User
    hb_ms: int
    limits: Limits
    frames_left: int | None = None
    server_time: Moment


class Ev(Frame):
    """Something happened.

    `d` is the event's body as it stands in the log, for buyers without `HIDDEN_FROM_BUYERS`.
    `position` is present on `conv:` streams and strictly increasing there. `inbox` has `version`
    and `conversation_id` or `work_id` instead: apply it only if newer. `not_owner` marks a
    message from a seat lost meanwhile. `archived_at` and
    `late` stand on what comes from the archive.
    """

    t: Literal["ev"] = "ev"
    s: StreamName
    position: Position | None = None
    version: int | None = None
    conversation_id: str | None = None
    work_id: str | None = None
    id: str
    type: str
    time: datetime
    not_owner: bool | None = None
    archived_at: datetime | None = None
    late: bool | None = None
    d: dict[str, Any]


class Snap(Frame):
    """State as of `position`; what `d` holds depends on the stream.

    `conv:` `{"conversation": {...}, "items": [...], "read": {...}}`: the latest items, shaped like
    `ev`, oldest first; older ones are pages of the REST history. `read` is `{"buyer", "owner"}`:
    up to which position the buyer and the present owner have read, null: not at all; it is absent
    from older gateways. `inbox` `{"conversations": [...], "work": [...], "offers"?, "stale"?}`: of
    staff each conversation has `head`, `round`, `unread` and `read_up_to` as a `patch` of its row
    says them, `offers` are colleagues' buyers whom one is asked to answer, and `stale` tells that
    some are of a while ago and a `patch` follows. `board:` a shop's totals, and its tiles follow as
    `patch`; null: ask again. `monitor:` the board, or null. `current:` `{"through": ...}`, null
    before the first mark.
    """

    t: Literal["snap"] = "snap"
    s: StreamName
    position: Position | None = None
    d: Any


class Patch(Frame):
    """Latest wins, of those with the same `s` and `k`; may be dropped or conflated.

    Of a `board:` stream without `k` the totals (`board.published.v2`, with its `time`), with an
    agent as `k` his tile (`board.agent.v1`), `removed` if he has none any more. The board of a
    `monitor:` stream; `{"through": ...}` of a `current:` stream; `{"typing": ...}` or
    `{"read": ...}` of a `conv:` stream, each `{"person_id", "time", "position"?}`. What somebody
    read is told on his own sockets too. With `viewers` as `k`, to staff: `{"viewers": [{"id",
    "name"}]}`, who of them looks; agents are told of no leader. Of staff's `inbox`, with the
    conversation as `k`, always whole: `head` `{"position", "by", "kind", "preview", "at"}`, the
    last words, 60 characters on one line; `round` `{"opened_at", "position", "first"}`, since when
    the buyer waits, null: he does not; `unread`, words that are new to the owner, 99 at most;
    `read_up_to`. A client applies it to a row that it has, unless `head.position` is older than
    what it shows.
    """

    t: Literal["patch"] = "patch"
    s: StreamName
    k: str | None = Field(default=None, max_length=64)
    d: dict[str, Any]


class Ok(Frame):
    """It is done. For `send`: `{"client_id", "message_id", "position", "warnings"?}`.

    For `sub` of a conversation: `{"s", "may_send", "continue_in"?}`, the last for the buyer of one
    that was closed long ago: he writes there, a `send` here is refused as `conversation_closed`.
    """

    t: Literal["ok"] = "ok"
    id: str | None
    d: dict[str, Any]


class Problem(BaseModel):
    """RFC 9457, as on REST; `code` is what programs match, `trace_id` a refused message's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    trace_id: str = ""


class Err(Frame):
    """It is not done, or (code `retry`) the outcome is unknown: send it again with `again`.

    `retry` carries `retry_after_ms`; with `"taken": false` this try was not looked at, so that what
    comes again needs no `again` on its account.
    The codes `blocked` and `confirm` carry `hits` and `incident_id`, under which what was held is
    kept; `confirm` also carries `confirm`, the signature that lets the same text pass when it is
    sent again with it. A gateway that names the incident takes a `reason` beside the signature.
    """

    t: Literal["err"] = "err"
    id: str | None
    problem: Problem


class Resync(Frame):
    """The stream cannot be continued from where the client stands: subscribe without a position."""

    t: Literal["resync"] = "resync"
    s: StreamName
    reason: Literal["too_far", "bad_position", "generation", "gap", "slow_reader"]


class GoAway(Frame):
    """This gateway stops: reconnect after `reconnect_after_ms`; it closes at `deadline_ms`."""

    t: Literal["goaway"] = "goaway"
    reason: Literal["draining"]
    reconnect_after_ms: int
    deadline_ms: int


class Pong(Frame):
    """The answer to `ping`."""

    t: Literal["pong"] = "pong"
    ts: int | float | str | None = None
    server_time: Moment


ServerFrame = Annotated[
    Ready | Ev | Snap | Patch | Ok | Err | Resync | GoAway | Pong, Field(discriminator="t")
]

CLIENT_FRAME: Final[TypeAdapter[ClientFrame]] = TypeAdapter(ClientFrame)
SERVER_FRAME: Final[TypeAdapter[ServerFrame]] = TypeAdapter(ServerFrame)
