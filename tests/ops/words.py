"""What alerts say to whoever gets them, as promtool renders it for the cases in which a unit test has them fire."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.ops.rules import ALERTS, TEMPLATE, Rule

OUTSIDE = "https://watching.example/prometheus"
RENDERED = re.compile(r"^ *Annotations:\{(.*)\}$", re.MULTILINE)
NAMED = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')
CASE = re.compile(r"^ *alertname: (\w+), time", re.MULTILINE)
# What a template leaves is something, and neither `<no value>` nor an error.
FILLED = r"[^\s<{][^<{]*"

Told = tuple[str, Mapping[str, str]]
"""The name of an alert that fired, and its annotations."""


def firing_words(promtool: Path, prometheus: Path, folder: Path) -> list[Told]:
    """What every alert that fires in a unit test says there; `folder` is one to work in."""
    (folder / "cases").mkdir()
    cases = []
    for file in sorted((prometheus / "tests").glob("*.yml")):
        known = yaml.safe_load(file.read_text(encoding="utf-8"))
        known["rule_files"] = [str(prometheus / "rules" / "*.yml")]
        known["tests"] = [case for test in known["tests"] if (case := _asking_for_words(test))["alert_rule_test"]]
        cases.append(folder / "cases" / file.name)
        cases[-1].write_text(yaml.safe_dump(known), encoding="utf-8")
    # No test expects anything to be said, so that promtool shows all that is.
    done = subprocess.run([promtool, "test", "rules", *cases], capture_output=True, text=True, check=False)
    _, *shown = CASE.split(done.stdout + done.stderr)
    return [
        (name, {word: json.loads(text) for word, text in NAMED.findall(annotations)})
        for name, case in zip(shown[::2], shown[1::2], strict=True)
        for annotations in RENDERED.findall(case)
    ]


def _asking_for_words(test: Mapping[str, Any]) -> dict[str, Any]:
    fires = [
        {"alertname": name[1], "eval_time": question["eval_time"], "exp_alerts": []}
        for question in test["promql_expr_test"]
        if question["exp_samples"] and (name := ALERTS.fullmatch(question["expr"]))
    ]
    case = {key: value for key, value in test.items() if key != "promql_expr_test"}
    return case | {"alert_rule_test": fires, "external_url": OUTSIDE}


def unreadable(rules: Iterable[Rule], heard: Iterable[Told]) -> Iterator[str]:
    """Alerts of which nobody heard, and annotations in which something is missing, as a label that was not there."""
    by_name: dict[str, list[Mapping[str, str]]] = {}
    for name, annotations in heard:
        by_name.setdefault(name, []).append(annotations)
    for rule in rules:
        if rule.is_alert and rule.name not in by_name:
            yield f"{rule.name} says nothing"
        for annotations in by_name.get(rule.name, ()):
            yield from (
                f"{rule.name}: {word} is {annotations.get(word)!r}"
                for word, template in rule.annotations.items()
                if not _meant(template).fullmatch(annotations.get(word, ""))
            )


def _meant(template: str) -> re.Pattern[str]:
    """What may come of a template."""
    return re.compile(FILLED.join(map(re.escape, TEMPLATE.split(template.replace("{{ $externalURL }}", OUTSIDE)))))
