"""One conversation told fact by fact to standing and machine, without a log, a clock or a store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import msgspec

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    Lifecycle,
)
from contracts.people import ConversationId, MessageId, PersonId, SenderKind, ShopId, SkillGroupId
from services.monitor.calendar.domain import Calendar
from services.monitor.fold.measures import Fact
from services.monitor.fold.schemas import Body, Heard
from services.monitor.fold.standing import Standing
from services.monitor.profiles.domain import Reading
from services.monitor.response.domain import Round, Session, Settled
from services.monitor.response.rounds import Machine

GROUP = SkillGroupId("pre_sale")
SHANGHAI = Calendar(ZoneInfo("Asia/Shanghai"))
BUYER = PersonId("buyer")


def moment(at_ms: int) -> datetime:
    """Return the moment that so many milliseconds name."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def machine(readings: Sequence[Reading]) -> Machine:
    """Return a machine of shops in Shanghai."""
    return Machine(readings, lambda _: SHANGHAI)


@dataclass
class Told:
    """A conversation; times are milliseconds since 1970. `version` rises with each event."""

    machine: Machine
    name: str = "c"
    shop: str = "shop"
    buyer_id: PersonId = BUYER
    offset: int = 0
    version: int = 0
    said: int = 0
    settled: Settled = field(default_factory=Settled)

    def __post_init__(self) -> None:
        self.standing = Standing(
            ConversationId(self.name), ShopId(self.shop), self.buyer_id, self.offset
        )
        self.talk = self.machine.begin()

    @property
    def rounds(self) -> list[Round]:
        """What is settled."""
        return self.settled.rounds

    @property
    def sessions(self) -> list[Session]:
        """What is settled."""
        return self.settled.sessions

    def says(
        self, kind: SenderKind, at_ms: int, sender: PersonId, *, seat: int | None = None
    ) -> Self:
        """Somebody speaks, an agent from a seat."""
        self.said += 1
        body = Body(
            self.standing.name,
            self.standing.shop_id,
            sender,
            kind,
            "text",
            msgspec.Raw(b"{}"),
            seat,
        )
        heard = Heard(MessageId(f"{self.name}-{self.said}"), at_ms, body)
        after, voice = self.standing.heard(kind, sender, seat=seat)
        return self._apply(Fact(0, self._next(), at_ms, heard, self.standing, after, voice))

    def tells(self, kind: type[Lifecycle], at_ms: int, **fields: Any) -> Self:
        """The conversation service tells something."""
        self.version = fields.pop("version", self.version + 1)
        event = kind.model_validate(
            {
                "id": f"{self.name}-{self.version}",
                "time": moment(at_ms),
                "shop_id": self.standing.shop_id,
                "conversation_id": self.standing.name,
                "buyer_id": self.buyer_id,
                "version": self.version,
                **fields,
            }
        )
        offset = self._next()
        after = self.standing.told(event, at_ms=at_ms)
        if after is None:
            return self
        return self._apply(Fact(0, offset, at_ms, event, self.standing, after))

    def over(self, at_ms: int) -> Self:
        """Judge what is open as if nobody answered any more."""
        self.machine.as_if_over(self.talk, self.standing, at_ms, out=self.settled)
        return self

    def opened(self, at_ms: int) -> Self:
        """It is opened."""
        return self.tells(ConversationOpened, at_ms, skill_group_id=GROUP)

    def assigned(self, at_ms: int, agent_id: PersonId, **fields: Any) -> Self:
        """An agent gets the seat."""
        return self.tells(
            ConversationAssigned, at_ms, agent_id=agent_id, skill_group_id=GROUP,
            reason="least_loaded", **fields,
        )  # fmt: skip

    def queued(self, at_ms: int, reason: str = "nobody_free", **fields: Any) -> Self:
        """Nobody has the seat."""
        return self.tells(ConversationQueued, at_ms, skill_group_id=GROUP, reason=reason, **fields)

    def transferred(self, at_ms: int, to: PersonId | None) -> Self:
        """The owner hands it on."""
        return self.tells(
            ConversationTransferred, at_ms, from_agent_id=self.standing.owner or "nobody",
            to_agent_id=to, to_skill_group_id=GROUP, note="", by="somebody",
        )  # fmt: skip

    def closed(self, at_ms: int, **fields: Any) -> Self:
        """It is closed, by a person unless `sweep` says which silence did."""
        fields = {"agent_id": self.standing.owner, "by": "somebody"} | fields
        return self.tells(ConversationClosed, at_ms, **fields)

    def reopened(self, at_ms: int, reason: str = "buyer_message", **fields: Any) -> Self:
        """It goes on."""
        return self.tells(ConversationReopened, at_ms, by="somebody", reason=reason, **fields)

    def _next(self) -> int:
        self.offset += 1
        return self.offset

    def _apply(self, fact: Fact) -> Self:
        out = Settled()
        self.machine.apply(self.talk, fact, out=out)
        self.standing = fact.after
        gone, lost = out.withdrawn_rounds, out.withdrawn_sessions
        mine = self.settled
        mine.rounds[:] = [one for one in mine.rounds if one.opened_offset not in gone]
        mine.sessions[:] = [one for one in mine.sessions if one.started_offset not in lost]
        mine.rounds += out.rounds
        mine.sessions += out.sessions
        return self
