"""Events the conversation service produces: lifecycle on the chat topic, staff, directory, routing.

`version` is the conversation's version after the change; a reader ignores versions it has.
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

from pydantic import Field
from typing_extensions import override

from contracts.base import Event, Moment, Part, Readable, UnknownEvent, UnreadableEvent, decode
from contracts.people import (
    AgentState,
    AssignmentMode,
    ConversationId,
    MessageId,
    OrderId,
    PersonId,
    Role,
    SkillGroupId,
    Stage,
)
from contracts.topics import CHAT, DIRECTORY, STAFF, Topic
from kit.errors import Dead


class Lifecycle(Event):
    """What every lifecycle event carries. Gateways know one by its `ce_type` prefix."""

    topic: ClassVar[Topic] = CHAT
    source: ClassVar[str] = "conversation"
    TYPE_PREFIX: ClassVar[bytes] = b"conversation."

    conversation_id: ConversationId
    buyer_id: PersonId
    version: int

    @property
    @override
    def key(self) -> str:
        """Same key as the conversation's messages: one order for both."""
        return self.conversation_id


class LaterLifecycle(Lifecycle):
    """What every lifecycle event carries, of one whose type only a newer release knows."""

    type: ClassVar[str] = "conversation.*"


def read_lifecycle(record: Readable) -> Lifecycle:
    """Decode a lifecycle event; one of a newer release as far as all of them are alike.

    Raises `UnknownEvent` for another topic's type, `UnreadableEvent`.
    """
    try:
        event = decode(record)
    except UnknownEvent:
        named = dict(record.headers).get("ce_type", b"")
        if not named.startswith(Lifecycle.TYPE_PREFIX):
            raise
        return LaterLifecycle.read(record)
    if not isinstance(event, Lifecycle):
        raise UnreadableEvent(f"{event.type} does not belong on this topic")
    return event


class ConversationOpened(Lifecycle):
    """A buyer opened a conversation. Its messages may precede this event in the log."""

    type: ClassVar[str] = "conversation.opened.v1"

    skill_group_id: SkillGroupId
    subject: str = ""
    order_id: OrderId | None = None


class ConversationQueued(Lifecycle):
    """The conversation waits for an agent: nobody was free, or its agent was lost."""

    type: ClassVar[str] = "conversation.queued.v1"

    skill_group_id: SkillGroupId
    previous_agent_id: PersonId | None = None
    reason: str
    waiting_since: Moment | None = None
    """The buyer's first unanswered word; None where nobody waits, or of an older release."""


class ConversationAssigned(Lifecycle):
    """An agent owns the conversation from now on; `version` is the assignment version."""

    type: ClassVar[str] = "conversation.assigned.v1"

    agent_id: PersonId
    previous_agent_id: PersonId | None = None
    skill_group_id: SkillGroupId
    reason: str
    waiting_since: Moment | None = None
    mode: AssignmentMode = AssignmentMode.ROUTED


class ConversationTransferred(Lifecycle):
    """The owner handed the conversation on, with a note.

    `to_agent_id` None: it goes to the queue of `to_skill_group_id`; an `assigned` follows.
    Otherwise `to_agent_id` owns it from this version on; where he is `by`, he took it over. With
    the reason `handoff` he accepted the offer `offer_id`, and the system is `by`.
    """

    type: ClassVar[str] = "conversation.transferred.v1"

    from_agent_id: PersonId
    to_agent_id: PersonId | None
    to_skill_group_id: SkillGroupId
    note: str
    by: PersonId
    waiting_since: Moment | None = None
    mode: AssignmentMode = AssignmentMode.ROUTED
    reason: str | None = None
    offer_id: str | None = None


