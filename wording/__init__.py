"""The wording engine: normalise, match, weigh, answer a verdict. A pure library without business.

Import from here; the modules below are how it is done.
"""

from wording.engine import Engine
from wording.lexicon import LexiconError
from wording.live import LiveEngine
from wording.model import (
    ABUSE,
    Action,
    Category,
    Flag,
    Hit,
    Policy,
    Severity,
    Speaker,
    Term,
    TermId,
    Verdict,
    Why,
)
from wording.policies import HOUSE, Listed, policy_of

__all__ = [
    "ABUSE",
    "HOUSE",
    "Action",
    "Category",
    "Engine",
    "Flag",
    "Hit",
    "LexiconError",
    "Listed",
    "LiveEngine",
    "Policy",
    "Severity",
    "Speaker",
    "Term",
    "TermId",
    "Verdict",
    "Why",
    "policy_of",
]
