"""Derives the schema of each event's body, frame and card from its model and keeps it in a file."""

import json
from pathlib import Path
from typing import Any, Final

import contracts
from contracts.base import ENVELOPE, Event
from contracts.cards import CARDS
from contracts.schemas.asyncapi import document
from contracts.schemas.frames import frame_types, of_frame
from contracts.schemas.gate import breaks

FOLDER: Final = Path(__file__).parent
FRAMES: Final = FOLDER / "frames"
KINDS: Final = FOLDER / "cards"
ASYNCAPI: Final = FOLDER.parent / "asyncapi.json"


class Breaking(Exception):
    """A change that needs a new version of an event. The text names types and fields."""


def of_event(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the event's body; the envelope travels in headers."""
    schema = event.model_json_schema(mode="validation")
    for name in ENVELOPE:
        schema["properties"].pop(name)
    schema["required"] = [name for name in schema["required"] if name not in ENVELOPE]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:peakdesk:event:{event.type}",
        **schema,
    }


def path_of(event: type[Event]) -> Path:
    """Return where the event's schema is kept."""
    return FOLDER / f"{event.type}.json"


def path_of_frame(name: str) -> Path:
    """Return where the schema of the frame whose `t` is `name` is kept."""
    return FRAMES / f"{name}.json"


def of_card(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of cards of a kind; `card` is always there."""
    schema = CARDS[kind].model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:peakdesk:card:{kind}",
        **schema,
        "required": ["card", *schema.get("required", ())],
    }


def path_of_card(kind: str) -> Path:
    """Return where the schema of a kind of card is kept."""
    return KINDS / f"{kind}.json"


def write() -> list[str]:
    """Write what changed and return the names of the files; refuse what would break anybody.

    Raises `Breaking`; then nothing is written. A schema whose event, frame or card is gone counts
    as broken: delete the file when nobody can hold such records any more.
    """
    events = contracts.event_types()
    schemas = {path_of(event): of_event(event) for event in events.values()}
    schemas |= {path_of_frame(name): of_frame(name) for name in frame_types()}
    schemas |= {path_of_card(kind): of_card(kind) for kind in CARDS}
    found = [
        f"{path.stem}: {broken}"
        for path, schema in schemas.items()
        if path.exists()
        for broken in breaks(json.loads(path.read_text()), schema)
    ]
    kept = [*FOLDER.glob("*.json"), *FRAMES.glob("*.json"), *KINDS.glob("*.json")]
    found += [f"{path.stem}: what it describes is gone" for path in kept if path not in schemas]
    if found:
        raise Breaking("Give it a new version instead:\n" + "\n".join(found))
    texts = {path: _text(schema) for path, schema in schemas.items()}
    texts[ASYNCAPI] = _text(document(list(events.values())))
    changed = [
        path for path, text in texts.items() if not path.exists() or path.read_text() != text
    ]
    for path in changed:
        path.write_text(texts[path])
    return sorted(path.name for path in changed)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
