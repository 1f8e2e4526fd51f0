# /// script
# requires-python = ">=3.11"
# dependencies = ["quixstreams==3.28.1"]
# ///
"""Floor (d): quixstreams doing the monitor's windows, messages and characters per conversation.

It wants an older pydantic than PeakDesk, so it runs in an environment of its own, as a script:
`uv run --script tests/load/floors/windows.py < JOB`. So it can import nothing of ours.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from quixstreams import Application  # type: ignore[import-not-found]  # see above
from quixstreams.dataframe.windows import Count, Sum  # type: ignore[import-not-found]  # see above

WINDOW: Final = timedelta(minutes=5)
STUCK_S: Final = 120.0
MESSAGE: Final = b"chat.message.v1"


class Progress:
    """Counts what comes in; the clock starts with the first record and stops with the last."""

    def __init__(self, records: int, stop: Callable[[], None]) -> None:
        self._left, self._stop = records, stop
        self.wall = self.cpu = 0.0

    def came(self, _value: object) -> None:
        """Count a record; end the run with the last."""
        if not self.wall:
            self.wall, self.cpu = time.perf_counter(), time.process_time()
        self._left -= 1
        if self._left == 0:
            self._stop()

    @property
    def whole(self) -> bool:
        """Whether every record came."""
        return self._left <= 0


def is_message(_value: object, _key: object, _time: int, headers: Any) -> bool:
    """Tell a chat message from a lifecycle event by its header."""
    return ("ce_type", MESSAGE) in headers


def main(job: dict[str, Any]) -> dict[str, float]:
    """Fold the whole topic into tumbling windows, state kept as quixstreams does by itself."""
    with tempfile.TemporaryDirectory() as state:
        app = Application(
            broker_address=job["bootstrap_servers"],
            consumer_group=f"{job['prefix']}windows-{time.time_ns()}",
            auto_offset_reset="earliest",
            state_dir=state,
            loglevel="ERROR",
        )
        progress = Progress(job["records"], app.stop)
        topic = app.topic(f"{job['prefix']}chat", value_deserializer="json")
        frame = app.dataframe(topic).update(progress.came)
        frame = frame.filter(is_message, metadata=True)
        frame = frame.apply(lambda body: len(body["d"].get("text", "")))
        frame.tumbling_window(WINDOW).agg(messages=Count(), characters=Sum()).current()
        app.run(timeout=STUCK_S)
        cpu, wall = time.process_time() - progress.cpu, time.perf_counter() - progress.wall
    if not progress.whole:
        raise SystemExit(f"quixstreams did not get through the topic in {STUCK_S:.0f} s")
    return {"records": job["records"], "cpu_s": cpu, "wall_s": wall}


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))  # noqa: T201 - its one output
