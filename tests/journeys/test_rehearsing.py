"""The rehearsal passes on the platform, and fails as soon as a screen lies."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.platform import CHECKOUT, Platform

pytestmark = pytest.mark.journey

TIMEOUT_S = 100


def rehearse(platform: Platform, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    login, password = platform.admin
    report = folder / "report.json"
    argv = [sys.executable, "-m", "rehearsal", "--url", platform.url, "--login", login]
    argv += ["--json", str(report), *options]
    done = subprocess.run(
        argv,
        cwd=CHECKOUT,
        env=os.environ | {"PEAKDESK_PASSWORD": password},
        check=False,
        timeout=TIMEOUT_S,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert report.exists(), done.stdout
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return done.returncode, found


def test_a_peak_with_cut_connections_keeps_every_promise(
    platform: Platform, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"

    code, report = rehearse(
        platform, tmp_path,
        "--rate", "10", "--seconds", "12", "--curve", "peak", "--chaos", "--html", str(page),
    )  # fmt: skip

    # How fast it went is the machine's affair; what was promised is not.
    assert code == (0 if report["passed"] else 1)
    assert all("achieved" in reason for reason in report["invalid"]), report
    assert report["sent"] == 120
    assert (report["lost"], report["doubled"], report["out_of_order"]) == (0, 0, 0)
    assert report["archived"] == report["acknowledged"]
    assert report["monitor"]["compared"] > 0
    assert report["monitor"]["different"] == 0
    assert report["flags"]["expected"] > 0
    assert (report["flags"]["missed"], report["flags"]["false"]) == (0, 0)
    assert "<svg" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("lie", "found_as"),
    [
        ("drop", "lost"),
        # That each check can fail is shown in memory; that a failing one fails the run, by one.
        pytest.param("repeat", "doubled", marks=pytest.mark.heavy),
        pytest.param("swap", "out_of_order", marks=pytest.mark.heavy),
    ],
)
def test_a_screen_that_lies_fails_the_run(
    platform: Platform, tmp_path: Path, lie: str, found_as: str
) -> None:
    code, report = rehearse(
        platform, tmp_path, "--rate", "12", "--seconds", "5", "--sabotage", lie
    )  # fmt: skip

    assert code == 1
    assert report[found_as] > 0
