"""What is worth telling, how often it is told, and how what happens becomes one alert."""

from typing import Any

import pytest

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.alerting.domain import (
    AlertState,
    Happened,
    Key,
    Over,
    Standing,
    counted,
    gathered,
    step_of,
)
from services.monitor.alerting.rules import SHIPPED
from services.monitor.channels.domain import Level, Step

pytestmark = pytest.mark.unit

AT = 1_794_398_400_000
SHOP = ShopId("s1")


def wait(value: int, conversation: str = "c1", at_ms: int = AT) -> Happened:
    return Happened(
        f"{conversation}-{value}", SHOP, Over.WAITS, at_ms, ConversationId(conversation),
        PersonId("anne"), value=value,
    )  # fmt: skip


def marked(over: Over, **marks: str) -> Happened:
    found = {name: (value,) for name, value in marks.items()}
    return Happened("e1", SHOP, over, AT, ConversationId("c1"), PersonId("anne"), marks=found)


def standing(**changes: Any) -> Standing:
    values: dict[str, Any] = {
        "id": "a1", "key": Key("buyer_waits", 0, "c1"), "level": Level.WARN,
        "state": AlertState.OPEN, "count": 1, "stage": 0, "opened_ms": AT, "told_ms": AT,
    }  # fmt: skip
    return Standing(**(values | changes))


def test_n38_a_wait_matters_from_the_first_value_on_and_more_from_the_second() -> None:
    found = [gathered(SHIPPED, [wait(value)]) for value in (20, 100, 179, 180, 600)]

    assert [[hits.level for hits in one.values()] for one in found] == [
        [],
        [Level.WARN],
        [Level.WARN],
        [Level.CRITICAL],
        [Level.CRITICAL],
    ]


@pytest.mark.parametrize(
    ("happened", "rules"),
    [
        (marked(Over.FLAGS, speaker="agent", severity="high"), {"agent_abuses": "anne"}),
        (marked(Over.FLAGS, speaker="agent", severity="low"), {}),
        (marked(Over.FLAGS, speaker="buyer", severity="high"), {"buyer_abuses": "c1"}),
        (marked(Over.FLAGS, speaker="buyer", severity="medium"), {}),
        (marked(Over.INCIDENTS, action="block"), {"message_blocked": "anne"}),
        (marked(Over.INCIDENTS, action="confirm"), {}),
    ],
)
def test_n38_shipped_rules_look_for_what_they_say(
    happened: Happened, rules: dict[str, str]
) -> None:
    assert {key.rule: key.object_id for key in gathered(SHIPPED, [happened])} == rules


def test_n40_what_happens_often_is_one_alert_a_thing() -> None:
    events = [wait(100), wait(180), wait(100, "c2"), wait(20, "c3")]

    found = gathered(SHIPPED, events)

    assert {key.object_id: (hits.count, hits.level) for key, hits in found.items()} == {
        "c1": (2, Level.CRITICAL),
        "c2": (1, Level.WARN),
    }


def test_n40_it_is_told_when_it_opens_gets_worse_or_goes_on_for_long() -> None:
    (same,) = gathered(SHIPPED, [wait(100)]).values()
    (worse,) = gathered(SHIPPED, [wait(180)]).values()

    assert step_of(None, same, now_ms=AT) is Step.OPENED
    assert step_of(standing(), same, now_ms=AT + 1_000) is None
    assert step_of(standing(), worse, now_ms=AT + 1_000) is Step.RAISED
    assert step_of(standing(level=Level.CRITICAL), worse, now_ms=AT + 1_000) is None
    assert step_of(standing(), same, now_ms=AT + 3_600_000) is Step.REPEATED


def test_n40_counting_never_makes_it_matter_less() -> None:
    (same,) = gathered(SHIPPED, [wait(100)]).values()

    found = counted(standing(level=Level.CRITICAL, count=4), same, new_id="a2")

    assert (found.id, found.level, found.times, found.opened_ms) == ("a1", Level.CRITICAL, 5, AT)
