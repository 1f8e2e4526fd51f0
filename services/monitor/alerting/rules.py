"""The rules that are shipped, as `shipped.json` has them. Knows how a rule is written."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from services.monitor.alerting.domain import Escalation, Higher, Over, Rule, Scope
from services.monitor.channels.domain import Level


def rule_of(written: Mapping[str, Any], *, version: int = 0) -> Rule:
    """Read a rule. Raises KeyError, ValueError or TypeError for one that is none."""
    return Rule(
        name=written["name"],
        title=written["title"],
        over=Over(written["over"]),
        scope=Scope(written["scope"]),
        level=Level(written["level"]),
        value=written.get("value"),
        where=written.get("where"),
        above=tuple(Higher(one["value"], Level(one["level"])) for one in written.get("above", ())),
        repeat_s=written["repeat_s"],
        resolve_s=written["resolve_s"],
        escalate=tuple(
            Escalation(one["after_s"], tuple(one["to"])) for one in written.get("escalate", ())
        ),
        channels=tuple(written.get("channels", ())),
        version=version,
    )


def shipped() -> tuple[Rule, ...]:
    """Read the shipped rules."""
    text = files(__package__).joinpath("shipped.json").read_text(encoding="utf-8")
    return tuple(map(rule_of, json.loads(text)))


SHIPPED: Final = shipped()
