"""The report on wording: its disguises hide, its rows and its exit code tell what is missed."""

from pathlib import Path

import pytest

from tools.wording_report import __main__ as report
from tools.wording_report.__main__ import main
from tools.wording_report.disguises import MECHANICAL, PEOPLES
from tools.wording_report.rows import Row, base_words
from wording.lexicon import read_lexicon

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", [*MECHANICAL, *PEOPLES])
def test_a_disguise_hides_many_of_the_words(name: str) -> None:
    words = base_words(read_lexicon())
    how = {**MECHANICAL, **PEOPLES}[name]

    assert sum(how(word) != word for word in words) >= len(words) // 8


def test_the_same_words_are_taken_each_time() -> None:
    assert base_words(read_lexicon()) == base_words(read_lexicon())


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("recall", 0.95, 20, least=0.95), True),
        (Row("recall", 0.94, 20, least=0.95), False),
        (Row("flags", 0.01, 100, most=0.01), True),
        (Row("flags", 0.02, 100, most=0.01), False),
        (Row("told", 0, 100), True),
    ],
)
def test_a_row_tells_whether_its_target_is_met(row: Row, *, met: bool) -> None:
    assert row.met is met


def test_a_missed_target_is_told_and_is_the_exit_code_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = base_words(read_lexicon())[:40]  # all of them in every disguise take seconds
    monkeypatch.setattr(report, "base_words", lambda _: few)
    folder = tmp_path / "wording"
    folder.mkdir()
    rude = "role\ttext\nagent\t你就是个傻逼\nagent\t好的亲\nbuyer\t在吗\n"
    (folder / "utterances.tsv").write_text(rude, encoding="utf-8")

    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (insult,) = {line for line in lines if line.startswith("real agents: insult")}
    assert insult.split()[3] == "50.000%"
    assert insult.endswith("MISSED")
