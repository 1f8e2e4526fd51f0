"""What deployment tests share: a folder of freshly made secrets."""

from pathlib import Path

import pytest

from launcher.deploy import deployment


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A folder with every secret of a deployment."""
    folder = tmp_path / "secrets"
    deployment.write_secrets(folder, host="postgres:5432")
    return folder
