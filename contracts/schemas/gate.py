"""The compatibility gate: what a changed schema would break.

Pure; knows JSON Schema as pydantic writes it, and nothing of events.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_PROSE: Final = frozenset({"title", "description", "default", "examples", "$comment"})
"""Keywords that no reader's verdict depends on."""

WIDENED: Final = frozenset(
    {
        (
            r"^(inbox|(conv|monitor):[A-Za-z0-9_-]{1,64})$",
            r"^(inbox|(conv|monitor|current):[A-Za-z0-9_-]{1,64})$",
        ),
        (
            r"^(inbox|(conv|monitor|current):[A-Za-z0-9_-]{1,64})$",
            r"^(inbox|(conv|monitor|board|current):[A-Za-z0-9_-]{1,64})$",
        ),
    }
)
"""Patterns, and those that took their place and let more through. A kind of stream more breaks
nobody: frames of it come to those alone who subscribed to it, which a reader of before never did.
"""

SAID_BY_CLIENTS: Final = frozenset({("urn:peakdesk:frame:send", "kind")})
"""Fields of frames whose values only clients write, and the gateway alone reads: it may take more
values than before. The records that it makes of them are judged by their own schemas."""

_OBJECT: Final = frozenset({"properties", "required", "$defs"})


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what breaks between two schemas of one event type, as sentences naming fields.

    Old readers take new events and new readers take old ones, so that a field may only be added,
    and only optional. A value added to an enum breaks old readers as surely as one removed.
    """
    old, new = _resolved(old, old), _resolved(new, new)
    return list(_compare(_with_more_to_say(old, new), new, "body"))


def _with_more_to_say(old: Schema, new: Schema) -> Schema:
    """Return the old schema with what clients may say by now, all of before among it."""
    fields = dict(_fields(old))
    for name, field in fields.items():
        before, after = field.get("enum", ()), _fields(new).get(name, {}).get("enum", ())
        if (old.get("$id"), name) in SAID_BY_CLIENTS and set(before) <= set(after):
            fields[name] = {**field, "enum": after}
    return {**old, "properties": fields} if fields else old


def _compare(old: Schema, new: Schema, where: str) -> Iterator[str]:
    old_fields, new_fields = _fields(old), _fields(new)
    for name in old_fields:
        if name not in new_fields:
            yield f"{where}/{name} was removed"
        else:
            yield from _compare(old_fields[name], new_fields[name], f"{where}/{name}")
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    yield from (f"{where}/{name} became required" for name in sorted(after - before))
    kept = (before - after) & new_fields.keys()
    yield from (f"{where}/{name} is no longer always there" for name in sorted(kept))
    yield from _compare_types(old, new, where)


def _compare_types(old: Schema, new: Schema, where: str) -> Iterator[str]:
    old_rest, new_rest = _rest(old), _rest(new)
    for word in sorted(old_rest.keys() | new_rest.keys()):
        before, after = old_rest.get(word), new_rest.get(word)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _compare(before, after, f"{where}/*")
        elif (one := _schemas(before)) and (other := _schemas(after)) and len(one) == len(other):
            for alternative, now in zip(one, other, strict=True):
                yield from _compare(alternative, now, where)
        elif before != after and not (word == "pattern" and (before, after) in WIDENED):
            yield f"{where} changed its {word}"


def _fields(schema: Schema) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = schema.get("properties", {})
    return found


def _rest(schema: Schema) -> dict[str, Any]:
    return {word: value for word, value in schema.items() if word not in _PROSE | _OBJECT}


def _schemas(value: Any) -> Sequence[Schema]:
    """Return the schemas of a list like `anyOf`; none if it lists something else."""
    listed = isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
    return value if listed else ()


def _resolved(schema: Any, root: Schema) -> Any:
    """Return the schema with every `$ref` replaced by what it names, sorted where order is none."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            named: Any = root
            for step in str(schema["$ref"]).removeprefix("#/").split("/"):
                named = named[step]
            return _resolved(named, root)
        return {word: _resolved(value, root) for word, value in schema.items() if word != "$defs"}
    if isinstance(schema, list):
        return [_resolved(item, root) for item in schema]
    return schema
