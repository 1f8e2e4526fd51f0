"""The shipped rules of reception, and how they take real talk (N22, N24).

PEAKDESK_TEST_DATA names a folder of real utterances; it stays outside.
"""

import os
from pathlib import Path

import pytest

from reception import KINDS, RuleName, RuleRefused, fingerprint, load, parse
from reception import SHIPPED as FOLDER
from services.monitor.reception.book import SHIPPED

pytestmark = pytest.mark.unit

DATA = os.environ.get("PEAKDESK_TEST_DATA")

MOST = 0.003


def test_n22_eight_rules_are_shipped_and_one_of_them_is_off() -> None:
    files = load()

    assert {file.rule for file in files} == set(RuleName)
    assert {file.kind for file in files} == set(KINDS)
    assert [file.rule for file in files if not file.on] == [RuleName.NO_APOLOGY]


def test_n22_another_number_is_another_version() -> None:
    first, *others = load()
    numbers = {
        name: one.model_copy(update={"value": one.max}) for name, one in first.numbers.items()
    }

    changed = first.model_copy(update={"numbers": numbers})

    assert fingerprint([changed, *others]) != fingerprint([first, *others])
    assert fingerprint([*others, first]) == fingerprint([first, *others])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("over_s = ", "over = ", "numbers of round_over are over_s, worse_s"),
        ("min = 30", "min = 999", "min, value and max must ascend"),
        ("severity = 2", "severity = 4", "severity"),
        ("[title]", "title", "not TOML"),
    ],
)
def test_n22_a_broken_file_is_refused_with_its_place(old: str, new: str, says: str) -> None:
    text = (FOLDER / "silence.toml").read_text(encoding="utf-8")

    with pytest.raises(RuleRefused, match=says):
        parse(text.replace(old, new, 1), "silence.toml")


def test_n22_a_folder_without_a_rule_is_refused(tmp_path: Path) -> None:
    (tmp_path / "silence.toml").write_bytes((FOLDER / "silence.toml").read_bytes())

    with pytest.raises(RuleRefused, match="one file for each"):
        load(tmp_path)


@pytest.mark.skipif(DATA is None, reason="PEAKDESK_TEST_DATA names no folder of test data")
def test_n24_real_talk_is_seldom_curt_or_shouting() -> None:
    path = Path(DATA or ".") / "wording" / "utterances.tsv"
    said = [row.split("\t")[-1].lower() for row in path.read_text(encoding="utf-8").split("\n")[1:]]
    marks, curt = SHIPPED.marks, SHIPPED.curt
    assert marks is not None
    assert curt is not None

    shouting = [words for words in said if marks.shout(words)]
    short = [words for words in said if curt.said(words) in curt.whole]

    assert 0 < len(shouting) <= MOST * len(said)
    assert 0 < len(short) <= MOST * len(said)
