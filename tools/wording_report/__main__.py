"""`just wording-report [FOLDER] [--check] [--show]`: the targets of the wording engine, row by row.

FOLDER holds `wording/utterances.tsv` (role, text: real and practically all innocent) and, if there
is one, `wording/obfuscated.tsv`; PEAKDESK_TEST_DATA names it, too. Without, the rows of real talk
are left out. Speed is for `just bench wording`.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.wording_report.rows import (
    Row,
    base_words,
    disguised,
    is_abuse,
    real,
    spoken,
    tone,
)
from wording import Engine, Speaker
from wording.lexicon import read_lexicon

SHOWN = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if `--check` is given and a target is missed."""
    options = _options(arguments)
    missed = 0
    for row in _rows(options.folder):
        missed += not row.met
        sys.stdout.write(_line(row))
        if options.show:
            sys.stdout.writelines(f"      {one!r}\n" for one in row.shown[:SHOWN])
    sys.stdout.write(f"{missed} missed\n")
    return 1 if options.check and missed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just wording-report", description=__doc__)
    data = os.environ.get("PEAKDESK_TEST_DATA")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(data) if data else None)
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--show", action="store_true", help="print what stands against a row")
    return parser.parse_args(arguments)


def _rows(folder: Path | None) -> Iterator[Row]:
    engine = Engine.load()
    yield from disguised(engine, base_words(read_lexicon()))
    yield from spoken(engine)
    yield from tone(engine)
    if folder is not None:
        yield from _listed(engine, folder / "wording" / "obfuscated.tsv")
        yield from real(engine, _talk(folder / "wording" / "utterances.tsv"))


def _talk(path: Path) -> Mapping[Speaker, Sequence[str]]:
    talk: dict[Speaker, list[str]] = {speaker: [] for speaker in Speaker}
    for role, text in _cells(path):
        talk[Speaker.AGENT if role == "agent" else Speaker.BUYER].append(text)
    return talk


def _listed(engine: Engine, path: Path) -> Iterator[Row]:
    """Measure the disguises of a file: label, transform, word, disguise, sentence."""
    if not path.exists():
        return
    found: dict[str, list[tuple[str, bool]]] = {}
    for label, transform, _, _, text in _cells(path):
        name = transform if label == "1" else "shop words"
        found.setdefault(name, []).append((text, is_abuse(engine, text)))
    shop = found.pop("shop words", [])
    for name, judged in sorted(found.items()):
        missed = [text for text, flag in judged if not flag]
        yield Row(f"listed: {name}", 1 - len(missed) / len(judged), len(judged), shown=missed)
    every = [flag for judged in found.values() for _, flag in judged]
    yield Row("listed: all transforms", sum(every) / max(1, len(every)), len(every), least=0.95)
    wrong = [text for text, flag in shop if flag]
    share = len(wrong) / max(1, len(shop))
    yield Row("listed: shop words", share, len(shop), most=0.01, shown=wrong)


def _cells(path: Path) -> Iterator[list[str]]:
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    return (line.split("\t") for line in lines if line)


def _line(row: Row) -> str:
    target = ""
    if row.least is not None:
        target = f">= {row.least:.2f}"
    elif row.most is not None:
        target = f"<= {row.most:.2%}"
    value = f"{row.value:.3f}" if row.most is None else f"{row.value:.3%}"
    state = "" if not target else "met" if row.met else "MISSED"
    return f"{row.name:44} {value:>8} of {row.of:6,}  {target:10} {state}\n"


if __name__ == "__main__":
    sys.exit(main())
