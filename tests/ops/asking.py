"""What dashboards and rules ask of Prometheus, and what is wrong with the answers of a healthy system."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from dashboards.__main__ import boards
from dashboards.expressions import filled, selections
from tests.ops.cluster import ROOT
from tests.ops.rules import rules_in

RULES = ROOT / "deploy" / "prometheus" / "rules"
# What a healthy system has no series of, as alerts and recording rules select it.
ABSENT: Mapping[str, str] = {
    'gnatsd_healthz_status_value{value="unreachable"}': "NATS answers.",
    'http_requests_total{kind!="probe",status=~"5.."}': "No door fails.",
    "job:http_requests_failed:rate5m": "No door fails.",
}
# What rightly finds something in a healthy system.
FOUND: Mapping[str, str] = {
    "DeadMansSwitch": "It fires always.",
    "SourceSilent": "The payroll of the plan tells nothing after September.",
}


class Question(NamedTuple):
    """An expression, where it stands, and why a healthy system may answer it with nothing."""

    place: str
    expr: str
    quiet: str = ""


class Refused(Exception):
    """Prometheus could not evaluate an expression."""


class Prometheus:
    """A Prometheus behind its HTTP API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, expr: str) -> list[dict[str, Any]]:
        """What an expression gives just now. Raises Refused."""
        told = (await self._client.post("/api/v1/query", data={"query": expr})).json()
        if told["status"] != "success":
            raise Refused(told["error"])
        result: list[dict[str, Any]] = told["data"]["result"]
        return result

    async def types(self) -> dict[str, str]:
        """The type that each metric was exposed with; the parts of a histogram are a histogram by its name alone."""
        told = (await self._client.get("/api/v1/metadata")).json()
        return {name: known[0]["type"] for name, known in told["data"].items()}


def of_panels() -> Iterator[Question]:
    """Every query of every panel."""
    for board in boards():
        for panel in board.panels:
            for query in panel.queries:
                yield Question(f"{board.uid}: {panel.builder.build().title}", query.expr, query.quiet)


def of_rules() -> Iterator[Question]:
    """What each rule selects; of an alert the rest is for when something is wrong, so that it must be empty here."""
    for rule in rules_in(RULES):
        for selected in selections(rule.expression):
            yield Question(rule.name, selected.text, ABSENT.get(selected.text, ""))


async def wrong(prometheus: Prometheus, questions: Iterable[Question], *, window: str) -> list[str]:
    """Each question that fails, is answered by nothing unless it may be, or is answered although it should not be."""
    found = []
    for place, expr, quiet in questions:
        try:
            answered = await prometheus.ask(filled(expr, window))
        except Refused as refused:
            found.append(f"{place}: {expr} cannot be evaluated: {refused}")
            continue
        if not any(map(_is_a_number, answered)) and not quiet:
            found.append(f"{place}: {expr} is answered by nothing")
        if answered and quiet:
            found.append(f"{place}: {expr} is answered, although it is said: {quiet}")
    return found


def _is_a_number(sample: dict[str, Any]) -> bool:
    """Whether there is something to draw: nothing divided by nothing is drawn as nothing."""
    return not math.isnan(float(sample["value"][1]))


async def alarms(prometheus: Prometheus) -> list[str]:
    """Alerts that cannot be evaluated, or find something wrong with a healthy system, or do not find what is there."""
    found = []
    for rule in rules_in(RULES):
        if rule.is_alert:
            try:
                answered = await prometheus.ask(rule.expression)
            except Refused as refused:
                found.append(f"{rule.name} cannot be evaluated: {refused}")
                continue
            if bool(answered) != (rule.name in FOUND):
                found.append(f"{rule.name} finds {answered}")
    return found
