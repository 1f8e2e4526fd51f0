"""The report as one HTML page: the figures and their charts, with nothing fetched from anywhere.

Turns a report into text; every value from outside is escaped.
"""

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from rehearsal.report import Report, Second
from rehearsal.terminal import rows

_WIDTH: Final = 860
_HEIGHT: Final = 220
_LEFT: Final = 72
_BOTTOM: Final = 28

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2733; --soft: #6b7788; --line: #d9dfe7;
        --paper: #fff; --good: #12805c; --bad: #c0392b; --one: #2f6fde; --two: #e08a1e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #97a3b4; --line: #333c49; --paper: #151a21; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 920px; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; }
.verdict { display: inline-block; padding: .2rem .8rem; border-radius: 1rem; color: #fff;
           font-weight: 600; margin: .8rem 0; }
.good { background: var(--good); } .bad { background: var(--bad); }
table { border-collapse: collapse; width: 100%; }
td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { color: var(--soft); width: 45%; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--soft); }
.axis { stroke: var(--line); } .one { stroke: var(--one); } .two { stroke: var(--two); }
path { fill: none; stroke-width: 1.8; } .key { color: var(--soft); font-size: .85rem; }
.key b { font-weight: 600; } .key .one { color: var(--one); } .key .two { color: var(--two); }
li { color: var(--bad); } details { margin-top: 2rem; color: var(--soft); }
pre { overflow-x: auto; font-size: .8rem; }
"""

Series = tuple[str, str, Sequence[float | None]]
"""CSS class, name, and one value a second; None leaves a gap."""


def render(report: Report) -> str:
    """Return the whole page."""
    good = report.passed
    word = "passed" if good else "invalid" if report.invalid else "failed"
    reasons = [*report.invalid, *report.broken, *report.findings.examples]
    figures = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows(report)
    )
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>PeakDesk rehearsal: {word}</title><style>{_STYLE}</style>
<h1>PeakDesk rehearsal</h1><div class="key">{escape(report.title)}</div>
<div class="verdict {"good" if good else "bad"}">{word}</div>
<ul>{listed}</ul>
<table>{figures}</table>
{_load(report.per_second)}
{_latency(report.per_second)}
<details><summary>The same as JSON</summary><pre>{escape(_json(report))}</pre></details>
</html>
"""


def _json(report: Report) -> str:
    return json.dumps(report.as_json(), ensure_ascii=False, indent=2)


def _load(seconds: Sequence[Second]) -> str:
    return _chart(
        "Messages per second",
        (
            ("one", "offered", [s.offered for s in seconds]),
            ("two", "acknowledged", [s.acknowledged for s in seconds]),
        ),
        unit="",
    )


def _latency(seconds: Sequence[Second]) -> str:
    return _chart(
        "Slowest hundredth of each second, from the scheduled send time",
        (
            ("one", "send to ack p99", [s.ack_p99_ms for s in seconds]),
            ("two", "send to the other screen p99", [s.screen_p99_ms for s in seconds]),
        ),
        unit=" ms",
    )


def _chart(title: str, series: Sequence[Series], *, unit: str) -> str:
    top = _round_up(max((v for _, _, values in series for v in values if v), default=1.0))
    count = max((len(values) for _, _, values in series), default=1)

    def x(index: float) -> float:
        return _LEFT + index * (_WIDTH - _LEFT - 8) / max(1, count - 1)

    def y(value: float) -> float:
        return (_HEIGHT - _BOTTOM) - value * (_HEIGHT - _BOTTOM - 10) / top

    lines = "".join(
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:g}{unit}</text>'
        for v in (0.0, top / 2, top)
    )
    ticks = "".join(
        f'<text x="{x(index):.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{index:.0f} s</text>'
        for index, anchor in ((0, "start"), ((count - 1) / 2, "middle"), (count - 1, "end"))
    )
    paths = "".join(f'<path class="{css}" d="{_path(v, x, y)}"/>' for css, _, v in series)
    key = " &nbsp; ".join(f'<b class="{css}">{escape(name)}</b>' for css, name, _ in series)
    return (
        f'<h2>{escape(title)}</h2><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">{lines}{ticks}{paths}</svg><div class="key">{key}</div>'
    )


def _path(
    values: Sequence[float | None], x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    parts: list[str] = []
    pen_down = False
    for index, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{x(index):.1f},{y(value):.1f}")
        pen_down = True
    return " ".join(parts)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    magnitude = 1.0
    while magnitude * 10 <= value:
        magnitude *= 10
    return next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= value)
