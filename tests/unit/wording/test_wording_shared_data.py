"""The targets on development data, which stays outside: PEAKDESK_TEST_DATA names its folder.

`wording/obfuscated.tsv` holds disguises of insults and of shop words, `wording/utterances.tsv`
real utterances, practically all innocent.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from wording import Category, Engine, Speaker

FOLDER = os.environ.get("PEAKDESK_TEST_DATA")

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(FOLDER is None, reason="PEAKDESK_TEST_DATA names no folder of test data"),
]

ABUSE = {Category.INSULT, Category.THREAT, Category.DISCRIMINATION}
STRICT = {"zero_width", "punct", "emoji", "reverse_gap", "traditional", "repeat"}


def rows(name: str) -> Iterator[list[str]]:
    content = (Path(FOLDER or ".") / "wording" / name).read_text(encoding="utf-8")
    for line in content.split("\n")[1:]:
        if line:
            yield line.split("\t")


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def is_abuse(engine: Engine, text: str, speaker: Speaker = Speaker.AGENT) -> bool:
    return any(hit.category in ABUSE for hit in engine.check(text, speaker=speaker).hits)


def test_disguised_insults_reach_the_recall_of_each_transform(engine: Engine) -> None:
    found: dict[str, list[bool]] = defaultdict(list)
    for label, transform, _, _, text in rows("obfuscated.tsv"):
        if label == "1":
            found[transform].append(is_abuse(engine, text))

    assert share([flag for flags in found.values() for flag in flags]) >= 0.9
    weak = {name: share(flags) for name, flags in found.items() if share(flags) < 0.98}
    assert not STRICT & set(weak), weak


def test_disguised_shop_words_stay_below_the_limit(engine: Engine) -> None:
    flagged = [
        is_abuse(engine, text) for label, _, _, _, text in rows("obfuscated.tsv") if label == "0"
    ]

    assert share(flagged) <= 0.015


def test_real_agents_are_hardly_ever_flagged(engine: Engine) -> None:
    texts = [text for role, text in rows("utterances.tsv") if role == "agent"]
    verdicts = [engine.check(text, speaker=Speaker.AGENT) for text in texts]

    assert share([any(hit.category in ABUSE for hit in one.hits) for one in verdicts]) <= 0.0005
    assert share([bool(one.hits) for one in verdicts]) <= 0.005


def test_real_buyers_are_hardly_ever_called_abusive(engine: Engine) -> None:
    texts = [text for role, text in rows("utterances.tsv") if role in {"buyer", "unk"}]

    assert share([is_abuse(engine, text, Speaker.BUYER) for text in texts]) <= 0.0005
