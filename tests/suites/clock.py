"""The cases of the buyer's clock, as records: whoever folds, queries or shows it plays them."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from contracts.clock import Clock, Place, Word
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    ConversationQueued,
    ConversationRated,
    ConversationReopened,
    ConversationStageChanged,
    ConversationTransferred,
    LateMessage,
    Lifecycle,
)
from contracts.people import (
    ConversationId,
    MessageId,
    PersonId,
    SenderKind,
    ShopId,
    SkillGroupId,
    Stage,
)

FILE: Final = Path(__file__).parents[2] / "contracts" / "conformance" / "clock.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
NOON: Final = datetime(2026, 11, 11, 4, tzinfo=UTC)

TALK: Final = ConversationId("00000000-0000-7000-8000-000000000001")
OTHER: Final = ConversationId("00000000-0000-7000-8000-000000000002")
AGENT: Final = PersonId("00000000-0000-7000-8000-00000000000a")
BUYER: Final = PersonId("00000000-0000-7000-8000-00000000000b")
GROUP: Final = SkillGroupId("pre")

_EVENTS: Final[dict[str, tuple[type[Lifecycle], dict[str, Any]]]] = {
    "opened": (ConversationOpened, {"skill_group_id": GROUP}),
    "queued": (ConversationQueued, {"skill_group_id": GROUP, "reason": "lost"}),
    "assigned": (
        ConversationAssigned,
        {"agent_id": AGENT, "skill_group_id": GROUP, "reason": "least_loaded"},
    ),
    "transferred": (
        ConversationTransferred,
        {
            "from_agent_id": AGENT,
            "to_agent_id": AGENT,
            "to_skill_group_id": GROUP,
            "note": "",
            "by": AGENT,
        },
    ),
    "closed": (ConversationClosed, {"agent_id": AGENT, "by": AGENT}),
    "reopened": (ConversationReopened, {"by": BUYER, "reason": "buyer_message"}),
    "contacted": (ConversationContacted, {"message_id": MessageId("m"), "written_in": OTHER}),
    "late_message": (
        LateMessage,
        {"message_id": MessageId("m"), "continue_in": OTHER, "agent_id": None},
    ),
    "stage_changed": (
        ConversationStageChanged,
        {"stage": Stage.SHIP, "previous": Stage.WELCOME, "agent_id": AGENT},
    ),
    "rated": (ConversationRated, {"agent_id": AGENT, "score": 5}),
}


def moment(at: float) -> datetime:
    """Return so many seconds after noon."""
    return NOON + timedelta(seconds=at)


def places(case: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Place]]:
    """Walk over what a case's log says, and where."""
    for offset, one in enumerate(case["log"]):
        yield one, (one.get("generation", 1), offset)


def facts(case: Mapping[str, Any]) -> Iterator[tuple[Word | Lifecycle, Place]]:
    """Walk over a case's log as the clock takes it."""
    for one, place in places(case):
        if "said" in one:
            yield Word(SenderKind(one["said"]), moment(one["at"]), one.get("seat")), place
        else:
            yield event(one), place


def expected(case: Mapping[str, Any]) -> Clock:
    """Return where the clock of a case stands in the end."""
    wanted = case["expect"]
    since, offset = wanted["waiting_since"], wanted["position"]
    return Clock(
        None if since is None else moment(since),
        None if offset is None else next(place for _, place in places(case) if place[1] == offset),
        first=wanted["first"],
        seat=wanted["seat"],
    )


def event(one: Mapping[str, Any]) -> Lifecycle:
    """Return a lifecycle event of a case's log."""
    head: dict[str, Any] = {
        "id": f"00000000-0000-7000-8001-{one['version']:012d}",
        "time": moment(one["at"]),
        "shop_id": ShopId("s"),
        "conversation_id": TALK,
        "buyer_id": BUYER,
        "version": one["version"],
    }
    kind, own = _EVENTS[one["told"]]
    if "received_at" in one:
        own = own | {"received_at": moment(one["received_at"])}
    if "sweep" in one:
        own = own | {"sweep": one["sweep"]}
    return kind(**head, **own)
