"""Indexes for routing: heads of each group's queue, an agent's own buyers, everybody's load (H39).

What the release before looks for by shop alone, the first of them finds too.
"""

from typing import Final

from kit import tables

revision: Final = "0011"
down_revision: Final = "0010"


def upgrade() -> None:
    """Make them beside running writers."""
    chats, work = "conversation.conversations", "conversation.work_items"
    waiting = "waiting_since is not null and not settled"
    tables.index(
        "ix_conversations_queue",
        chats,
        "shop_id, skill_group_id, rank_at, id",
        where="state = 'queued'",
        instead_of=["ix_conversations_waiting"],
    )
    tables.index(
        "ix_conversations_own",
        chats,
        "shop_id, preferred_agent_id, rank_at, id",
        where="state = 'queued' and preferred_agent_id is not null",
    )
    tables.index("ix_conversations_load", chats, "shop_id, agent_id", where="state = 'assigned'")
    tables.index(
        "ix_work_items_queue",
        work,
        "shop_id, skill_group_id, waiting_since, id",
        where=waiting,
        instead_of=["ix_work_items_waiting"],
    )
    tables.index(
        "ix_work_items_own",
        work,
        "shop_id, previous_agent_id, waiting_since, id",
        where=f"{waiting} and previous_agent_id is not null",
    )
    tables.index(
        "ix_work_items_load",
        work,
        "shop_id, agent_id",
        where="agent_id is not null and not settled",
    )
