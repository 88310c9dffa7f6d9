"""`kraftcenter up` where Prometheus and its like have been fetched: they watch it, and they end with it."""

import json
import re
import signal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from local.fixtures import running_up
from local.processes import is_alive
from local.waiting import wait_until
from tests.ops.cluster import ROOT

JOBS = {"flexjob_pool", "gateway", "impact", "nats", "postgres", "prometheus", "alertmanager"}


def ask(url: str) -> Any:
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - a Prometheus of ours
        return json.load(answer)["data"]


@pytest.mark.usefixtures("tools")
@pytest.mark.timeout(200)
def test_everything_of_a_stack_is_watched_and_what_watches_ends_with_it(tmp_path: Path) -> None:
    for name in ("deploy", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "tools").symlink_to(ROOT / "build" / "tools")
    with running_up(tmp_path, COLUMNS="120") as process:
        found = re.search(r"Prometheus\W+(http://[\d.:]+)", (tmp_path / "output").read_text())
        assert found, (tmp_path / "output").read_text()
        prometheus = found[1]

        def watched() -> bool:
            targets = ask(f"{prometheus}/api/v1/targets")["activeTargets"]
            return {target["labels"]["job"] for target in targets if target["health"] == "up"} == JOBS

        wait_until(watched, seconds=60, message="not everything answers Prometheus")
        assert len(ask(f"{prometheus}/api/v1/alertmanagers")["activeAlertmanagers"]) == 1
        assert ask(f"{prometheus}/api/v1/rules")["groups"]
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert not any(is_alive(member) for member in family)
