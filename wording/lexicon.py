"""Reads the lexicon folder: one TSV per category, allow spans, character parts, refused disguises.

The only file of the engine that touches a disk. It checks every line and says which one is wrong
and what to do; it must not know how terms are matched.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from wording.model import DISGUISES, Category, Flag, Severity, Speaker, Term, TermId

SHIPPED = Path(__file__).parent / "lexicon"
TERM_HEADER = ("id", "text", "severity", "speaker", "flags", "needs", "unless", "yes", "no")
ALLOW_HEADER = ("text", "reason")
PARTS_HEADER = ("char", "kind", "parts")
REFUSED_HEADER = ("id", "disguise")

# A file beyond this is not a lexicon: 100,000 terms take about 8 MiB.
# Raised by every change of the engine that changes a verdict: it is a part of the version, so that
# what an older engine judged is not taken for this one's, nor compared with it.
READING = 12
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_TEXT_CHARS = 32

Word = TypeVar("Word", bound=StrEnum)


class LexiconError(ValueError):
    """A lexicon file cannot be used; names the file, the line and the cure."""

    def __init__(self, path: Path, line: int, problem: str, *, cure: str) -> None:
        super().__init__(f"{path.name}, line {line}: {problem}; {cure}")
        self.path = path
        self.line = line


class Part(StrEnum):
    """How a character is taken apart or imitated."""

    SPLIT = "split"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Entry:
    """A term with the sentences that prove it: it fires in `yes` and is silent in `no`."""

    term: Term
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything that the folder says, and a version made from its content and `READING`."""

    entries: tuple[Entry, ...]
    allow: tuple[str, ...] = ()
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: frozenset[tuple[str, str]] = frozenset()
    version: str = "unversioned"

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms without their examples."""
        return tuple(entry.term for entry in self.entries)


def read_lexicon(folder: Path | None = None) -> Lexicon:
    """Read a folder (None: the shipped one). Raises LexiconError on the first wrong line."""
    folder = folder or SHIPPED
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise LexiconError(folder, 0, "no .tsv file here", cure="point at a lexicon folder")
    contents = {path: _content(path) for path in files}
    return _assemble(contents, version=_version(contents))


def fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Answer name, size and modification time of the folder's files: cheap to compare."""
    found = sorted(folder.glob("*.tsv"))
    return tuple((path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in found)


def _content(path: Path) -> str:
    raw = path.read_bytes()
    if len(raw) > MAX_FILE_BYTES:
        raise LexiconError(path, 0, f"larger than {MAX_FILE_BYTES} bytes", cure="split the file")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise LexiconError(path, line, "not UTF-8", cure="save the file as UTF-8") from error


def _version(contents: Mapping[Path, str]) -> str:
    digest = hashlib.sha256(f"{READING}\0".encode())
    for path, content in contents.items():
        digest.update(f"{path.name}\0{content}\0".encode())
    return digest.hexdigest()[:12]


def _assemble(contents: Mapping[Path, str], *, version: str) -> Lexicon:
    entries: list[Entry] = []
    allow: list[str] = []
    splits: dict[str, tuple[str, ...]] = {}
    shapes: dict[str, tuple[str, ...]] = {}
    refused: set[tuple[str, str]] = set()
    for path, content in contents.items():
        match path.stem:
            case "allow":
                allow.extend(row["text"] for _, row in _rows(path, content, ALLOW_HEADER))
            case "parts":
                _add_parts(path, content, splits, shapes=shapes)
            case "refused":
                rows = _rows(path, content, REFUSED_HEADER)
                refused.update((row["id"], row["disguise"]) for _, row in rows)
            case _:
                entries.extend(_entries(path, content))
    _refuse_doubles(contents, entries)
    return Lexicon(tuple(entries), tuple(allow), splits, shapes, frozenset(refused), version)


def _add_parts(
    path: Path,
    content: str,
    splits: dict[str, tuple[str, ...]],
    *,
    shapes: dict[str, tuple[str, ...]],
) -> None:
    for line, row in _rows(path, content, PARTS_HEADER):
        kind = _word(path, line, row["kind"], kind=Part)
        parts = tuple(row["parts"].split("|"))
        (splits if kind is Part.SPLIT else shapes)[row["char"]] = parts


def _rows(
    path: Path, content: str, header: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    lines = enumerate(content.split("\n"), start=1)
    seen_header = False
    for number, raw in lines:
        line = raw.rstrip("\r")
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if not seen_header:
            if tuple(cells) != header:
                wanted = "<tab>".join(header)
                raise LexiconError(path, number, "wrong header", cure=f"begin with {wanted}")
            seen_header = True
            continue
        if len(cells) != len(header):
            problem = f"{len(cells)} cells instead of {len(header)}"
            raise LexiconError(path, number, problem, cure="write - for an empty cell")
        yield (
            number,
            {name: "" if cell == "-" else cell for name, cell in zip(header, cells, strict=True)},
        )
    if not seen_header:
        raise LexiconError(path, 1, "no header", cure=f"begin with {'<tab>'.join(header)}")


def _entries(path: Path, content: str) -> Iterator[Entry]:
    try:
        category = Category(path.stem)
    except ValueError as error:
        cure = f"name it after a category: {', '.join(Category)}"
        raise LexiconError(path, 1, f"no category is called {path.stem}", cure=cure) from error
    for line, row in _rows(path, content, TERM_HEADER):
        yield _entry(path, line, row, category=category)


def _entry(path: Path, line: int, row: Mapping[str, str], *, category: Category) -> Entry:
    texts = tuple(row["text"].split("|"))
    if not row["id"] or not all(texts):
        raise LexiconError(path, line, "id or text is empty", cure="fill both")
    if max(map(len, texts)) > MAX_TEXT_CHARS:
        cure = f"keep terms within {MAX_TEXT_CHARS} characters"
        raise LexiconError(path, line, "text too long", cure=cure)
    speaker = _word(path, line, row["speaker"], kind=Speaker) if row["speaker"] else None
    term = Term(
        id=TermId(row["id"]),
        texts=texts,
        category=category,
        severity=_word(path, line, row["severity"], kind=Severity),
        speaker=speaker,
        flags=_flags(path, line, row["flags"]),
        needs=tuple(tuple(group.split("|")) for group in row["needs"].split("&") if group),
        unless=tuple(word for word in row["unless"].split("|") if word),
    )
    return Entry(term, yes=row["yes"], no=row["no"])


def _flags(path: Path, line: int, cell: str) -> frozenset[Flag]:
    """Read the flags; `all` stands for every disguise."""
    flags: set[Flag] = set()
    for word in cell.split():
        flags |= DISGUISES if word == "all" else {_word(path, line, word, kind=Flag)}
    return frozenset(flags)


def _word(path: Path, line: int, word: str, *, kind: type[Word]) -> Word:
    try:
        return kind(word)
    except ValueError as error:
        cure = f"write one of {', '.join(kind)}"
        raise LexiconError(path, line, f"unknown word {word!r}", cure=cure) from error


def _refuse_doubles(contents: Mapping[Path, str], entries: Iterable[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.term.id in seen:
            path = next(one for one in contents if one.stem == entry.term.category)
            line = _line_of(contents[path], entry.term.id)
            raise LexiconError(path, line, f"id {entry.term.id} twice", cure="rename one of them")
        seen.add(entry.term.id)


def _line_of(content: str, term_id: str) -> int:
    lines = [line.split("\t")[0] for line in content.split("\n")]
    return len(lines) - lines[::-1].index(term_id)
