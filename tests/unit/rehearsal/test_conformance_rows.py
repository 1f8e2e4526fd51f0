"""The reference client keeps the rows of an inbox as the conformance cases say."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from contracts.frames import SERVER_FRAME
from rehearsal.rows import Inbox
from rehearsal.streams import Frame

pytestmark = pytest.mark.unit

FILE: Final = Path(__file__).parents[3] / "contracts" / "conformance" / "rows.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_rows_are_what_the_case_says(case: dict[str, Any]) -> None:
    inbox = Inbox("me")
    for step in case["steps"]:
        if "recv" in step:
            received(inbox, step["recv"])
        elif "do" in step:
            snap = CASES[0]["steps"][0]["recv"]
            rows = [one for one in snap["d"]["conversations"] if one["id"] in step["rows"]]
            received(inbox, {**snap, "d": {**snap["d"], "conversations": rows}})
        else:
            assert {name: shown(inbox, name) for name in inbox.rows} == step["expect_rows"]


def received(inbox: Inbox, frame: dict[str, Any]) -> None:
    """Let the server send a frame, which has to be one of the protocol."""
    SERVER_FRAME.validate_json(json.dumps(frame))
    inbox.take(msgspec.convert(frame, Frame))


def shown(inbox: Inbox, name: str) -> dict[str, Any]:
    """Return a row as cases show it."""
    row = inbox.rows[name]
    return {"preview": row.preview, "waits": row.waiting_since is not None, "unread": row.unread}
