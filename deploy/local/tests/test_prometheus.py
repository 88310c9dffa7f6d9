"""How the configuration of Prometheus is laid out for a stack of this machine; that it runs is shown by tests/ops."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local import prometheus
from local.prometheus import NoPrometheus, configure, watched
from local.stack import Stack

PLACES = {"impact": ["127.0.0.1:1", "127.0.0.1:2"], "alertmanager": ["127.0.0.1:3"]}


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def test_each_job_gets_the_targets_that_are_here(tmp_path: Path) -> None:
    configure(tmp_path, PLACES)

    assert read(tmp_path / "targets.yml") == [
        {"labels": {"job": "impact"}, "targets": ["127.0.0.1:1", "127.0.0.1:2"]},
        {"labels": {"job": "alertmanager"}, "targets": ["127.0.0.1:3"]},
    ]


def test_everything_else_is_as_deployed(tmp_path: Path) -> None:
    configure(tmp_path, PLACES)

    deployed = Path("deploy/prometheus")
    assert read(tmp_path / "prometheus.yml") == read(deployed / "prometheus.yml")
    for rules in (deployed / "rules").iterdir():
        assert read(tmp_path / "rules" / rules.name) == read(rules)


def test_a_test_may_scrape_and_evaluate_more_often(tmp_path: Path) -> None:
    configure(tmp_path, PLACES, every="1s")

    times = {"scrape_interval", "scrape_timeout", "evaluation_interval"}
    assert {read(tmp_path / "prometheus.yml")["global"][time] for time in times} == {"1s"}
    groups = [group for rules in (tmp_path / "rules").iterdir() for group in read(rules)["groups"]]
    assert {group["interval"] for group in groups} == {"1s"}


async def test_without_the_programs_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "TOOLS", tmp_path)
    stack: Stack = None  # type: ignore[assignment] # it is not looked at

    with pytest.raises(NoPrometheus, match=r"prometheus, alertmanager, postgres_exporter: not in .*deploy/tools/fetch"):
        async with watched(stack):
            pass
