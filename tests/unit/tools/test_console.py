"""The digest that says whether the committed pages are those of the sources beside them."""

from pathlib import Path

import pytest

from launcher.errors import LaunchError
from tools import console, nodejs

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A console with two sources, and pages that were built from them."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.ts").write_text("1")
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "built_from").write_text(f"{console.digest(tmp_path)}\n")
    return tmp_path


def test_pages_are_current_until_a_source_changes(folder: Path) -> None:
    assert console.is_current(folder)

    (folder / "src" / "main.ts").write_text("2")

    assert not console.is_current(folder)


@pytest.mark.parametrize("name", ["src/more.ts", "package-lock.json", "vite.config.ts"])
def test_a_new_or_another_file_makes_pages_stale(folder: Path, name: str) -> None:
    (folder / name).write_text("something else")

    assert not console.is_current(folder)


def test_a_moved_source_makes_pages_stale(folder: Path) -> None:
    (folder / "src" / "main.ts").rename(folder / "src" / "other.ts")

    assert not console.is_current(folder)


@pytest.mark.parametrize(
    "name", ["node_modules/vue/index.js", "tests/a.test.ts", "dist/assets/a.js", "src/.main.ts.swp"]
)
def test_what_no_build_reads_changes_nothing(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("anything")

    assert console.is_current(folder)


def test_pages_that_were_never_built_are_not_current(folder: Path) -> None:
    (folder / "dist" / "built_from").unlink()

    assert not console.is_current(folder)


def test_what_is_committed_is_current() -> None:
    assert console.is_current()


def test_a_failed_build_says_so_and_shows_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(nodejs, "run", lambda *_: (False, "line 7 is wrong\n"))

    with pytest.raises(LaunchError, match="console's build failed"):
        console.build(tmp_path)

    assert capsys.readouterr().out == "line 7 is wrong\n"
    assert not (tmp_path / "built_from").exists()


def test_an_older_node_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.20.2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(nodejs, "_own_node", lambda: Path("/own"))

    assert nodejs._node() == Path("/own/bin/node")

    old.write_text("#!/bin/sh\necho v24.1.0\n")

    assert nodejs._node() == old
