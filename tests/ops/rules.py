"""The rules of Prometheus and their unit tests, read as data, and what is wrong with them."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

SEVERITIES = ("page", "ticket")
DASHBOARDS = ("programme", "fleksjobpulje", "trust", "pipeline", "nats", "postgresql", "sources")
ANNOTATIONS = ("summary", "summary_en", "description", "runbook_url", "dashboard")
RUNBOOK = re.compile(r"\{\{ \$externalURL \}\}/user/(\w+\.md)")
TEMPLATE = re.compile(r"\{\{.*?\}\}")
LABEL = re.compile(r"\$labels\.(\w+)")
# What is said instead where there is no such label.
ALTERNATIVE = re.compile(r"\{\{ or .*?\}\}|\{\{ if .*?\{\{ end \}\}")
GIVEN = re.compile(r"(\w+)=\"")
ALERTS = re.compile(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}')


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert or a recording rule."""

    name: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    is_alert: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a unit test asks of given series, and whether it expects an answer."""

    test: str
    expression: str
    answered: bool
    labels: frozenset[str] = frozenset()
    """Those that every answer has."""


def rules_in(folder: Path) -> list[Rule]:
    """Every rule of every file."""
    return [
        Rule(
            rule.get("alert") or rule["record"],
            rule["expr"],
            rule.get("labels", {}),
            rule.get("annotations", {}),
            "alert" in rule,
        )
        for file in sorted(folder.glob("*.yml"))
        for group in _read(file)["groups"]
        for rule in group["rules"]
    ]


def asked_in(folder: Path) -> list[Asked]:
    """Every question of every unit test."""
    return [
        Asked(test["name"], question["expr"], bool(question["exp_samples"]), _labels(question["exp_samples"]))
        for file in sorted(folder.glob("*.yml"))
        for test in _read(file)["tests"]
        for question in test["promql_expr_test"]
    ]


def _labels(samples: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    each = [frozenset(GIVEN.findall(sample["labels"])) for sample in samples]
    return frozenset.intersection(*each) if each else frozenset()


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def untested(rules: Iterable[Rule], asked: Collection[Asked]) -> Iterator[str]:
    """Alerts that no test has firing, or none not firing; recording rules whose result no test asks for."""
    fires = {name[1] for each in asked if each.answered and (name := ALERTS.fullmatch(each.expression))}
    rests = {name[1] for each in asked if not each.answered and (name := ALERTS.fullmatch(each.expression))}
    told = {name for each in asked if each.answered for name in metrics_of(each.expression)}
    for rule in rules:
        if rule.is_alert and rule.name not in fires:
            yield f"{rule.name} fires in no test"
        # One fires always, by design.
        if rule.is_alert and rule.name not in rests and rule.expression != "vector(1)":
            yield f"{rule.name} rests in no test"
        if not rule.is_alert and rule.name not in told:
            yield f"{rule.name} is asked for in no test"


def ill_formed(rules: Iterable[Rule], pages: Collection[str]) -> Iterator[str]:
    """Alerts that lack something for whoever gets them; `pages` are the names of runbooks."""
    named = set()
    for rule in rules:
        if not rule.is_alert:
            continue
        if rule.labels.get("severity") not in SEVERITIES:
            yield f"{rule.name} has no severity"
        if missing := [name for name in ANNOTATIONS if not rule.annotations.get(name)]:
            yield f"{rule.name} lacks {missing}"
        if rule.annotations.get("dashboard") not in DASHBOARDS:
            yield f"{rule.name} names no dashboard"
        link = RUNBOOK.fullmatch(rule.annotations.get("runbook_url", ""))
        if not link or link[1] not in pages or link[1] != f"{rule.name}.md":
            yield f"{rule.name} links to no page of its own"
        named.add(f"{rule.name}.md")
    yield from (f"{page} is of no alert" for page in sorted(set(pages) - named))


def metrics_of(expression: str) -> set[str]:
    """The names of all metrics in an expression."""
    names: set[str] = set()

    def note(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.VectorSelector) and part.name:
            names.add(part.name)
        # The walk does not go into what a range is taken of.
        if isinstance(part, promql_parser.MatrixSelector):
            note(part.vector_selector)

    promql_parser.walk(promql_parser.parse(expression), note)
    return names


def wordless(rules: Iterable[Rule], asked: Collection[Asked]) -> Iterator[str]:
    """Alerts whose words name a label that they do not fire with in any unit test: whoever gets them reads a gap."""
    fires: dict[str, set[str]] = {}
    for each in asked:
        if name := ALERTS.fullmatch(each.expression):
            fires.setdefault(name[1], set()).update(each.labels)
    for rule in rules:
        words = " ".join(rule.annotations.values())
        named = {*LABEL.findall(ALTERNATIVE.sub("", words))}
        yield from (
            f"{rule.name} names {label}, which it has not" for label in sorted(named - fires.get(rule.name, set()))
        )


def table_of(rules: Iterable[Rule]) -> list[str]:
    """Every alert as a line of docs/operations.md."""
    return [
        f"| [{rule.name}](runbooks/{rule.name}.md) | {TEMPLATE.sub('…', rule.annotations['summary_en'])} "
        f"| {rule.labels['severity']} |"
        for rule in rules
        if rule.is_alert
    ]
