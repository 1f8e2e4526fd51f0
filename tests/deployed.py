"""docker-compose.yml, the Dockerfile and the Kubernetes files as tests read them; runs nothing."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import yaml

from kit.settings import ServiceSettings
from launcher.deploy.deployment import MOUNTED
from launcher.services import SERVICES

CHECKOUT: Final = Path(__file__).resolve().parent.parent
COMPOSE: Final = CHECKOUT / "docker-compose.yml"
DOCKERFILE: Final = CHECKOUT / "deploy/docker/Dockerfile"
BASE: Final = CHECKOUT / "deploy/k8s/base"
AUTOSCALE: Final = CHECKOUT / "deploy/k8s/components/autoscale"
PATCHES: Final = ("every-deployment.yaml", "ingress.yaml")
"""Files of the base that change what others declare."""
IMAGE: Final = "peakdesk"
NAMES: Final = tuple(service.name for service in SERVICES)


@dataclass(frozen=True)
class Part:
    """A process of ours as a deployment runs it: its command, variables and secret files."""

    name: str
    """Where it runs and what it is called there, such as `compose.orders`."""
    command: tuple[str, ...]
    variables: Mapping[str, str]
    secrets: frozenset[str]
    """Names of the files in /run/secrets."""

    @property
    def service(self) -> str | None:
        """The service whose entry point this is, None for a task."""
        name = self.command[0].removeprefix("peakdesk-")
        return name if name in NAMES else None

    def mounted(self) -> dict[str, str]:
        """Return the secret file that each `_FILE` variable names, by the variable."""
        return {
            name: value.removeprefix(f"{MOUNTED}/")
            for name, value in self.variables.items()
            if name.endswith("_FILE")
        }


def compose() -> dict[str, Any]:
    """Return docker-compose.yml with its `${X:-default}` replaced by the defaults."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text(encoding="utf-8"))
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def image_variables() -> dict[str, str]:
    """Return the variables that the image itself sets."""
    text = DOCKERFILE.read_text(encoding="utf-8").split("FROM ")[-1]
    return dict(re.findall(r"\b(PEAKDESK_\w+)=(\S+)", text))


def composed() -> list[Part]:
    """Return our processes in docker-compose.yml, with the image's variables."""
    return [
        Part(
            f"compose.{name}",
            tuple(described["command"]),
            image_variables() | (described.get("environment") or {}),
            frozenset(described.get("secrets", ())),
        )
        for name, described in compose()["services"].items()
        if described["image"].startswith(IMAGE)
    ]


def documents(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield every Kubernetes object of a folder, but for what tells kustomize what to do."""
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in {"kustomization.yaml", *PATCHES}:
            yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def pods() -> list[Part]:
    """Return the processes that the Kubernetes base runs, with the image's and shared variables."""
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    literals = kustomization["configMapGenerator"][0]["literals"]
    shared = image_variables() | dict(line.split("=", 1) for line in literals)
    found = []
    for document in documents(BASE):
        if document["kind"] not in {"Deployment", "Job"}:
            continue
        spec = document["spec"]["template"]["spec"]
        own = {entry["name"]: entry["value"] for entry in spec["containers"][0].get("env", ())}
        if document["metadata"]["name"] == "gateway":
            own |= ingress()
        volume = next(volume for volume in spec["volumes"] if volume["name"] == "secrets")
        items = frozenset(item["path"] for item in volume["secret"]["items"])
        command = tuple(spec["containers"][0]["command"])
        name = f"kubernetes.{document['metadata']['name']}"
        found.append(Part(name, command, shared | own, items))
    return found


def ingress() -> dict[str, str]:
    """Return the variables that an operator fills in for his ingress."""
    patch = yaml.safe_load((BASE / "ingress.yaml").read_text(encoding="utf-8"))
    container = patch["spec"]["template"]["spec"]["containers"][0]
    return {entry["name"]: entry["value"] for entry in container["env"]}


def scripts() -> dict[str, str]:
    """Return our console commands and what each calls, by name."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = project["scripts"]
    return found


def settings_of(part: Part) -> type[ServiceSettings] | None:
    """Return the settings class of a process; None for a task that reads no variables."""
    if part.service is None and part.command[:2] != ("python", "-m"):
        return None
    name = f"services.{part.service}.settings" if part.service else part.command[2]
    module = import_module(name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, ServiceSettings)
        and value.__module__ == module.__name__
    ]
    assert len(found) == 1, f"{name} has {len(found)} settings classes"
    return found[0]
