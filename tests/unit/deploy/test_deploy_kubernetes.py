"""The Kubernetes files are valid, closed by default, and fit one another."""

from ipaddress import ip_network
from typing import Any

import kubernetes_validate
import pytest
import yaml

from kit.process import EXIT_LIMIT_S
from tests import deployed

pytestmark = pytest.mark.unit

VERSION = "1.32"
FOREIGN = {"ScaledObject"}
"""Kinds that Kubernetes itself does not know."""
OBJECTS = [*deployed.documents(deployed.BASE), *deployed.documents(deployed.AUTOSCALE)]


def label(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {doc["metadata"]["name"]: doc for doc in OBJECTS if doc["kind"] == kind}


@pytest.mark.parametrize("document", [d for d in OBJECTS if d["kind"] not in FOREIGN], ids=label)
def test_every_object_follows_its_schema(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_kustomize_is_told_of_every_file() -> None:
    for folder in (deployed.BASE, deployed.AUTOSCALE):
        told = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        patches = {patch["path"] for patch in told["patches"] if "path" in patch}
        files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}

        assert {*told["resources"], *patches} == files


def test_every_service_has_its_deployment_service_and_budget() -> None:
    for kind in ("Deployment", "Service", "PodDisruptionBudget"):
        assert of_kind(kind).keys() == set(deployed.NAMES)


def test_selectors_find_the_pods_they_mean() -> None:
    for name in deployed.NAMES:
        labels = {"app.kubernetes.io/name": name}
        deployment = of_kind("Deployment")[name]["spec"]

        assert deployment["template"]["metadata"]["labels"] == labels
        assert deployment["selector"]["matchLabels"] == labels
        assert of_kind("Service")[name]["spec"]["selector"] == labels
        assert of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"] == labels


def test_the_common_part_is_hardened_and_outlasts_a_drain() -> None:
    patch = yaml.safe_load((deployed.BASE / "every-deployment.yaml").read_text(encoding="utf-8"))
    pod = patch["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert pod["terminationGracePeriodSeconds"] > EXIT_LIMIT_S
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    variables = deployed.image_variables()
    assert {port["name"]: str(port["containerPort"]) for port in container["ports"]} == {
        "http": variables["PEAKDESK_PORT"],
        "admin": variables["PEAKDESK_ADMIN_PORT"],
    }
    probes = {container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
    assert probes == {"/live", "/ready"}


def test_admin_ports_are_open_to_gateways_and_prometheus_alone() -> None:
    policies = of_kind("NetworkPolicy")
    admin = int(deployed.image_variables()["PEAKDESK_ADMIN_PORT"])

    assert "ingress" not in policies["closed"]["spec"]
    opening = {
        name: rule["from"]
        for name, policy in policies.items()
        for rule in policy["spec"].get("ingress", ())
        if admin in [port["port"] for port in rule["ports"]]
    }
    assert opening.keys() == {"gateways-ask-for-snapshots", "prometheus-scrapes"}
    assert opening["gateways-ask-for-snapshots"] == [
        {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "gateway"}}}
    ]


def test_autoscalers_point_at_deployments() -> None:
    targets = {
        doc["spec"]["scaleTargetRef"]["name"] for doc in deployed.documents(deployed.AUTOSCALE)
    }

    assert targets <= of_kind("Deployment").keys()


def test_nobody_is_believed_but_whom_the_operator_names() -> None:
    nobody = ip_network("192.0.2.0/24")  # kept for documents (RFC 5737)
    kustomization = yaml.safe_load((deployed.BASE / "kustomization.yaml").read_text("utf-8"))
    literals = dict(
        line.split("=", 1) for line in kustomization["configMapGenerator"][0]["literals"]
    )

    assert ip_network(deployed.ingress()["PEAKDESK_TRUSTED_PROXIES"]) == nobody
    assert ip_network(literals["PEAKDESK_TRUSTED_PROXIES"]).prefixlen >= 16
    for part in deployed.pods():
        if part.service is not None:
            trusted = part.variables["PEAKDESK_TRUSTED_PROXIES"]
            assert (ip_network(trusted) == nobody) == (part.service == "gateway"), part.name


def test_patches_say_to_whom_they_are_applied() -> None:
    kustomization = yaml.safe_load((deployed.BASE / "kustomization.yaml").read_text("utf-8"))

    assert {patch["path"]: patch["target"] for patch in kustomization["patches"]} == {
        "every-deployment.yaml": {"kind": "Deployment"},
        "ingress.yaml": {"kind": "Deployment", "name": "gateway"},
    }
    assert set(deployed.PATCHES) == {patch["path"] for patch in kustomization["patches"]}
