"""The rehearsal's own arithmetic gives the golden figures of metrics.md."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehearsal.figures import SHOP, Figures, compare, compute

pytestmark = pytest.mark.unit

TEN = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
"""Ten in the morning at the shop."""


def said(seconds: float, kind: str, sender: str = "a1", **more: Any) -> dict[str, Any]:
    return {
        "time": (TEN + timedelta(seconds=seconds)).isoformat(),
        "type": "chat.message.v1",
        "d": {"sender_kind": kind, "sender_id": sender, **more},
    }


def happened(seconds: float, what: str, version: int, **more: Any) -> dict[str, Any]:
    return {
        "time": (TEN + timedelta(seconds=seconds)).isoformat(),
        "type": f"conversation.{what}.v1",
        "d": {"version": version, **more},
    }


ASSIGNED = happened(0, "assigned", 2, agent_id="a1")


def test_a_second_question_does_not_restart_the_round() -> None:
    talk = [ASSIGNED, said(15, "buyer"), said(320, "buyer"), said(490, "agent")]

    figures = compute([talk])["qiyu"][SHOP]

    assert figures == Figures(
        rounds=1, round_ms=475_000, first_responses=1, first_response_ms=475_000, sessions=1
    )


def test_an_automatic_reply_changes_nothing() -> None:
    talk = [ASSIGNED, said(0, "buyer"), said(1, "auto"), said(20, "agent")]

    assert compute([talk])["taobao_2022"][SHOP].round_ms == 20_000


def test_a_transfer_without_reply_leaves_an_unanswered_round_on_the_first_account() -> None:
    talk = [
        ASSIGNED,
        said(10, "buyer"),
        happened(30, "transferred", 3, to_agent_id="a2"),
        said(40, "agent", "a2"),
    ]

    figures = compute([talk])["taobao_2022"]

    assert (figures["a1"].unanswered, figures["a1"].round_ms) == (1, 600_000)
    assert (figures["a2"].rounds, figures["a2"].round_ms) == (1, 10_000)


def test_a_reply_from_a_lost_seat_closes_no_round() -> None:
    talk = [
        ASSIGNED,
        said(10, "buyer"),
        happened(30, "assigned", 5, agent_id="a2"),
        said(31, "agent", "a1", assignment_version=2),
    ]

    assert "a1" not in compute([talk])["qiyu"]


def test_a_reply_that_outran_its_assignment_counts_for_its_sender() -> None:
    talk = [said(10, "buyer"), said(12, "agent", "a1", assignment_version=2), ASSIGNED]

    assert compute([talk])["qiyu"]["a1"].round_ms == 2_000


def test_thirty_one_seconds_are_not_within_thirty() -> None:
    within, late = (
        compute([[ASSIGNED, said(0, "buyer"), said(took, "agent")]])["jd_2021"][SHOP]
        for took in (30, 31)
    )

    assert (within.first_within, late.first_within) == (1, 0)


def test_a_question_left_open_at_closing_is_unanswered() -> None:
    talk = [ASSIGNED, said(5, "buyer"), happened(60, "closed", 3)]

    table = compute([talk])

    assert table["qiyu"][SHOP].unanswered == 1
    assert table["qiyu"][SHOP].rounds == 0
    assert table["taobao_2022"][SHOP].round_ms == 600_000


def test_a_single_different_figure_is_named() -> None:
    talk = [ASSIGNED, said(0, "buyer"), said(20, "agent")]
    ours, theirs = compute([talk]), compute([talk])
    theirs["qiyu"]["a1"].round_ms += 1

    compared, differences = compare(theirs, ours)

    assert compared > 0
    assert [(d.profile, d.who, d.figure) for d in differences] == [("qiyu", "a1", "round_ms")]
