"""Sentences name the command for the instance they are about."""

from pathlib import Path

import pytest

from launcher.instance import folders
from launcher.instance.typed import typed

pytestmark = pytest.mark.unit


def test_the_usual_instance_needs_no_option() -> None:
    assert typed("down", folders.CHECKOUT / ".peakdesk" / "default") == "./peakdesk down"


def test_another_instance_is_named() -> None:
    folder = folders.CHECKOUT / ".peakdesk" / "second"

    assert typed("up --infrastructure-only", folder) == (
        "./peakdesk up --infrastructure-only --instance second"
    )


def test_a_folder_of_ones_own_is_named_as_a_shell_wants_it(tmp_path: Path) -> None:
    mine = tmp_path / "my data"

    assert typed("up", mine / "default") == f"./peakdesk up --folder '{mine}'"
