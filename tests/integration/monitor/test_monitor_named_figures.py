"""Figures by their names: what each is made of, and why it has no value (N7, N8)."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.people import AgentState, PersonId
from kit import sketch
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FOUR_AND_A_HALF_HOURS = 16_200
MISSED = ("missed", "assigned_silent", "never_assigned", "left_in_queue")
RATES = ("reply_rate", "reply_rate_sessions", "reply_rate_buyers")


async def rows(
    monitor: Monitor, shop: Shop, *metrics: str, profile: str = "qiyu", **asked: str
) -> list[dict[str, Any]]:
    """Return the day's rows, once all of the log is folded."""
    await monitor.rig.folded()
    query = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}", "profile": profile} | asked
    path, names = "/v1/monitor/figures", ",".join(metrics)
    answer = await monitor.get(path, shop.token(), shop=shop.id, metrics=names, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


async def named(
    monitor: Monitor, shop: Shop, *metrics: str, **asked: str
) -> dict[str, dict[str, Any]]:
    """Return figures of the day and the whole shop."""
    [row] = await rows(monitor, shop, *metrics, **asked)
    found: dict[str, dict[str, Any]] = row["metrics"]
    return found


def parts(figures: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {name: (one["numerator"], one["denominator"]) for name, one in figures.items()}


def reasons(figures: dict[str, dict[str, Any]]) -> dict[str, tuple[float | None, str | None]]:
    return {name: (one["value"], one["why"]) for name, one in figures.items()}


async def answered(shop: Shop, *rounds: tuple[float, float], agent: str = "anne") -> None:
    """Let a buyer of his own ask and be answered, in one conversation."""
    chat = await shop.chat(agent).opened()
    for asked, at in rounds:
        await chat.buyer(asked)
        await chat.agent(at)


async def four_rounds(rig: Rig) -> Shop:
    """Return a shop whose two buyers waited 10 s, 300 s, 20 s and 30 s."""
    shop = await rig.shop().listed()
    await answered(shop, (0, 10), (100, 400))
    await answered(shop, (0, 20), (50, 80), agent="bob")
    return shop


async def test_n8_percentiles_are_the_nearest_rank_and_say_of_how_many(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await four_rounds(rig)
    figures = await named(
        monitor, shop, "round_p50", "round_p90", "round_max", "frt_p50", "frt_max"
    )

    assert {name: (one["value"], one["numerator"], one["denominator"], one["exact"])
            for name, one in figures.items()} == {
        "round_p50": (20_000, 2, 4, True),
        "round_p90": (300_000, 4, 4, True),
        "round_max": (300_000, 4, 4, True),
        "frt_p50": (10_000, 1, 2, True),
        "frt_max": (20_000, 2, 2, True),
    }  # fmt: skip


async def test_n8_more_samples_are_counted_in_bins_within_one_percent_and_the_longest_is_exact(
    rig: Rig, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await four_rounds(rig)
    monkeypatch.setattr(sketch, "EXACT_UP_TO", 3)
    figures = await named(monitor, shop, "round_p50", "round_p90", "round_max", "frt_p50")

    assert [one["exact"] for one in figures.values()] == [False, False, True, True]
    assert figures["round_p50"]["value"] == pytest.approx(20_000, rel=0.01)
    assert figures["round_p90"]["value"] == pytest.approx(300_000, rel=0.01)
    assert figures["round_max"]["value"] == 300_000
    by_agent = await rows(monitor, shop, "round_p90", by="agent")
    assert [row["metrics"]["round_p90"]["value"] for row in by_agent] == [300_000, 30_000]


async def test_n7_the_reply_rate_is_by_round_by_session_and_by_buyer(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await four_rounds(rig)
    figures = await named(monitor, shop, *RATES)

    assert parts(figures) == {
        "reply_rate": (3, 4),
        "reply_rate_sessions": (1, 2),
        "reply_rate_buyers": (1, 2),
    }
    assert (figures["reply_rate"]["value"], figures["reply_rate"]["unit"]) == (0.75, "share")
    assert figures["reply_rate"]["window"] == {
        "by": "round_open", "start": "00:00", "end": "24:00", "zone": "Asia/Shanghai",
    }  # fmt: skip
    assert figures["reply_rate"]["version"] == "2020-01-01"
    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def test_n7_a_session_is_in_time_only_with_all_that_was_asked_on_its_day(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    await chat.agent(10)
    before = await named(monitor, shop, "reply_rate_sessions")
    await chat.buyer(100)
    await rig.day_over(shop)

    assert parts(before) == {"reply_rate_sessions": (1, 1)}
    assert parts(await named(monitor, shop, "reply_rate_sessions")) == {
        "reply_rate_sessions": (0, 1)
    }


async def test_n3_rounds_from_before_it_was_stored_whose_session_they_are_are_left_out_and_said(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await four_rounds(rig)
    await rig.folded()
    forget = "update rounds set session_offset = null where shop_id = :shop"
    await rig.change(forget, shop=shop.id)
    figures = await named(monitor, shop, *RATES)

    assert parts(figures)["reply_rate_sessions"] == (0, 0)
    assert figures["reply_rate_sessions"]["available_from"] == f"{DAY + timedelta(days=1)}"
    assert figures["reply_rate"]["available_from"] is None
    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def test_n7_a_first_response_is_counted_from_three_anchors(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened(0)
    await chat.queued(1)
    await chat.buyer(10)
    await chat.assigned(17, PersonId(f"{shop.id}-bob"))
    await chat.agent(22)
    names = ("frt", "frt_buyer_first_msg", "frt_to_human", "frt_assigned")

    assert parts(await named(monitor, shop, *names)) == {
        "frt": (12_000, 1),
        "frt_buyer_first_msg": (12_000, 1),
        "frt_to_human": (12_000, 1),
        "frt_assigned": (5_000, 1),
    }


async def test_n7_an_agent_was_slow_to_a_buyer_with_three_slow_rounds_of_a_day(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    slow = [(at, at + 121) for at in (0, 200, 400)]
    await answered(shop, *slow)
    await answered(shop, *slow[:2], (600, 720))
    kuaimai = await named(monitor, shop, "slow_buyers", profile="kuaimai")

    assert parts(kuaimai) == {"slow_buyers": (1, 2)}


async def test_n7_sessions_that_nobody_answered_say_what_became_of_them(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await answered(shop, (0, 10))
    silent = await shop.chat().opened()
    await silent.buyer(1)
    queued = await shop.chat().opened()
    await queued.queued(1)
    await queued.buyer(2)
    closed = await shop.chat().opened()
    await closed.buyer(1)
    await closed.closed(5)
    away = await rig.shop().listed()
    await away.agent_is(AgentState.OFFLINE)
    unheard = await away.chat().opened()
    await unheard.queued(1)
    await unheard.buyer(2)
    await rig.day_over(shop)
    await rig.day_over(away)

    # Under every profile, also those under which a bot answers or a silence ends the session.
    for profile in ("qiyu", "taobao_2022", "kuaimai", "douyin_2022"):
        assert parts(await named(monitor, shop, *MISSED, profile=profile)) == {
            "missed": (3, 4),
            "assigned_silent": (2, 4),
            "never_assigned": (0, 4),
            "left_in_queue": (1, 4),
        }

    async def told() -> bool:
        never = (await named(monitor, away, *MISSED))["never_assigned"]
        return (never["numerator"], never["denominator"]) == (1, 1)

    await eventually(told, what="it is known that nobody was there")


async def test_n7_an_empty_figure_says_why(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    early = await shop.chat().opened(-FOUR_AND_A_HALF_HOURS)
    await early.buyer(-FOUR_AND_A_HALF_HOURS)
    await rig.day_over(shop)
    asked = ("art", "round_p90", "first_within")

    assert reasons(await named(monitor, shop, *asked, profile="taobao_3min")) == dict.fromkeys(
        asked, (None, "outside_window")
    )
    assert reasons(await named(monitor, shop, *asked, profile="qiyu")) == {
        "art": (None, "no_answer"),
        "round_p90": (None, "no_answer"),
        "first_within": (0.0, None),
    }
    hours = await rows(monitor, shop, "art", bucket="hour")
    assert len(hours) == 24
    assert [one["metrics"]["art"]["why"] for one in hours] == [
        "no_answer" if hour == 7 else "no_traffic" for hour in range(24)
    ]
    assert not any(one["metrics"]["art"]["provisional"] for one in hours)
