"""What presence reads of a gateway's report is what the contract says, and nothing else passes."""

from datetime import UTC, datetime

import msgspec
import pytest

from contracts.gateway import Connected, PresenceReported
from contracts.people import PersonId, Role, ShopId
from kit.bus.ports import Record, message_of
from kit.errors import Dead
from services.conversation.presence.consumers import _read
from services.conversation.presence.schemas import Carried, Report

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 11, tzinfo=UTC)
REPORT = PresenceReported(
    id="r",
    time=NOW,
    shop_id=ShopId("platform"),
    gateway_id="gateway-1",
    people=tuple(
        Connected(person_id=PersonId(f"p{role}"), shop_id=ShopId("s"), role=role) for role in Role
    ),
    leaving=True,
)


def record(**changed: bytes | None) -> Record:
    """Return the record of a report, headers or `value` changed; None leaves a header out."""
    message = message_of(REPORT)
    value = changed.pop("value", message.value)
    headers = {name: held for name, held in message.headers if changed.get(name, b"") is not None}
    headers |= {name: held for name, held in changed.items() if held is not None}
    return Record(message.topic, 0, 0, 0, message.key, value, tuple(headers.items()))


def test_it_reads_what_the_contract_writes() -> None:
    found = _read(record())

    assert found is not None
    at, report = found
    assert (at, report.leaving) == (NOW, True)
    assert [(one.person_id, one.role) for one in report.people] == [
        (one.person_id, one.role) for one in REPORT.people
    ]


def test_its_fields_are_the_contracts() -> None:
    def names(of: type[msgspec.Struct]) -> set[str]:
        return {field.name for field in msgspec.structs.fields(of)}

    assert names(Report) <= PresenceReported.model_fields.keys()
    assert names(Carried) <= Connected.model_fields.keys()


@pytest.mark.parametrize(
    "changed",
    [
        {"value": None},
        {"value": b"[]"},
        {"value": b'{"people": 1}'},
        {"value": b'{"people": [{"person_id": "p", "role": "king"}]}'},
        {"value": b"\xff"},
        {"ce_time": None},
        {"ce_time": b"yesterday"},
        {"ce_time": b"2026-11-11T00:00:00"},
        {"ce_time": b"\xff"},
        {"ce_type": None},
        {"ce_type": b"presence.reported.v9"},
    ],
    ids=str,
)
def test_what_is_no_report_is_set_aside(changed: dict[str, bytes | None]) -> None:
    with pytest.raises(Dead):
        _read(record(**changed))
