"""`docs/settings.md`: every variable that a process reads, from its settings classes."""

import importlib
from collections.abc import Iterator
from enum import Enum
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kit import settings
from kit.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from tools.pages.markdown import code, one_line, table

SERVICES: Final = ("gateway", "conversation", "orders", "aftersales", "monitor")

_SHARED: Final = (
    ("Every process", KafkaSettings, "Also read by what makes the topics."),
    ("Every service", ServiceSettings, ""),
    ("Every service with a database", DatabaseSettings, ""),
)

_INTRODUCTION: Final = """\
A process reads variables `PEAKDESK_*` and nothing else.
One that it does not know stops its start, for it is a typing error.
A secret may also come from the file that the variable with `_FILE` behind its name names.
What is marked *own* is only for development as it stands: production refuses it.
`./peakdesk up` sets all of them by itself."""


def page() -> str:
    """Return the page."""
    parts = [
        "# Settings",
        _INTRODUCTION,
    ]
    known: set[str] = set()
    for title, shared, word in _SHARED:
        parts += _part(title, shared, word, known=known)
    for service in SERVICES:
        own = importlib.import_module(f"services.{service}.settings").Settings
        parts += _part(f"`{service}`", own, one_line(own.__doc__), known=known, keep=False)
    return "\n\n".join(filter(None, parts))


def _part(
    title: str, of: type[KafkaSettings], word: str, *, known: set[str], keep: bool = True
) -> Iterator[str]:
    fields = {
        name: field
        for name, field in of.model_fields.items()
        if name not in known or name in vars(of)["__annotations__"]
    }
    if keep:
        known.update(fields)
    yield f"## {title}"
    yield word
    yield table(
        ("variable", "default", "what it is"),
        (
            (code(settings.variable(name)), _default(field), one_line(field.description))
            for name, field in fields.items()
        ),
    )


def _default(field: FieldInfo) -> str:
    if settings.must_be_set(field):
        return "*own*"
    if field.default_factory is not None:
        return "by the machine"
    value = field.default
    if isinstance(value, SecretStr):
        return code(value.get_secret_value())
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(str(value.value if isinstance(value, Enum) else value))
