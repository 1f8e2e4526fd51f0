"""Indexes for the lists of conversations, staff and work, in the order in which they are shown.

A conversation's row changes some six times in its life, never by a message; each change writes
into one index more than before. `messages` has what it had.
"""

from typing import Final

from kit import tables

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Make them beside running writers."""
    chats = "conversation.conversations"
    tables.index(
        "ix_conversations_shop_id_opened_at_id",
        chats,
        "shop_id, opened_at, id",
        instead_of=["ix_conversations_shop_id_id"],
    )
    tables.index(
        "ix_conversations_shop_id_state_opened_at_id", chats, "shop_id, state, opened_at, id"
    )
    tables.index(
        "ix_conversations_buyer_id_shop_id_opened_at_id",
        chats,
        "buyer_id, shop_id, opened_at, id",
        instead_of=["ix_conversations_buyer_id_opened_at"],
    )
    tables.index(
        "ix_conversations_of_agent",
        chats,
        "agent_id, shop_id, opened_at, id",
        where="state = 'assigned'",
        instead_of=["ix_conversations_owner"],
    )
    tables.index(
        "ix_work_items_of_agent",
        "conversation.work_items",
        "agent_id, id",
        where="agent_id is not null and not settled",
        instead_of=["ix_work_items_owner"],
    )
    tables.index(
        "ix_staff_shop_id_id",
        "conversation.staff",
        "shop_id, id",
        instead_of=["ix_staff_shop_id"],
    )
    tables.index(
        "ix_staff_to_watch",
        "conversation.staff",
        "id",
        where="active and (state <> 'offline' or resume_state is not null)",
        instead_of=["ix_staff_at_work"],
    )
