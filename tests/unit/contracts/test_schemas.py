"""The kept schemas fit the models, and the gate sees every change that would break somebody."""

import copy
import json
import re
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_asyncapi import AsyncAPI
from typing_extensions import override

import contracts
from contracts.base import Event, Moment
from contracts.frames import CLIENT_FRAME, SERVER_FRAME
from contracts.orders import OrderPaid
from contracts.schemas import (
    breaks,
    document,
    frame_types,
    of_event,
    of_frame,
    path_of,
    path_of_frame,
)
from contracts.schemas.asyncapi import SOCKET
from contracts.schemas.gate import WIDENED
from contracts.schemas.generate import ASYNCAPI, FOLDER, FRAMES
from contracts.topics import ORDERS, TOPICS, Topic

pytestmark = pytest.mark.unit

FRAME_NAMES = sorted(frame_types())
EVENTS = sorted(contracts.event_types().values(), key=lambda event: event.type)


def kept(event: type[Event]) -> Any:
    return json.loads(path_of(event).read_text())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_no_model_breaks_its_kept_schema(event: type[Event]) -> None:
    assert breaks(kept(event), of_event(event)) == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_the_kept_schema_is_the_models(event: type[Event]) -> None:
    assert kept(event) == of_event(event), (
        "run python -m contracts.schemas and commit what it wrote"
    )


@pytest.mark.parametrize("name", FRAME_NAMES)
def test_the_kept_schema_of_a_frame_is_the_models(name: str) -> None:
    described = json.loads(path_of_frame(name).read_text())

    assert described == of_frame(name), "run python -m contracts.schemas"
    assert described["properties"]["t"]["const"] == name


@pytest.mark.parametrize("name", FRAME_NAMES)
def test_only_a_clients_frame_is_refused_for_a_field_more(name: str) -> None:
    admits = of_frame(name).get("additionalProperties", True)

    assert admits is (name not in _names(CLIENT_FRAME))


def test_every_frame_of_both_sides_has_its_own_schema() -> None:
    both = {*_names(CLIENT_FRAME), *_names(SERVER_FRAME)}

    assert len(both) == len(_names(CLIENT_FRAME)) + len(_names(SERVER_FRAME))
    assert {path.stem for path in FRAMES.glob("*.json")} == both == set(FRAME_NAMES)


def _names(frame: TypeAdapter[Any]) -> list[str]:
    return list(frame.json_schema()["discriminator"]["mapping"])


def test_the_asyncapi_document_is_up_to_date() -> None:
    expected = document(list(contracts.event_types().values()))
    assert json.loads(ASYNCAPI.read_text()) == expected, "run python -m contracts.schemas"


def test_no_kept_schema_is_without_its_event() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(contracts.event_types())


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    described = document(list(contracts.event_types().values()))
    assert set(described["channels"]) == {SOCKET, *(topic.name for topic in TOPICS)}
    for reference in references(described):
        if reference.startswith("./"):
            assert (ASYNCAPI.parent / reference).exists(), reference
            continue
        found: Any = described
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        inner = [found for item in value.values() for found in references(item)]
        return inner + ([value["$ref"]] if "$ref" in value else [])
    return (
        [found for item in value for found in references(item)] if isinstance(value, list) else []
    )


@pytest.mark.parametrize("field", ["order_id", "paid_fen", "currency"])
def test_a_removed_field_breaks(field: str) -> None:
    new = of_event(OrderPaid)
    del new["properties"][field]
    new["required"] = [name for name in new["required"] if name != field]

    assert f"body/{field} was removed" in breaks(of_event(OrderPaid), new)


@pytest.mark.parametrize("field", ["order_id", "paid_fen", "paid_at"])
def test_a_retyped_field_breaks(field: str) -> None:
    new = of_event(OrderPaid)
    new["properties"][field] = {"type": "boolean"}

    assert f"body/{field} changed its type" in breaks(of_event(OrderPaid), new)


