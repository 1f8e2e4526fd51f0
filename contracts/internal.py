"""What the conversation service answers the gateway on its admin port, under `/internal`.

Not for other systems. Both sides test against these models.
"""

from typing import Any

from contracts.base import Part
from contracts.people import ConversationId, PersonId, ShopId


class Mark(Part):
    """Every record of the partition below `offset` is archived or dead-lettered (H10)."""

    partition: int
    offset: int
    generation: int


class ConversationFacts(Part):
    """What the gateway needs to seat somebody; more fields may come and are shown in `snap`."""

    id: ConversationId
    shop_id: ShopId
    buyer_id: PersonId
    agent_id: PersonId | None
    version: int
    assignment_version: int


class Attachment(Part):
    """`GET /internal/conversations/{id}/attach?subject&role&shop&limit[&after=generation,offset]`.

    One snapshot (H11). Absent, foreign and not permitted all answer 404. `items` are archived
    records in log order, shaped like `ev` (with `archived_at`), as this role may see them: above
    `after` if given, else the latest `limit`. `resync` says that more than `limit` lie above
    `after`, or that its generation is over; `items` is then empty.
    """

    conversation: dict[str, Any]
    mark: Mark
    items: tuple[dict[str, Any], ...] = ()
    resync: bool = False


class InboxSnapshot(Part):
    """`GET /internal/inbox/{subject}?role&shop`: what a person holds now, each with its version."""

    conversations: tuple[dict[str, Any], ...]
    work: tuple[dict[str, Any], ...] = ()


class StoredMessage(Part):
    """`GET /internal/messages/{message_id}`: 404 if it is not archived (H3)."""

    body_hash: str
    position: tuple[int, int]
