"""Rules of good reception: the data files by which agents' ways are looked at, and their shape.

A rule is a file in a folder. What its kind means is the monitor's business: nothing here looks at
a conversation, or knows a service.
"""

from reception.files import (
    KINDS,
    SHIPPED,
    Kind,
    Number,
    RuleFile,
    RuleName,
    RuleRefused,
    fingerprint,
    load,
    parse,
)

__all__ = [
    "KINDS",
    "SHIPPED",
    "Kind",
    "Number",
    "RuleFile",
    "RuleName",
    "RuleRefused",
    "fingerprint",
    "load",
    "parse",
]
