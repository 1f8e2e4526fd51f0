"""A subject's tables are in the metadata that migrations are run and compared with."""

import ast
from pathlib import Path

import pytest

from tests.architecture.planting import CHECKOUT

pytestmark = pytest.mark.unit

ENVIRONMENTS = sorted(
    service / "migrations" / "env.py"
    for service in (CHECKOUT / "services").iterdir()
    if (service / "tables.py").is_file()
)
"""Those of services that live in folders of subjects."""


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.parts[-3])
def test_the_environment_of_migrations_imports_the_models_of_every_subject(path: Path) -> None:
    service = path.parents[1]
    subjects = {found.parent.name for found in service.glob("*/models.py")}

    imported = {
        node.module.rpartition(".")[2]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module is not None
        if "models" in {name.name for name in node.names}
    }
    assert subjects
    assert imported == subjects
