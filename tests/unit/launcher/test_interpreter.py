"""Of several checkouts on a machine each runs its own code, wherever the terminal stands."""

import subprocess
from pathlib import Path

import pytest

import launcher
from launcher.interpreter import run_module

pytestmark = pytest.mark.unit

LAUNCHER = Path(launcher.__file__).parent
OURS = "launcher.errors"
SPELLED = "sys.executable,"


def test_from_inside_another_checkout_our_own_module_is_run(tmp_path: Path) -> None:
    other = tmp_path / "launcher"
    other.mkdir()
    (other / "__init__.py").touch()
    (other / "errors.py").write_text("raise SystemExit('the other checkout ran')")

    done = subprocess.run(
        run_module(OURS), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_no_module_is_run_in_another_way() -> None:
    found = [file.name for file in LAUNCHER.rglob("*.py") if SPELLED in file.read_text()]

    assert found == ["interpreter.py"]
