"""Indexes for the lists of cases and of work: by state, by holder, of a buyer, of an order."""

from typing import Final

from kit import tables

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """Make them beside running writers."""
    cases, work = "aftersales.cases", "aftersales.work_items"
    tables.index("ix_cases_shop_id_state_id", cases, "shop_id, state, id")
    tables.index(
        "ix_cases_shop_id_buyer_id_id",
        cases,
        "shop_id, buyer_id, id",
        instead_of=["ix_cases_buyer_id_id"],
    )
    tables.index(
        "ix_cases_shop_id_order_id_id",
        cases,
        "shop_id, order_id, id",
        instead_of=["ix_cases_order_id"],
    )
    for name, columns in (
        ("ix_work_items_shop_id_state_opened_at_id", "shop_id, state, opened_at, id"),
        ("ix_work_items_shop_id_agent_id_opened_at_id", "shop_id, agent_id, opened_at, id"),
        (
            "ix_work_items_shop_id_agent_id_state_opened_at_id",
            "shop_id, agent_id, state, opened_at, id",
        ),
    ):
        tables.index(name, work, columns)
