"""Whoever reaches the broker can write anything: every reader refuses it by name or takes it.

A reader that fails otherwise tries three times, or ends its process (attack 63).
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

import contracts
from contracts import UnknownEvent, UnreadableEvent, decode
from kit.bus.ports import Record
from kit.errors import Dead
from kit.telemetry import continued
from services.conversation.archive.consumers import Rows
from services.gateway.frames import records
from services.gateway.frames.records import PoisonRecord
from services.monitor.fold.schemas import Unreadable, read

pytestmark = pytest.mark.unit

SAMPLES = Path(contracts.__file__).parent / "samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
CHAT = [
    name for name in NAMES if json.loads((SAMPLES / f"{name}.json").read_text())["topic"] == "chat"
]

Change: TypeAlias = Callable[[Record], dict[str, Any]]

HOSTILE: dict[str, Change] = {
    "tombstone": lambda _: {"value": None},
    "key that is no text": lambda _: {"key": b"\xff\xfe\x00"},
    "huge key": lambda _: {"key": b"k" * 400_000},
    "no key": lambda _: {"key": None},
    "ten thousand headers": lambda r: {
        "headers": tuple((f"h{n}", b"x") for n in range(10_000)) + r.headers
    },
    "no headers": lambda _: {"headers": ()},
    "headers that are no text": lambda r: {
        "headers": tuple((name, b"\xff\x00") for name, _ in r.headers)
    },
    "an id with NUL": lambda r: {"headers": _header(r, "ce_id", b"a\x00b")},
    "a trace that is none": lambda r: {"headers": _header(r, "traceparent", b"\xff-\x00")},
    "the first day": lambda r: {"headers": _header(r, "ce_time", b"0001-01-01T00:00:00+14:00")},
    "the last day": lambda r: {
        "headers": _header(r, "ce_time", b"9999-12-31T23:59:59.999999-12:00")
    },
    "no time": lambda r: {"headers": _header(r, "ce_time", b"1e999")},
    "deep JSON": lambda _: {"value": b'{"a":' * 50_000},
    "deep JSON in its place": lambda r: {"value": _longer(r, b"[" * 50_000)},
    "half a megabyte": lambda r: {"value": _longer(r, b'"%b"}' % (b"x" * 500_000))},
    "numbers": lambda r: {"value": _numbers(r, "1e999")},
    "long numbers": lambda r: {"value": _numbers(r, "1" * 5_000)},
    "numbers beyond bigint": lambda r: {"value": _numbers(r, str(2**70))},
    "negative numbers": lambda r: {"value": _numbers(r, "-1")},
    "a list": lambda _: {"value": b"[]"},
    "no UTF-8": lambda r: {"value": (r.value or b"").replace(b'"', b'"\xff', 1)},
    "NUL": lambda r: {"value": (r.value or b"").replace(b'":"', b'":"\\u0000')},
    "surrogates": lambda r: {"value": (r.value or b"").replace(b'":"', b'":"\\udfff')},
}  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_record_of_any_type_is_read_or_refused_by_name(hostile: str) -> None:
    for name in NAMES:
        changed = _changed(name, hostile)
        with continued(changed), suppress(UnknownEvent, UnreadableEvent):
            decode(changed)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_archive_monitor_and_gateway_read_or_refuse_a_hostile_record_of_the_chat_topic(
    hostile: str,
) -> None:
    for name in CHAT:
        changed = _changed(name, hostile)
        with suppress(Dead):
            Rows().add(changed)
        with suppress(Unreadable):
            read(changed)
        entry = records.entry_of(changed)
        if entry is not None:
            with suppress(PoisonRecord):
                records.spoken(entry)
                records.body(entry)


def _changed(name: str, hostile: str) -> Record:
    kept = json.loads((SAMPLES / f"{name}.json").read_text())
    headers = tuple((header, text.encode()) for header, text in kept["headers"].items())
    value = json.dumps(kept["body"], separators=(",", ":")).encode()
    record = Record(kept["topic"], 0, 7, 1000, kept["key"].encode(), value, headers)
    return msgspec.structs.replace(record, **HOSTILE[hostile](record))


def _header(record: Record, name: str, value: bytes) -> Any:
    return (*((n, v) for n, v in record.headers if n != name), (name, value))


def _longer(record: Record, more: bytes) -> bytes:
    return (record.value or b"")[:-1] + b',"x":' + more


def _numbers(record: Record, digits: str) -> bytes:
    body = json.loads(record.value or b"{}")
    marked = {k: "NUMBER" if isinstance(v, int) else v for k, v in body.items()}
    return json.dumps(marked).replace('"NUMBER"', digits).encode()
