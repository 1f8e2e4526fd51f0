"""Every service's migrations are one chain: two people's next ones fork it without a conflict."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(ROOT.glob("services/*/migrations"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_migrations_are_one_chain_in_the_order_of_their_files(folder: Path) -> None:
    script = ScriptDirectory(str(folder))

    chain = [revision.revision for revision in script.walk_revisions()][::-1]

    assert len(script.get_heads()) == 1
    assert chain == sorted(path.name[:4] for path in (folder / "versions").glob("*.py"))
