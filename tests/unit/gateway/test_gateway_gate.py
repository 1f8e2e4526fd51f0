"""The wording gate and the limits of sockets: in memory."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.conversation import ShopListed
from contracts.gateway import cleared
from contracts.people import ConversationId, PersonId, ShopId
from kit.bus.ports import Record, message_of
from kit.clock import ManualClock
from services.gateway.hub import Directory
from services.gateway.inbound.gate import Blocked, Gate, GateInput, Passed
from services.gateway.limits import Rate
from wording import (
    HOUSE,
    Action,
    Category,
    Hit,
    Policy,
    Severity,
    Speaker,
    TermId,
    Verdict,
    Why,
    policy_of,
)

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
SHOP = ShopId("shop-a")


def record(event: ShopListed) -> Record:
    """Return the record of an entry."""
    message = message_of(event)
    return Record("directory", 0, 0, 0, message.key, message.value, message.headers)


class Engine:
    """Answers one action to everything."""

    def __init__(self, action: Action, version: str = "v1", *hits: Hit) -> None:
        self._verdict = Verdict(action, hits, version)
        self.asked: list[Policy] = []

    @property
    def current(self) -> "Engine":
        """Stand for the engine, too."""
        return self

    def check(self, text: str, *, speaker: Speaker, policy: Policy) -> Verdict:
        """Return the verdict."""
        assert (text, speaker) == ("x", Speaker.AGENT)
        self.asked.append(policy)
        return self._verdict


HIT = Hit(Category.COLD, Severity.LOW, TermId("t"), 0, 1, "x", "x", Why.LITERAL, Action.LOG)


def gate_input(words: str = "x", *, confirm: str | None = None) -> GateInput:
    """Return an agent's words."""
    ids = (SHOP, ConversationId("c1"), PersonId("a"))
    return GateInput(*ids, "client", "message", "hash", words, confirm)


@pytest.mark.parametrize("action", [Action.ALLOW, Action.LOG, Action.WARN])
def test_mild_words_pass(action: Action) -> None:
    assert isinstance(Gate(Engine(action), Directory(), b"k").judge(gate_input(), AT), Passed)


def test_a_signature_is_good_for_these_words_and_this_lexicon_alone() -> None:
    gate = Gate(Engine(Action.CONFIRM), Directory(), b"k")
    held = gate.judge(gate_input(), AT)
    assert isinstance(held, Blocked)
    signature = str(held.answer.extras["confirm"])
    passed = gate.judge(gate_input(confirm=signature), AT)
    assert isinstance(passed, Passed)
    assert passed.confirmed is not None
    assert passed.confirmed.incident_id == held.incident.id == held.answer.extras["incident_id"]
    other = gate_input(confirm=signature)._replace(body_hash="other")
    assert isinstance(gate.judge(other, AT), Blocked)
    for stranger in (
        Gate(Engine(Action.CONFIRM, "v2"), Directory(), b"k"),
        Gate(Engine(Action.CONFIRM), Directory(), b"other key"),
    ):
        assert isinstance(stranger.judge(gate_input(confirm=signature), AT), Blocked)
    blocking = Gate(Engine(Action.BLOCK), Directory(), b"k")
    assert isinstance(blocking.judge(gate_input(confirm=signature), AT), Blocked)


def test_the_same_words_sent_again_are_one_incident() -> None:
    gate = Gate(Engine(Action.BLOCK), Directory(), b"k")
    first, second = (
        gate.judge(gate_input(), AT),
        gate.judge(gate_input(), AT + timedelta(seconds=9)),
    )
    assert isinstance(first, Blocked)
    assert isinstance(second, Blocked)
    assert first.incident.id == second.incident.id


def test_a_message_is_meant_once_whatever_reason_a_resend_gives() -> None:
    gate = Gate(Engine(Action.CONFIRM), Directory(), b"k")
    held = gate.judge(gate_input(), AT)
    assert isinstance(held, Blocked)
    signed = gate_input(confirm=str(held.answer.extras["confirm"]))
    first, second = (
        gate.judge(signed._replace(reason=reason), AT) for reason in ("他问的", "又一次")
    )
    assert isinstance(first, Passed)
    assert isinstance(second, Passed)
    assert first.confirmed is not None
    assert second.confirmed is not None
    assert first.confirmed.id == second.confirmed.id
    assert first.confirmed.reason == "他问的"


def test_the_shops_policy_comes_from_the_directory() -> None:
    directory, engine = Directory(), Engine(Action.ALLOW)
    gate = Gate(engine, directory, b"k")
    gate.judge(gate_input(), AT)
    shop = ShopListed(
        id="e",
        time=AT,
        shop_id=SHOP,
        name="n",
        wording_actions={"cold": "block", "unknown": "block", "insult": "shout"},
        wording_terms=("呵呵",),
        allow_spans=("傻瓜相机",),
        version=2,
    )
    directory.apply(record(shop))
    gate.judge(gate_input(), AT)
    house, own = engine.asked
    assert not house.extra_terms
    assert own.actions[Category.COLD] is Action.BLOCK
    assert own.actions[Category.INSULT] is house.actions[Category.INSULT]
    assert (own.extra_terms[0].texts, own.allow_spans) == (("呵呵",), ("傻瓜相机",))
    assert own.version != house.version


def test_words_are_cleared_by_the_rules_that_found_nothing_in_them() -> None:
    directory = Directory()
    gate = Gate(Engine(Action.ALLOW, "v7"), directory, b"k")
    assert gate.judge(gate_input(), AT) == Passed(cleared=cleared("v7", HOUSE.version))
    shop = ShopListed(id="e", time=AT, shop_id=SHOP, name="n", policy_version="3", version=2)
    directory.apply(record(shop))
    assert gate.judge(gate_input(), AT) == Passed(cleared=cleared("v7", policy_of(shop).version))


@pytest.mark.parametrize("action", [Action.ALLOW, Action.LOG, Action.WARN])
def test_words_that_pass_with_a_finding_are_not_cleared(action: Action) -> None:
    found = Gate(Engine(action, "v1", HIT), Directory(), b"k").judge(gate_input(), AT)
    assert isinstance(found, Passed)
    assert found.cleared is None


def test_no_words_are_not_judged_and_not_cleared() -> None:
    gate = Gate(Engine(Action.ALLOW), Directory(), b"k")
    assert gate.judge(gate_input(""), AT) == Passed()


# ---- limits


def test_a_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    clock = ManualClock()
    bucket = Rate(20, 40).bucket(clock)
    assert sum(bucket.take() for _ in range(100)) == 40
    clock.advance(1)
    assert sum(bucket.take() for _ in range(100)) == 20
