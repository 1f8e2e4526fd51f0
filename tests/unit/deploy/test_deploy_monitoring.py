"""Alerts and the dashboard ask only for what the services measure, and lead to pages that exist."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from contracts.topics import GROUPS
from kit.metrics import Metrics
from tests import deployed

pytestmark = pytest.mark.unit

RULES = deployed.CHECKOUT / "deploy/prometheus/rules.yml"
DASHBOARD = deployed.CHECKOUT / "deploy/grafana/peakdesk.json"
SCALER = deployed.CHECKOUT / "deploy/k8s/components/autoscale/monitor.yaml"
OF_PROMETHEUS = {"up"}
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h"}


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in found for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def queries() -> Iterator[str]:
    """Yield every PromQL expression that we ship, Grafana's variables replaced."""
    yield from (rule["expr"] for rule in rules())
    scaler = yaml.safe_load(SCALER.read_text(encoding="utf-8"))
    yield scaler["spec"]["triggers"][0]["metadata"]["query"]
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"]
            for name, value in VARIABLES.items():
                query = query.replace(name, value)
            yield query


@cache
def measured() -> dict[str, str]:
    """Return the attribute of `Metrics` behind every series that a process shows."""
    metrics = Metrics(process=True)
    by_family = {
        next(iter(metric.describe())).name: attribute
        for attribute, metric in vars(metrics).items()
        if isinstance(metric, Counter | Gauge | Histogram)
    }
    found = {}
    for family in metrics.registry.collect():
        suffixes = {
            "counter": ("_total",),
            "histogram": ("_bucket", "_count", "_sum"),
            "gauge": ("",),
        }.get(family.type, ())
        for suffix in suffixes:
            found[family.name + suffix] = by_family.get(family.name, "")
    return found


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    """Return every series that a query selects. Raises ValueError for one that is no PromQL."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        elif isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_asks_for_series_that_services_show(query: str) -> None:
    names = {selector.name for selector in selectors(query)}

    assert names
    assert names <= measured().keys() | OF_PROMETHEUS


def test_what_is_asked_for_is_set_somewhere() -> None:
    asked = {selector.name for query in queries() for selector in selectors(query)}
    attributes = {measured()[name] for name in asked - OF_PROMETHEUS if name} - {""}
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("kit", "services")
        for path in (deployed.CHECKOUT / folder).rglob("*.py")
        if path.name != "metrics.py"
    ]
    used = {name for name in attributes if any(re.search(rf"\.{name}\b", s) for s in sources)}

    assert attributes == used


def test_groups_that_are_named_exist() -> None:
    named = {
        matcher.value
        for query in queries()
        for selector in selectors(query)
        for matcher in selector.matchers.matchers
        if matcher.name == "group"
    }

    assert named
    assert named <= set(GROUPS)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_leads_to_a_page(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert (deployed.CHECKOUT / rule["annotations"]["runbook"]).is_file()
    assert rule["annotations"]["summary"]


def test_panels_do_not_overlap() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]

    assert len(set(places)) == len(places)
    assert [panel["id"] for panel in panels()] == list(range(1, len(places) + 1))