def test_a_field_that_becomes_required_breaks() -> None:
    new = of_event(OrderPaid)
    new["required"] = [*new["required"], "currency"]

    assert breaks(of_event(OrderPaid), new) == ["body/currency became required"]


def test_a_field_that_may_be_missing_from_now_on_breaks() -> None:
    new = of_event(OrderPaid)
    new["required"] = [name for name in new["required"] if name != "paid_fen"]

    assert breaks(of_event(OrderPaid), new) == ["body/paid_fen is no longer always there"]


def test_an_optional_field_more_breaks_nobody() -> None:
    new = of_event(OrderPaid)
    new["properties"] = {**new["properties"], "channel": {"type": "string", "default": ""}}

    assert breaks(of_event(OrderPaid), new) == []


def test_better_words_break_nobody() -> None:
    new = of_event(OrderPaid)
    new["description"] = "Told better."
    new["properties"]["paid_fen"]["title"] = "Paid"

    assert breaks(of_event(OrderPaid), new) == []


@pytest.mark.parametrize(
    ("name", "definition", "field"),
    [
        ("order.placed.v1", "Line", "price_fen"),
        ("board.published.v1", "AgentTile", "figures"),
        ("presence.reported.v1", "Connected", "person_id"),
    ],
)
def test_a_field_removed_deep_inside_breaks(name: str, definition: str, field: str) -> None:
    old = of_event(contracts.event_types()[name])
    new = copy.deepcopy(old)
    inner = new["$defs"][definition]
    del inner["properties"][field]
    inner["required"].remove(field)

    assert any(broken.endswith(f"{field} was removed") for broken in breaks(old, new))


def test_a_value_more_in_an_enum_breaks_old_readers() -> None:
    old = of_event(contracts.event_types()["order.address_checked.v1"])
    new = copy.deepcopy(old)
    new["$defs"]["AddressResult"]["enum"].append("refused")

    assert breaks(old, new) == ["body/result changed its enum"]


def test_a_value_more_that_clients_alone_say_breaks_nobody() -> None:
    old, message = of_frame("send"), of_event(contracts.event_types()["chat.message.v1"])
    more, less, read = copy.deepcopy(old), copy.deepcopy(old), copy.deepcopy(message)
    more["properties"]["kind"]["enum"].append("sticker")
    less["properties"]["kind"]["enum"].remove("card")
    read["properties"]["kind"]["enum"].append("note")

    assert breaks(old, more) == []
    for before, after in ((old, less), (message, read)):
        assert breaks(before, after) == ["body/kind changed its enum"]


def test_a_type_narrowed_in_one_of_several_breaks() -> None:
    old = of_event(contracts.event_types()["case.reviewed.v1"])
    new = copy.deepcopy(old)
    new["properties"]["agreed_reason"]["anyOf"] = [{"type": "string"}]

    assert breaks(old, new) == ["body/agreed_reason changed its anyOf"]


@pytest.mark.parametrize(("before", "after"), sorted(WIDENED))
@given(data=st.data())
def test_a_pattern_that_lets_more_through_lets_through_all_that_it_did(
    before: str, after: str, data: st.DataObject
) -> None:
    assert re.search(after, data.draw(st.from_regex(before, fullmatch=True)))
    assert breaks({"pattern": before}, {"pattern": after}) == []
    assert breaks({"pattern": after}, {"pattern": before}) == ["body changed its pattern"]


def test_the_envelope_is_no_part_of_the_body() -> None:
    class Told(Event):
        topic: ClassVar[Topic] = ORDERS
        source: ClassVar[str] = "orders"
        at: Moment

        @property
        @override
        def key(self) -> str:
            return self.id

    Told.type = "test.told.v1"

    assert of_event(Told)["required"] == ["shop_id", "at"]


def test_the_asyncapi_document_is_one() -> None:
    """Read by the models of the specification, which refuse what it does not know."""
    document = AsyncAPI.model_validate_json(ASYNCAPI.read_text())

    assert document.root.asyncapi == "3.0.0"
    assert set(document.root.channels or {}) == {SOCKET, *(topic.name for topic in TOPICS)}
