"""Whatever grows in the monitor has a named retention, no shorter than the log's (H50)."""

from importlib import import_module
from pathlib import Path

import pytest

from kit.settings import SettingsRefused, load
from services import monitor
from services.monitor.retention.repository import ALERTS, EVIDENCE, FIGURES
from services.monitor.settings import LOG_DAYS, Settings
from services.monitor.tables import METADATA

pytestmark = pytest.mark.unit

BOUNDED = {
    "agents": "a row per agent",
    "audit": "kept for good",
    "book_spans": "a row per partition and change of the rule profiles",
    "books": "a row per change of the rule profiles",
    "channels": "twenty rows a shop",
    "conversations": "the fold forgets what is over",
    "idempotency": "answers of a day, then they are forgotten",
    "inbox": "forgotten with the answers",
    "generations": "a row per topic that was made anew by hand",
    "outbox": "the relay deletes what is told",
    "partitions": "a row per partition",
    "timers": "one an alert that nobody took care of, until it fires",
    "positions": "a row per partition",
    "turn_spans": "a row per partition, and one more where a release that tells no turns folded",
    "waiting_marks": "a row per partition",
    "wording_spans": "those that another followed long ago go with the evidence",
    "reception_spans": "those that another followed long ago go with the evidence",
}
"""Tables without a row per fact, and why."""


def test_each_table_that_grows_has_a_retention() -> None:
    for path in Path(monitor.__path__[0]).glob("*/models.py"):
        import_module(f"services.monitor.{path.parent.name}.models")
    aged = {one.row.__tablename__ for one in (*FIGURES, *EVIDENCE, *ALERTS)}

    assert {found.name for found in METADATA.tables.values()} == aged | BOUNDED.keys()
    assert aged & BOUNDED.keys() == set()


@pytest.mark.parametrize("name", ["figures_kept_days", "evidence_kept_days", "alerts_kept_days"])
def test_less_than_the_log_keeps_is_refused_at_the_start(name: str) -> None:
    assert getattr(load(Settings, **{name: LOG_DAYS}), name) == 30

    with pytest.raises(SettingsRefused, match=f"PEAKDESK_{name.upper()}=29 is less than the 30"):
        load(Settings, **{name: LOG_DAYS - 1})
