"""The monitor on real Kafka and PostgreSQL: what the log says, board and figures say."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.monitor import (
    BoardPublished,
    IncidentStored,
    WaitingThresholdPassed,
    WordingFlagged,
)
from contracts.people import AgentState, PersonId, Role
from contracts.topics import ALERTS, BOARD
from kit.bus.resting import NEXT_REST_S
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop, boards_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


RESTS = 'peakdesk_consumer_rests_total{group="monitor.fold"}'


async def figures(monitor: Monitor, shop: Shop, profile: str, **query: str) -> list[dict[str, Any]]:
    """Ask for the day's figures."""
    answer = await monitor.get(
        "/v1/monitor/figures",
        shop.token(),
        **({"shop": shop.id, "profile": profile, "from": f"{DAY}", "to": "2026-11-12"} | query),
    )
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


async def test_figures_follow_the_profile(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    await chat.agent(40)
    await chat.buyer(60)
    await chat.agent(60 + 700)

    await rig.folded()

    (taobao,) = await figures(monitor, shop, "taobao_2022")
    (jd,) = await figures(monitor, shop, "jd_2021")
    (kuaimai,) = await figures(monitor, shop, "kuaimai")

    assert (taobao["rounds"], taobao["round_ms"], taobao["slow"]) == (2, 640_000, 1)
    assert (jd["sessions"], jd["first_responses"], jd["first_within"]) == (1, 1, 0)
    assert jd["first_response_ms"] == 40_000
    assert (kuaimai["rounds"], kuaimai["unanswered"]) == (1, 1)
    (qiyu,) = await figures(monitor, shop, "qiyu")
    # A percentile is of what is counted: where a profile caps a round, of the cap (N8).
    assert (taobao["round_max_ms"], qiyu["round_max_ms"]) == (600_000, 700_000)
    assert (taobao["buyers"], taobao["buyers_late"]) == (1, 1)


async def test_figures_by_agent_split_at_a_transfer_and_add_up_to_the_shop(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    ben = PersonId(f"{shop.id}-ben")
    chat = await shop.chat().opened()
    await chat.buyer(0)
    anne = chat.agent_id
    await chat.transferred(20, ben)
    await chat.agent(50)

    await rig.folded()
    agents = {
        row["agent_id"]: row for row in await figures(monitor, shop, "taobao_2022", by="agent")
    }
    (whole,) = await figures(monitor, shop, "taobao_2022")
    own = await monitor.get(
        "/v1/monitor/figures",
        shop.token(Role.AGENT, "ben"),
        shop=shop.id,
        profile="taobao_2022",
        **{"from": f"{DAY}", "to": "2026-11-12"},
    )

    assert (agents[anne]["unanswered"], agents[anne]["round_ms"]) == (1, 600_000)
    assert (agents[ben]["unanswered"], agents[ben]["round_ms"]) == (0, 30_000)
    assert whole["round_ms"] == 630_000
    assert [row["agent_id"] for row in own.json()["rows"]] == [ben]


async def test_a_round_left_open_on_a_past_day_counts_as_unanswered(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)

    await rig.day_over(shop)
    (taobao,) = await figures(monitor, shop, "taobao_2022")
    waiting = await monitor.get("/v1/monitor/waiting", shop.token(), shop=shop.id)

    assert (taobao["rounds"], taobao["unanswered"], taobao["round_ms"]) == (1, 1, 600_000)
    assert (taobao["sessions"], taobao["first_responses"], taobao["buyers_unanswered"]) == (1, 0, 1)
    assert [item["conversation_id"] for item in waiting.json()["items"]] == [chat.id]


async def test_the_board_shows_an_event_within_a_second(rig: Rig, monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    now = await rig.now()
    chat = await shop.chat(start=now).opened()
    async with rig.watching(BOARD.name) as seen:
        await rig.folded()
        await eventually(lambda: boards_of(seen, shop), what="the first board")
        await shop.agent_is(AgentState.ONLINE)
        await eventually(
            lambda: any(
                tile.state is AgentState.ONLINE
                for board in boards_of(seen, shop)
                for tile in board.agents
            ),
            what="the agent's state on the board",
        )

        said_at = datetime.now(UTC)
        await chat.buyer(0)
        board = await eventually(
            lambda: next((board for board in boards_of(seen, shop) if board.waiting == 1), None),
            what="the waiting buyer on a board",
        )
        snapshot = await monitor.get("/v1/monitor/board", shop.token(), shop=shop.id)
        inside = await monitor.inside(f"/internal/board/{shop.id}")

    assert board is not None
    assert board.time - said_at <= timedelta(seconds=1)
    assert board.delayed_ms == 0
    assert board.waiting_longest[0].conversation_id == chat.id
    assert board.open_conversations == 1
    assert board.messages == 1
    assert board.agents[0].name == "安妮"
    assert snapshot.json()["waiting"] == inside.json()["waiting"] == 1


async def test_a_shop_too_large_for_one_message_has_its_board_and_takes_nobody_along(
    rig: Rig, monitor: Monitor
) -> None:
    large, small = await rig.shop().listed(), await rig.shop().listed()
    many = [large.state_of(AgentState.ONLINE, f"{number:04}") for number in range(2_000)]
    async with rig.watching(BOARD.name) as seen:
        await rig.produce(*many)
        await rig.folded()
        board = await eventually(
            lambda: next((b for b in boards_of(seen, large) if _everybody(b) == len(many)), None),
            what="the large shop's board",
        )
        await small.chat(start=await rig.now()).opened()
        await rig.folded()
        await eventually(lambda: boards_of(seen, small), what="the small shop's board")
        whole = await monitor.get("/v1/monitor/board", large.token(), shop=large.id)
        inside = await monitor.inside(f"/internal/board/{large.id}")

    assert board is not None
    assert 0 < len(board.agents) < len(many)
    assert len(whole.json()["agents"]) == len(many)
    assert len(inside.json()["agents"]) == len(board.agents)


def _everybody(board: BoardPublished) -> int:
    return len(board.agents) + board.agents_left_out


async def test_boards_of_one_shop_come_at_most_every_half_second(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    chat = await shop.chat(start=await rig.now()).opened()
    async with rig.watching(BOARD.name) as seen:
        await rig.folded()
        await eventually(lambda: boards_of(seen, shop), what="the first board")
        for second in range(20):
            await chat.buyer(second)
            await rig.folded()
        await eventually(
            lambda: [b for b in boards_of(seen, shop) if b.messages == 20], what="the last board"
        )

    times = [board.time for board in boards_of(seen, shop)]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    assert gaps, "no two boards"
    assert min(gaps) >= 0.5


async def test_rude_words_of_both_sides_are_flagged_with_their_evidence(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    async with rig.watching(ALERTS.name) as seen:
        await chat.buyer(0, "你这个傻逼，骗子")
        await chat.agent(5, "你才是傻逼")
        await chat.agent(6, "亲，已经给您登记了")
        await rig.folded()
        await eventually(
            lambda: len([e for e in seen if isinstance(e, WordingFlagged)]) == 2, what="two flags"
        )
        answer = await monitor.get("/v1/monitor/flags", shop.token(), shop=shop.id, limit=1)
        first = answer.json()
        rest = await monitor.get(
            "/v1/monitor/flags", shop.token(), shop=shop.id, cursor=first["next_cursor"]
        )

    items = first["items"] + rest.json()["items"]
    assert [item["speaker"] for item in items] == ["agent", "buyer"]
    for item in items:
        hit = item["hits"][0]
        assert (hit["category"], hit["surface"]) == ("insult", "傻逼")
        assert hit["end"] - hit["start"] == 2
        assert item["lexicon_version"]
    assert rest.json()["next_cursor"] is None


async def test_a_held_message_is_stored_with_its_evidence_once(rig: Rig, monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    async with rig.watching(ALERTS.name) as seen:
        held = await shop.held("滚")
        await rig.produce(held, held)
        await eventually(
            lambda: [e for e in seen if isinstance(e, IncidentStored)], what="the incident's alert"
        )

        async def listed() -> list[dict[str, str]]:
            answer = await monitor.get("/v1/monitor/incidents", shop.token(), shop=shop.id)
            items: list[dict[str, str]] = answer.json()["items"]
            return items

        (item,) = await eventually(listed, what="the incident")
        board = (await monitor.get("/v1/monitor/board", shop.token(), shop=shop.id)).json()

    assert (item["text"], item["action"], item["incident_id"]) == ("滚", "block", held.id)
    assert board["held"] == 1


async def test_a_threshold_fires_once_never_early_and_never_after_the_answer(
    rig: Rig, monitor: Monitor
) -> None:
    """How late it comes is measured by `just bench monitor`, and held beside traffic by case 19."""
    shop = await monitor.shop_at_noon()
    now = await rig.now()
    waits = await shop.chat(start=now).opened()
    answered = await shop.chat(start=now).opened()
    async with rig.watching(ALERTS.name) as seen:
        await rig.folded()
        base = (await rig.now() - now).total_seconds()
        # Due three seconds from now: folded by then also on a busy machine, as H21 presupposes.
        await waits.buyer(base - 17)
        await answered.buyer(base - 17)
        await answered.agent(base - 16.9)
        fired = await eventually(
            lambda: [
                e for e in seen if isinstance(e, WaitingThresholdPassed) and e.shop_id == shop.id
            ],
            what="the alert",
        )
        await rig.folded()

    (alert,) = fired_for(seen, waits.id)
    assert (alert.threshold_s, alert.profile) == (20, "jd_2021")
    assert alert.profiles == ("jd_2021", "qiyu", "taobao_2022")
    assert fired_for(seen, answered.id) == []
    assert min(alert.late_ms for alert in fired) >= 0


def fired_for(seen: Sequence[object], conversation_id: str) -> list[WaitingThresholdPassed]:
    """Return a conversation's alerts."""
    return [
        event
        for event in seen
        if isinstance(event, WaitingThresholdPassed) and event.conversation_id == conversation_id
    ]


@pytest.mark.parametrize("path", ["board", "flags", "incidents", "waiting"])
async def test_another_shop_and_one_that_does_not_exist_answer_alike(
    rig: Rig, monitor: Monitor, path: str
) -> None:
    shop, other = rig.shop(), await rig.shop().listed()
    foreign = await monitor.get(f"/v1/monitor/{path}", shop.token(), shop=other.id)
    absent = await monitor.get(f"/v1/monitor/{path}", shop.token(), shop="nowhere")
    agent = await monitor.get(f"/v1/monitor/{path}", shop.token(Role.AGENT), shop=shop.id)

    assert (foreign.status_code, absent.status_code, agent.status_code) == (404, 404, 403)
    assert foreign.json()["detail"] == absent.json()["detail"]


async def test_poison_is_set_aside_and_blocks_nobody(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await rig.raw("chat", chat.id, b"not json", [("ce_type", b"chat.message.v1")])
    await rig.raw("chat", chat.id, b"{}", [("ce_type", b"chat.message.v9")])
    await rig.raw("chat", chat.id, b"\x00\xff")
    await chat.buyer(0)
    await chat.agent(3)

    await rig.folded()
    (taobao,) = await figures(monitor, shop, "taobao_2022")

    assert (taobao["rounds"], taobao["round_ms"]) == (1, 3_000)


async def test_a_visitor_who_types_an_escape_has_written_like_anybody_else(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    for second in range(21):
        await chat.buyer(second, "\\u0000")
    await chat.agent(30)

    await rig.folded()
    (taobao,) = await figures(monitor, shop, "taobao_2022")

    assert (taobao["rounds"], taobao["round_ms"]) == (1, 30_000)
    assert await rig.rows(
        "select sum(buyer_messages) from traffic where shop_id = :shop", shop=shop.id
    ) == [(21,)]


async def test_forty_visitors_with_one_poison_each_delay_an_honest_buyer_by_one_rest(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    await rig.folded()
    for _ in range(40):
        await rig.raw("chat", rig.ids.new(), b"{", [("ce_type", b"chat.message.v1")])

    async def rests() -> bool:
        return (await monitor.inside("/ready")).status_code == 503

    await eventually(rests)
    await chat.agent(10)
    before = await monitor.metric(RESTS)

    async def counted() -> bool:
        (taobao,) = await figures(monitor, shop, "taobao_2022")
        return (taobao["rounds"], taobao["round_ms"]) == (1, 10_000)

    await eventually(counted, within=3 * NEXT_REST_S)
    # While the poison was still being written a rest may have followed another; one may begin yet.
    assert await monitor.metric(RESTS) - before <= 1
    await rig.folded()
    assert (await monitor.inside("/ready")).status_code == 200