class HandoffOffered(Lifecycle):
    """A buyer whose agent has not answered is offered to a colleague; the seat stays whose it is.

    It stands until `expires_at`, if nobody answers before.
    """

    type: ClassVar[str] = "conversation.handoff_offered.v1"

    offer_id: str
    agent_id: PersonId
    """Who is asked."""
    from_agent_id: PersonId
    skill_group_id: SkillGroupId
    waiting_since: Moment
    breach_at: Moment
    expires_at: Moment


class HandoffEnded(Lifecycle):
    """An offer is over and the conversation was not handed on by it.

    Without `offer_id` nobody could be asked, up to the end. Of an accepted one a transfer tells.
    """

    type: ClassVar[str] = "conversation.handoff_ended.v1"

    offer_id: str | None
    agent_id: PersonId | None
    outcome: Literal["declined", "expired", "answered", "closed", "moved", "nobody"]
    """`moved`: it went to somebody else, or to the queue."""


class ConversationStageChanged(Lifecycle):
    """The reception pipeline moved on."""

    type: ClassVar[str] = "conversation.stage_changed.v1"

    stage: Stage
    previous: Stage
    agent_id: PersonId | None


class ConversationClosed(Lifecycle):
    """Nobody owes an answer any more. A later buyer message reopens it.

    `sweep` says which silence closed it, None a person: only he ends a session.
    """

    type: ClassVar[str] = "conversation.closed.v1"

    agent_id: PersonId | None
    by: PersonId
    reason: str = ""
    sweep: Literal["idle", "abandoned"] | None = None


class ConversationReopened(Lifecycle):
    """A closed conversation goes on: by a new buyer message or by staff."""

    type: ClassVar[str] = "conversation.reopened.v1"

    by: PersonId
    reason: Literal["buyer_message", "buyer_contact", "staff"]


class LateMessage(Lifecycle):
    """A buyer's message into a conversation closed long ago, while he has another one open.

    It stays where it was written, is told to the agent of the other one and counts nowhere.
    """

    type: ClassVar[str] = "conversation.late_message.v1"

    message_id: MessageId
    continue_in: ConversationId
    agent_id: PersonId | None
    """Who owns the conversation `continue_in`."""


class ConversationContacted(Lifecycle):
    """The buyer wrote elsewhere, and this is where he is answered.

    Or he wrote here, and was given up before that was stored.
    """

    type: ClassVar[str] = "conversation.contacted.v1"

    message_id: MessageId
    written_in: ConversationId
    received_at: Moment
    """When the message was received: a round opens here at that moment if none is open."""


class ConversationRated(Lifecycle):
    """The buyer rated the service, 1 to 5."""

    type: ClassVar[str] = "conversation.rated.v1"

    agent_id: PersonId | None
    score: int


class AgentStateChanged(Event):
    """An agent's state changed; `version` rises with every change of this agent."""

    topic: ClassVar[Topic] = STAFF
    type: ClassVar[str] = "staff.state_changed.v1"
    source: ClassVar[str] = "conversation"

    agent_id: PersonId
    name: str
    role: Role
    state: AgentState
    previous: AgentState
    since: Moment
    reason: Literal["own_choice", "supervisor", "heartbeat_lost", "returned", "deactivated"]
    version: int

    @property
    @override
    def key(self) -> str:
        """One agent, one order."""
        return self.agent_id


class PersonListed(Event):
    """The directory's entry of a person: what a token of this subject is still worth.

    Of staff it also tells how many buyers he may have at once, and his skill groups; None: of a
    buyer, or an entry of a release before.
    """

    topic: ClassVar[Topic] = DIRECTORY
    type: ClassVar[str] = "directory.person.v1"
    source: ClassVar[str] = "conversation"

    subject: PersonId
    name: str
    role: Role
    active: bool
    not_before: Moment
    version: int
    capacity: int | None = None
    groups: tuple[SkillGroupId, ...] | None = None

    @property
    @override
    def key(self) -> str:
        """Latest entry of a person wins."""
        return self.subject

    def withdraws(self, *, role: str, shop_id: str, issued_at: datetime) -> bool:
        """Tell whether a token with these claims is worth nothing any more."""
        return (
            not self.active
            or issued_at < self.not_before
            or role != self.role
            or shop_id != self.shop_id
        )


