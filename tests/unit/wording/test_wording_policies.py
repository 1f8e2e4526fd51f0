"""A shop's entry in the directory becomes one policy, whoever judges by it."""

from datetime import UTC, datetime

import pytest

from contracts.conversation import ShopListed
from contracts.people import ConversationId, PersonId, ShopId
from kit.bus.ports import Record, message_of
from services.gateway import hub
from services.gateway.inbound.gate import Gate, GateInput
from services.monitor.directory import shops as directory
from wording import HOUSE, Action, Category, Policy, Severity, Speaker, Verdict, policy_of

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)

LISTED = ShopListed(
    id="e",
    time=AT,
    shop_id=ShopId("shop-a"),
    name="n",
    wording_actions={"cold": "block", "of a newer release": "block", "insult": "shout"},
    wording_terms=("呵呵", "自己看"),
    allow_spans=("傻瓜相机",),
    policy_version="7",
    version=9,
)
"""An entry that uses everything, and words that this release does not know."""


class Engine:
    """Keeps the policy that it was asked by."""

    policy: Policy | None = None

    @property
    def current(self) -> "Engine":
        """Stand for the engine, too."""
        return self

    def check(self, text: str, *, speaker: Speaker, policy: Policy) -> Verdict:
        """Let everything pass."""
        self.policy = policy
        return Verdict(Action.ALLOW, (), "v1")


def at_the_gate(entry: ShopListed) -> Policy | None:
    """Return the policy by which the gateway judges an agent's words."""
    known, engine, message = hub.Directory(), Engine(), message_of(entry)
    known.apply(Record("directory", 0, 0, 0, message.key, message.value, message.headers))
    people = (entry.shop_id, ConversationId("c"), PersonId("a"))
    Gate(engine, known, b"k").judge(GateInput(*people, "client", "message", "hash", "x", None), AT)
    return engine.policy


def in_the_monitor(entry: ShopListed) -> Policy:
    """Return the policy by which the monitor flags."""
    known = directory.Directory()
    known.list_shop(entry)
    return known.shop(entry.shop_id).policy


def test_gateway_and_monitor_judge_by_the_same_policy() -> None:
    assert at_the_gate(LISTED) == in_the_monitor(LISTED) == policy_of(LISTED)


def test_an_entry_overrides_the_house_where_its_words_are_known() -> None:
    policy = policy_of(LISTED)

    assert policy.actions == {**HOUSE.actions, Category.COLD: Action.BLOCK}
    assert policy.allow_spans == ("傻瓜相机",)
    assert policy.version == "shop-a:7:9"
    found = [(t.id, t.texts, t.category, t.severity) for t in policy.extra_terms]
    assert found == [
        ("shop.1", ("呵呵",), Category.INSULT, Severity.HIGH),
        ("shop.2", ("自己看",), Category.INSULT, Severity.HIGH),
    ]
