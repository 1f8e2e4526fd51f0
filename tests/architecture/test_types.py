"""The type checker catches a forgotten await: at a peer, one let any password in."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]
PLANTED = """
async def password_is_right(password: str) -> bool:
    return password == "secret"

async def log_in(password: str) -> str:
    if password_is_right(password):
        return "in"
    password_is_right(password)
    return "out"
"""


def test_a_coroutine_that_nobody_awaits_is_a_type_error(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED)
    program = Path(sys.executable).with_name("mypy")

    done = subprocess.run(
        [program, "--config-file", CHECKOUT / "pyproject.toml", planted],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    assert "planted.py:6" in done.stdout, "a coroutine as a condition"
    assert "planted.py:8" in done.stdout, "a coroutine called and dropped"
