"""Every event has a sample that this release reads; samples are never regenerated, only added."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts import UnknownEvent, UnreadableEvent, decode, event_types
from contracts.base import Event, Headers
from contracts.conversation import LaterLifecycle, read_lifecycle
from contracts.handling import decoded
from contracts.topics import TOPICS
from contracts.work import WorkOpened
from kit.errors import PassedOver

pytestmark = pytest.mark.unit

SAMPLES = Path(contracts.__file__).parent / "samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))


@dataclass(frozen=True)
class Record:
    value: bytes | None
    headers: Headers


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def record(of: dict[str, Any], /, **changes: Any) -> Record:
    body = {**of["body"], **changes}
    headers = tuple((name, text.encode()) for name, text in of["headers"].items())
    return Record(json.dumps(body).encode(), headers)


def fields(*, required: bool) -> list[tuple[str, str]]:
    models = contracts.event_types()
    return [
        (name, field)
        for name in NAMES
        for field in sample(name)["body"]
        if models[name].model_fields[field].is_required() or not required
    ]


def test_every_event_has_a_sample() -> None:
    assert set(NAMES) == set(contracts.event_types())


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_read_and_written_again_without_loss(name: str) -> None:
    kept = sample(name)

    event = decode(record(kept))

    assert event.type == name
    assert (event.topic_name, event.key) == (kept["topic"], kept["key"])
    assert {header: text.decode() for header, text in event.headers()} == kept["headers"]
    written = json.loads(event.body())
    assert {field: written[field] for field in kept["body"]} == kept["body"]


@pytest.mark.parametrize(("name", "field"), fields(required=True))
def test_a_body_without_a_required_field_is_unreadable(name: str, field: str) -> None:
    kept = sample(name)
    del kept["body"][field]

    with pytest.raises(UnreadableEvent):
        decode(record(kept))


@pytest.mark.parametrize(("name", "field"), fields(required=False))
def test_a_body_with_a_field_of_another_type_is_unreadable(name: str, field: str) -> None:
    kept = sample(name)
    wrong = "text" if isinstance(kept["body"][field], dict) else {"another": "type"}

    with pytest.raises(UnreadableEvent):
        decode(record(kept, **{field: wrong}))


@pytest.mark.parametrize("name", NAMES)
def test_a_field_from_a_later_release_is_ignored(name: str) -> None:
    assert decode(record(sample(name), field_of_a_later_release=1)).type == name


def test_another_shop_in_the_header_than_in_the_body_is_unreadable() -> None:
    kept = sample("order.paid.v1")
    kept["headers"]["ce_shop"] = "another"

    with pytest.raises(UnreadableEvent, match="ce_shop"):
        decode(record(kept))


def test_a_version_that_nobody_knows_is_unknown() -> None:
    kept = sample("order.paid.v1")
    kept["headers"]["ce_type"] = "order.paid.v99"

    with pytest.raises(UnknownEvent):
        decode(record(kept))


@pytest.mark.parametrize("name", NAMES)
async def test_a_type_of_the_next_release_is_passed_over_before_it_is_decoded(name: str) -> None:
    """As a reader of the release before meets what is new here (B60)."""
    kept = sample(name)
    kept["headers"]["ce_type"] = f"{name}.of_the_next_release"

    async def never(event: Event) -> None:
        raise AssertionError(event)

    with pytest.raises(PassedOver):
        await decoded(never)(Record(b"\xff", record(kept).headers))


def test_a_lifecycle_event_of_a_newer_release_is_read_as_far_as_all_are_alike() -> None:
    kept = sample("conversation.assigned.v1")
    known = read_lifecycle(record(kept))
    kept["headers"]["ce_type"] = "conversation.blessed.v1"

    later = read_lifecycle(record(kept))

    assert isinstance(later, LaterLifecycle)
    assert (later.version, later.conversation_id) == (known.version, known.conversation_id)
    assert LaterLifecycle.type not in event_types()


@pytest.mark.parametrize("name", ["order.paid.v1", "order.paid.v99", "chat.message.v1"])
def test_what_is_no_lifecycle_event_is_never_read_as_one(name: str) -> None:
    kept = sample(name.replace("v99", "v1"))
    kept["headers"]["ce_type"] = name

    with pytest.raises((UnknownEvent, UnreadableEvent)):
        read_lifecycle(record(kept))


def test_version_one_of_opened_work_says_the_same_in_version_two() -> None:
    opened = decode(record(sample("work.opened.v1")))
    assert isinstance(opened, WorkOpened)

    upgraded = opened.upgraded()

    told = decode(Record(upgraded.body(), upgraded.headers()))
    assert told == upgraded
    assert (upgraded.id, upgraded.told_by, upgraded.owner_version) == (opened.id, "aftersales", 1)
    assert (upgraded.kind, upgraded.subject.id) == (opened.kind.value, opened.order_id)


def test_an_owner_is_the_source_of_what_he_says() -> None:
    kept = sample("work.settled.v2")

    settled = decode(record(kept, owner="orders"))

    assert dict(settled.headers())["ce_source"] == b"orders"


def test_what_is_unreadable_is_told_by_field_and_never_by_value() -> None:
    kept = sample("case.requested.v1")

    with pytest.raises(UnreadableEvent) as told:
        decode(record(kept, amount_fen="a secret of the buyer"))

    assert "amount_fen" in str(told.value)
    assert "secret" not in str(told.value)


def test_an_event_stands_on_a_topic_that_its_service_may_write() -> None:
    for event in contracts.event_types().values():
        told_by = sample(event.type)["headers"]["ce_source"]
        assert event.topic in TOPICS
        assert told_by in event.topic.writers, event.type
