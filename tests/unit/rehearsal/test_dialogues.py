"""A dialogue file is played whole or refused with the line that is wrong."""

from pathlib import Path

import pytest

from rehearsal.dialogues import BadDialogues, Side, load
from wording import Engine, Speaker

pytestmark = pytest.mark.unit


def test_the_shipped_set_is_labelled_and_rude_on_both_sides() -> None:
    shipped = load()

    planted = [t for d in shipped.dialogues for t in d.turns if t.planted]
    assert shipped.labelled
    assert {t.side for t in planted} == set(Side)


def test_of_the_shipped_set_the_gate_minds_what_is_planted_and_nothing_else() -> None:
    engine = Engine.load()
    speakers = {Side.BUYER: Speaker.BUYER, Side.AGENT: Speaker.AGENT}
    turns = {turn for talk in load().dialogues for turn in talk.turns}

    minded = {turn for turn in turns if engine.check(turn.text, speaker=speakers[turn.side]).hits}

    assert minded == {turn for turn in turns if turn.planted}


def test_a_file_without_labels_is_an_unlabelled_set(tmp_path: Path) -> None:
    file = tmp_path / "talk.tsv"
    file.write_text("session\trole\ttext\n0\tbuyer\t在吗\n0\tagent\t在的\n", encoding="utf-8")

    talk = load(file)

    assert not talk.labelled
    assert [t.text for t in talk.dialogues[0].turns] == ["在吗", "在的"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("role\ttext\nbuyer\t在吗\n", "the header lacks session"),
        ("session\trole\ttext\n0\tsomebody\t在吗\n", "line 2"),
        ("session\trole\ttext\n0\tbuyer\t\n", "line 2"),
        ("session\trole\ttext\n0\tagent\t在的\n", "no dialogue starts with a buyer"),
        (f"session\trole\ttext\n0\tbuyer\t{'长' * 5000}\n", "line 2"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "talk.tsv"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(BadDialogues, match=said):
        load(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDialogues, match=r"cannot read .*missing\.tsv"):
        load(tmp_path / "missing.tsv")
