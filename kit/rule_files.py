"""Reads files of rules that people write: TOML, held to a model. Must not know what they rule.

Whoever wrote one is told which place of which file to correct.
"""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

File = TypeVar("File", bound=BaseModel)


class FileRefused(ValueError):
    """A file cannot be used. The text names file, place and cure."""


def parse(model: type[File], text: str, source: str) -> File:
    """Read a file's text. Raises `FileRefused` naming `source`."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FileRefused(f"{source}: not TOML ({error}): correct that place") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        problem = first["msg"].removeprefix("Value error, ")
        raise FileRefused(f"{source}: {where}: {problem}") from None


def text_of(file: Path) -> str:
    """Return what stands in a file. Raises `FileRefused`."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileRefused(f"{file.name}: not UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise FileRefused(f"{file.name}: cannot be read: {error.strerror}") from None
