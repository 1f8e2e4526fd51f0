"""`python tests/load/bench_wording.py`: the full wording engine against raw pyahocorasick.

Both hold the same 100,000 invented terms (the engine its own lexicon on top) and read the same
messages, interleaved, in one process. CPU time of the thread is measured, so that neighbours on
the machine disturb little. The ratio that counts compares, message by message, the best of all
rounds.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ahocorasick  # type: ignore[import-not-found]  # ships no types

from wording.engine import Engine
from wording.lexicon import Entry, read_lexicon
from wording.model import Category, Severity, Speaker, Term, TermId

TERMS = 100_000
MESSAGES = 6_000
ROUNDS = 5
SEED = 11
TARGET_RATIO = 2.3
TARGET_P99_US = 50.0

Check = Callable[[str], object]


def main() -> None:
    """Measure, print a table and, if asked, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--messages", type=Path, help="one a line; of a TSV the last column")
    options = parser.parse_args()
    messages = sample(options.messages)
    words = invent(random.Random(SEED))
    raw = raw_automaton(words)
    shipped = Engine.load()
    large = engine_with(words)
    contestants: dict[str, Check] = {
        "pyahocorasick": raw,
        "engine_100k_agent": lambda text: large.check(text, speaker=Speaker.AGENT),
        "engine_100k_buyer": lambda text: large.check(text, speaker=Speaker.BUYER),
        "engine_shipped_agent": lambda text: shipped.check(text, speaker=Speaker.AGENT),
    }
    means, best = measure(contestants, messages)
    report(means, best, messages, path=options.json)


def say(line: str) -> None:
    """Write one line of the table."""
    sys.stdout.write(f"{line}\n")


def sample(path: Path | None) -> list[str]:
    """Answer real messages where their folder is known, else turns written for the tests."""
    folder = os.environ.get("PEAKDESK_TEST_DATA")
    if path is None and folder:
        path = Path(folder) / "wording" / "utterances.tsv"
    path = path or Path(__file__).parent / "wording_messages.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    texts = [line.rpartition("\t")[2] for line in lines if line]
    return random.Random(SEED).choices(texts, k=MESSAGES)


def invent(rng: random.Random) -> list[str]:
    """Invent terms of two to five characters out of the 6,763 of GB 2312."""
    codes = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    characters = [text for code in codes if (text := code.decode("gb2312", "ignore"))]
    words: set[str] = set()
    while len(words) < TERMS:
        words.add("".join(rng.choices(characters, k=rng.randint(2, 5))))
    return sorted(words)


def raw_automaton(words: list[str]) -> Check:
    """Answer pyahocorasick as its manual shows it, listing every match."""
    automaton = ahocorasick.Automaton()
    for number, word in enumerate(words):
        automaton.add_word(word, number)
    automaton.make_automaton()
    return lambda text: list(automaton.iter(text))


def engine_with(words: list[str]) -> Engine:
    """Answer the full engine with its own lexicon and the invented terms."""
    lexicon = read_lexicon()
    extra = tuple(
        Entry(Term(TermId(f"bench.{number}"), (word,), Category.INSULT, Severity.LOW), "", "")
        for number, word in enumerate(words)
    )
    return Engine(replace(lexicon, entries=lexicon.entries + extra))


def measure(
    contestants: dict[str, Check], messages: list[str]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Answer mean microseconds per round, and each message's best of all rounds."""
    means: dict[str, list[float]] = {name: [] for name in contestants}
    best = {name: [float("inf")] * len(messages) for name in contestants}
    for _ in range(ROUNDS):
        for name, check in contestants.items():
            started = time.thread_time_ns()
            for text in messages:
                check(text)
            means[name].append((time.thread_time_ns() - started) / len(messages) / 1000)
            for at, text in enumerate(messages):
                started = time.perf_counter_ns()
                check(text)
                best[name][at] = min(best[name][at], (time.perf_counter_ns() - started) / 1000)
    return means, best


def report(
    means: dict[str, list[float]],
    best: dict[str, list[float]],
    messages: list[str],
    *,
    path: Path | None,
) -> None:
    """Print the table; rounds are compared in pairs, so a slow moment hits both sides."""
    base, quiet_base = means["pyahocorasick"], statistics.mean(best["pyahocorasick"])
    length = statistics.mean(map(len, messages))
    say(f"{len(messages)} messages, {length:.1f} characters on average, {ROUNDS} rounds")
    say(f"{'':24}{'best us':>9}{'p99 us':>9}{'ratio':>8}{'by round: median (min-max)':>30}")
    result: dict[str, dict[str, float]] = {}
    for name, rounds in means.items():
        ratios = [raw / own for raw, own in zip(base, rounds, strict=True)]
        quiet = statistics.mean(best[name])
        p99 = sorted(best[name])[len(messages) * 99 // 100]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        say(f"{name:24}{quiet:9.2f}{p99:9.2f}{quiet_base / quiet:8.2f}{spread:>30}")
        result[name] = {"best_us": quiet, "p99_us": p99, "ratio": quiet_base / quiet}
    say(f"targets: ratio of engine_100k >= {TARGET_RATIO}, p99 <= {TARGET_P99_US} us")
    if path is not None:
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
