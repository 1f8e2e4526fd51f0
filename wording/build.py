"""`python -m wording.build --corpus FILE`: test the lexicon and write what was refused.

A command for who edits the lexicon. The file it writes, `refused.tsv`, holds term ids and
disguises and not a word of the corpus, so that the shipped engine needs no corpus.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from wording.corpus import CorpusReport, try_corpus
from wording.lexicon import REFUSED_HEADER, SHIPPED, LexiconError, read_lexicon


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answer its exit code."""
    options = _options(arguments)
    try:
        lexicon = read_lexicon(options.lexicon)
    except LexiconError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    report = try_corpus(lexicon, _messages(options.corpus))
    _write(options.lexicon / "refused.tsv", report)
    sys.stdout.writelines(f"{line}\n" for line in _lines(report, terms=len(lexicon.entries)))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m wording.build", description=__doc__)
    parser.add_argument(
        "--corpus",
        type=Path,
        required=True,
        help="innocent messages, UTF-8, one a line; of a TSV the last column is taken",
    )
    parser.add_argument("--lexicon", type=Path, default=SHIPPED, help="folder (default: shipped)")
    return parser.parse_args(arguments)


def _messages(corpus: Path) -> Iterator[str]:
    with corpus.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\r\n").rpartition("\t")[2]


def _write(path: Path, report: CorpusReport) -> None:
    rows = ["# Written by python -m wording.build; run it again after changing a term."]
    rows.append("\t".join(REFUSED_HEADER))
    rows.extend("\t".join(key) for key in sorted(report.refused))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _lines(report: CorpusReport, *, terms: int) -> Iterator[str]:
    yield f"{terms} terms tried on {report.messages} messages"
    for (term_id, disguise), count in sorted(report.refused.items()):
        yield f"refused   {term_id:32} {disguise:24} fired in {count} innocent messages"
    for term_id, count in sorted(report.literal.items(), key=lambda item: -item[1]):
        yield f"look at   {term_id:32} {'literal':24} stands in {count} messages"
    kinds = Counter(disguise for _, disguise in report.refused)
    summary = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield f"refused in all: {len(report.refused)} ({summary})"


if __name__ == "__main__":
    sys.exit(main())