class SessionEnded(Event):
    """The directory's entry of a session that was ended before its tokens were over.

    A tombstone follows, once none of them can be good any more.
    """

    topic: ClassVar[Topic] = DIRECTORY
    type: ClassVar[str] = "directory.session.v1"
    source: ClassVar[str] = "conversation"

    sid: str = Field(min_length=1)
    """Never empty: tokens of an older release name no session."""
    subject: PersonId
    """Whose session it was."""
    ended_at: Moment

    @property
    @override
    def key(self) -> str:
        """One session; prefixed, so that it never meets a person's key."""
        return session_key(self.sid)

    @property
    def version(self) -> int:
        """A session ends once."""
        return 1

    def withdraws(self, *, role: str, shop_id: str, issued_at: datetime) -> bool:
        """Tell whether a token of this session is worth nothing any more: none is."""
        del role, shop_id, issued_at
        return True


def session_key(sid: str) -> str:
    """Return the directory's key of a session."""
    return f"session:{sid}"


class Holder(Protocol):
    """What a token says of who holds it, as far as the directory knows of him."""

    @property
    def subject(self) -> str: ...
    @property
    def sid(self) -> str: ...


def withdrawal_keys(token: Holder) -> tuple[str, str]:
    """Return under which keys of the directory it may stand that a token was withdrawn."""
    return token.subject, session_key(token.sid)


def withdrawal(record: Readable) -> PersonListed | SessionEnded | None:
    """Return a person's or a session's entry of the directory, None for others. Raises `Dead`."""
    try:
        event = decode(record)
    except UnknownEvent:
        return None
    except UnreadableEvent as unreadable:
        raise Dead(str(unreadable)) from None
    return event if isinstance(event, PersonListed | SessionEnded) else None


class Handoff(Part):
    """When a buyer who waits is offered to a colleague, before his wait is too long."""

    offer_s: int | None = 25
    """So long after the word that his agent has not answered; None: never."""


class Timing(Part):
    """A shop's own waits, in seconds (business rule: dated data, never a process setting)."""

    reopen_gap_s: int = 600
    """A buyer who comes back within it after the close continues the same conversation."""
    idle_close_s: int = 1_800
    """So long after the last word, and nobody waits: closed as `idle`."""
    abandon_s: int = 86_400
    """So long after a word that nobody answered: closed as `abandoned`."""
    silence_s: int = 180
    """A silent agent who is online loses a waiting buyer after it."""
    overflow_s: int = 20
    """A wait after which any agent of the shop may take a buyer whose own group has no room."""
    handoff: Handoff = Handoff()


class ShopListed(Event):
    """The directory's entry of a shop: wording policy and reception rules, no secrets.

    `wording_actions` maps a category to an action and overrides the house default.
    """

    topic: ClassVar[Topic] = DIRECTORY
    type: ClassVar[str] = "directory.shop.v1"
    source: ClassVar[str] = "conversation"

    name: str
    time_zone: str = "Asia/Shanghai"
    active: bool = True
    wording_actions: dict[str, str] = Field(default_factory=dict)
    wording_terms: tuple[str, ...] = ()
    allow_spans: tuple[str, ...] = ()
    policy_version: str = "1"
    profiles: tuple[str, ...] = ("taobao_2022", "jd_2021", "qiyu")
    timing: Timing = Timing()
    widget_origins: tuple[str, ...] = ()
    """Sites that may show the shop's chat in a frame, as `contracts.origins` admits them."""
    widget_greeting: str = ""
    version: int

    @property
    @override
    def key(self) -> str:
        """Latest entry of a shop wins; prefixed, so that it never meets a person's key."""
        return f"shop:{self.shop_id}"
