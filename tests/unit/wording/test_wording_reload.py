"""Lexicon files: what is wrong is said with file, line and cure; a good change is swapped in."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wording import Action, Engine, LexiconError, LiveEngine, Speaker, lexicon
from wording.build import main
from wording.lexicon import SHIPPED, TERM_HEADER, read_lexicon

pytestmark = pytest.mark.unit

HEADER = "\t".join(TERM_HEADER)
GOOD = "insult.one\t坏词\thigh\t-\tall firm\t-\t-\t你这坏词\t坏掉的词典"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def into(content: str, name: str = "insult.tsv") -> Path:
        (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path

    return into


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("x\ty", 1, "wrong header"),
        ("", 1, "no header"),
        (f"{HEADER}\n{GOOD}\nonly\tthree\tcells", 3, "3 cells instead of 9"),
        (f"{HEADER}\n{GOOD.replace('high', 'huge')}", 2, "unknown word 'huge'"),
        (f"{HEADER}\n{GOOD.replace('all', 'alll')}", 2, "unknown word 'alll'"),
        (f"{HEADER}\n{GOOD}\n{GOOD}", 3, "twice"),
        (f"{HEADER}\n{GOOD.replace('坏词', '坏' * 40)}", 2, "text too long"),
    ],
)
def test_a_broken_line_is_named_with_its_cure(
    write: Write, rows: str, line: int, said: str
) -> None:
    with pytest.raises(LexiconError) as caught:
        read_lexicon(write(rows))

    assert caught.value.line == line
    assert str(caught.value).startswith(f"insult.tsv, line {line}: ")
    assert said in str(caught.value)
    assert ";" in str(caught.value)


def test_a_file_of_no_category_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"no \.tsv file"):
        read_lexicon(tmp_path)
    (tmp_path / "rude.tsv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(LexiconError, match="name it after a category"):
        read_lexicon(tmp_path)


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "insult.tsv").write_bytes(f"{HEADER}\n".encode() + b"\xff\xfe")

    with pytest.raises(LexiconError, match="line 2: not UTF-8"):
        read_lexicon(tmp_path)


def test_the_version_follows_the_content(write: Write) -> None:
    first = read_lexicon(write(f"{HEADER}\n{GOOD}")).version

    assert read_lexicon(write(f"{HEADER}\n{GOOD}")).version == first
    assert read_lexicon(write(f"{HEADER}\n{GOOD.replace('坏', '烂')}")).version != first


def test_an_engine_that_reads_otherwise_judges_under_another_version(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(f"{HEADER}\n{GOOD}")
    before = Engine.load(folder).check("有货", speaker=Speaker.AGENT).lexicon_version

    monkeypatch.setattr(lexicon, "READING", lexicon.READING + 1)

    assert Engine.load(folder).check("有货", speaker=Speaker.AGENT).lexicon_version != before


def test_a_changed_folder_is_swapped_in(write: Write) -> None:
    live = LiveEngine(write(f"{HEADER}\n{GOOD}"))
    before = live.current
    assert not live.reload_if_changed()

    write(f"{HEADER}\n{GOOD.replace('坏词', '新的坏词')}")

    assert live.reload_if_changed()
    assert live.current.lexicon_version != before.lexicon_version
    assert live.current.check("新的坏词", speaker=Speaker.AGENT).action is Action.BLOCK


def test_files_that_are_written_anew_with_the_same_words_build_no_engine(write: Write) -> None:
    live = LiveEngine(write(f"{HEADER}\n{GOOD}"))
    before = live.current
    os.utime(write(f"{HEADER}\n{GOOD}") / "insult.tsv", (1, 1))

    assert not live.reload_if_changed()
    assert live.current is before


def test_a_broken_change_keeps_the_old_engine(write: Write) -> None:
    live = LiveEngine(write(f"{HEADER}\n{GOOD}"))
    before = live.current
    write("broken")

    with pytest.raises(LexiconError):
        live.reload_if_changed()

    assert live.current is before
    assert not live.reload_if_changed()


def test_the_corpus_test_refuses_what_fires_on_innocent_talk(tmp_path: Path) -> None:
    folder = tmp_path / "lexicon"
    folder.mkdir()
    row = "insult.jianren\t贱人\thigh\t-\tall firm\t-\t-\t你个贱人\t见人"
    (folder / "insult.tsv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    corpus = tmp_path / "corpus.tsv"
    corpus.write_text("buyer\t你好\nbuyer\t是见人就送吗\nagent\t见人\n", encoding="utf-8")

    code = main(["--corpus", str(corpus), "--lexicon", str(folder)])

    refused = (folder / "refused.tsv").read_text(encoding="utf-8")
    assert code == 0
    assert "insult.jianren\thomophone" in refused
    assert "见人" not in refused
    assert Engine.load(folder).check("见人", speaker=Speaker.AGENT).action is Action.ALLOW
    assert Engine.load(folder).check("jianren", speaker=Speaker.AGENT).action is Action.BLOCK


def test_the_build_command_names_a_broken_lexicon(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write("broken")

    assert main(["--corpus", str(folder / "insult.tsv"), "--lexicon", str(folder)]) == 1
    assert "insult.tsv, line 1" in capsys.readouterr().err


def test_the_shipped_refusals_name_terms_that_exist(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "copy")
    lexicon = read_lexicon(folder)
    ids = {term.id for term in lexicon.terms}

    assert {term_id for term_id, _ in lexicon.refused} <= ids
