"""What other people's tools say about our deployment files."""

import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests import deployed

pytestmark = pytest.mark.integration

KUBERNETES = "1.32"
FOREIGN = {"ScaledObject"}
"""Kinds that Kubernetes itself does not know."""


def complaints(*argv: str | Path) -> str:
    """Run a tool; return what it complains about, nothing if it is content."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def ours(tool: str) -> Path:
    return Path(sys.executable).with_name(tool)


def test_compose_follows_its_specification() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")

    assert complaints(ours("check-jsonschema"), *schema, deployed.COMPOSE) == ""


def test_the_dockerfile_passes_its_linter() -> None:
    assert complaints(ours("hadolint"), deployed.DOCKERFILE) == ""


@pytest.mark.skipif(
    shutil.which("bash") is None, reason="bash reads the broker's start script, and is not here"
)
def test_the_brokers_start_script_is_bash() -> None:
    assert complaints("bash", "-n", deployed.CHECKOUT / "deploy/kafka/start.sh") == ""


@pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="kubectl is not installed: what kustomize makes of the files is checked where it is",
)
@pytest.mark.parametrize("components", [[], ["../autoscale"]], ids=["base", "autoscale"])
def test_kustomize_renders_valid_objects(components: list[str], tmp_path: Path) -> None:
    for folder in (deployed.BASE, deployed.AUTOSCALE):
        shutil.copytree(folder, tmp_path / folder.name)
    (tmp_path / "all").mkdir()
    overlay = {"resources": ["../base"], "components": components}
    (tmp_path / "all/kustomization.yaml").write_text(yaml.safe_dump(overlay))

    done = subprocess.run(
        ["kubectl", "kustomize", tmp_path / "all"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    for document in yaml.safe_load_all(done.stdout):
        if document["kind"] not in FOREIGN:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
