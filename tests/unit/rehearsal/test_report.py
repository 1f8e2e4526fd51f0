"""A report passes only if the run is valid and every promise held."""

import re
from dataclasses import replace

import pytest

from rehearsal import page
from rehearsal.figures import Difference
from rehearsal.ledger import Ledger, Outcome, Sent, Serial, Shown
from rehearsal.report import FlagCount, MonitorCheck, Report, Run, make

pytestmark = pytest.mark.unit

LETTER_PX = 7
"""The widest digit of the page's charts, at 11 px."""


def a_report(*, acknowledged: int = 100, answered_after: float = 0.01) -> Report:
    """A hundred messages in ten seconds, one of them planted and held by the gate."""
    ledger = Ledger()
    for number in range(101):
        serial, due = Serial(number), number / 10
        planted = "insult" if number == 100 else None
        ledger.invoke(Sent(serial, "talk", "agent", due, planted=planted))
        if planted:
            ledger.answer(serial, Outcome.FAIL, at=due + 0.01, code="blocked")
        elif number < acknowledged:
            ledger.answer(serial, Outcome.OK, at=due + answered_after)
            shown = Shown(serial, (0, number), f"m{number}")
            ledger.show(ledger.screen("buyer", "talk"), shown, at=due + 0.02)
            ledger.history.setdefault("talk", []).append(shown)
    return make(
        Run(
            ledger=ledger,
            started=0.0,
            seconds=10.0,
            chaos=False,
            archive_lags_ms=[100.0, 200.0],
            flags=FlagCount(expected=1, raised=1, wrong=0, unplanted=0),
            monitor=MonitorCheck(compared=12, differences=()),
            title="a run",
            conversations=1,
            agents=1,
        )
    )


def test_a_clean_run_passes() -> None:
    report = a_report()

    assert report.passed
    assert (report.sent, report.acknowledged, report.held) == (101, 100, 1)
    assert report.send_to_ack_ms.p50 == pytest.approx(10.0)


def test_too_few_acknowledgements_make_a_run_invalid() -> None:
    report = a_report(acknowledged=94)

    assert not report.passed
    assert "only 94 of 100" in report.invalid[0]


def test_chaos_allows_more_unanswered_messages() -> None:
    assert not replace(a_report(acknowledged=94), chaos=True).invalid


def test_a_load_that_was_never_there_is_invalid() -> None:
    assert "achieved only" in a_report(answered_after=9.0).invalid[0]


def test_a_monitor_with_nothing_to_compare_is_invalid() -> None:
    report = replace(a_report(), monitor=MonitorCheck(0, ()))

    assert report.invalid == ("the monitor had no figure to compare",)


def test_a_missed_insult_fails_the_run() -> None:
    report = replace(a_report(), flags=FlagCount(expected=2, raised=1, wrong=0, unplanted=5))

    assert report.broken == ("1 missed",)


def test_a_different_figure_fails_the_run() -> None:
    difference = Difference("qiyu", "", "round_ms", 1, 2)

    report = replace(a_report(), monitor=MonitorCheck(12, (difference,)))

    assert report.broken == ("1 different",)


def test_the_json_report_has_the_documented_keys() -> None:
    keys = set(a_report().as_json())

    assert keys >= {
        "offered_per_s", "achieved_per_s", "sent", "acknowledged", "lost", "doubled",
        "out_of_order", "send_to_ack_ms", "send_to_screen_ms", "archived", "archive_lag_ms",
        "monitor", "flags", "repeat_frames",
    }  # fmt: skip


def test_the_charts_have_room_for_their_labels() -> None:
    slow = tuple(replace(one, ack_p99_ms=60_000.0) for one in a_report().per_second)
    shown = page.render(replace(a_report(), per_second=slow))

    labels = re.findall(r'<text x="(\d+)" y="[\d.]+" text-anchor="end">([^<]+ ms)<', shown)
    assert "100000 ms" in {words for _, words in labels}
    assert [words for x, words in labels if len(words) * LETTER_PX > float(x)] == []


def test_the_page_shows_text_from_outside_as_text() -> None:
    shown = page.render(replace(a_report(), title="<script>alert(1)</script>"))

    assert "<script>" not in shown
    assert shown.count("<svg") == 2
