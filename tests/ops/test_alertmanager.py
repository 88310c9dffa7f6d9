"""Whom alerts reach, and what is not told beside what caused it, on a real Alertmanager.

Debian's, of which there is no newer here, cannot read an address from a file: what the file holds is put in its place.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from local.processes import LOOPBACK, free_ports
from local.prometheus import alertmanager_in
from local.waiting import wait_until
from tests.ops.cluster import ROOT, output_of
from tests.ops.rules import rules_in

CONFIGURATION = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
ALERTS = [rule for rule in rules_in(ROOT / "deploy" / "prometheus" / "rules") if rule.is_alert]
# They say that figures are, or may be, wrong: no outage makes them less so.
NEVER_SILENCED = {
    "FiguresDrift",
    "ConservationOpen",
    "CompletenessOpen",
    "ParkedFacts",
    "ConflictingFacts",
    "UnreadableDeliveries",
    "OutboxParked",
    "Phantoms",
    "BrokerLostEvents",
    "EventsSetAside",
    "DeadMansSwitch",
    "PostgresDown",
    "NatsDown",
}


def configuration(address: str) -> dict[str, Any]:
    """As deployed, with an address for each file of one."""
    known: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    for receiver in known["receivers"]:
        for webhook in receiver["webhook_configs"]:
            webhook["url"] = f"{address}/{Path(webhook.pop('url_file')).name}"
    return known


class Listeners(ThreadingHTTPServer):
    """Whoever is told: what came to which address."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Told)
        self.told: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        """Where they listen."""
        return f"http://{LOOPBACK}:{self.server_port}"


class _Told(BaseHTTPRequestHandler):
    server: Listeners

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told += [(urlsplit(self.path).path, alert["labels"]["alertname"]) for alert in body["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def listening() -> Iterator[Listeners]:
    with Listeners() as listeners:
        thread = Thread(target=listeners.serve_forever)
        thread.start()
        yield listeners
        listeners.shutdown()
        thread.join()


@contextmanager
def telling(folder: Path, listeners: Listeners) -> Iterator[httpx.Client]:
    """An Alertmanager as deployed, but that it waits a second alone for further alerts of a group."""
    known = configuration(listeners.address)
    known["route"]["group_wait"] = "1s"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(known))
    (port,) = free_ports(1)
    (server,) = [*alertmanager_in(folder, port)] or pytest.skip("Debian's Alertmanager needs a mount that is denied")
    server.start()
    try:
        with httpx.Client(base_url=f"http://{LOOPBACK}:{port}/api/v2") as client:
            yield client
    finally:
        server.stop()


def fire(client: httpx.Client, *names: str, **labels: str) -> None:
    """Have alerts fire, with the severity that they have, as Prometheus would tell it."""
    severity = {rule.name: rule.labels["severity"] for rule in ALERTS}
    now = datetime.now(UTC).isoformat()
    told = [{"startsAt": now, "labels": {"alertname": name, "severity": severity[name], **labels}} for name in names]
    assert client.post("/alerts", json=told).is_success


def known(client: httpx.Client) -> dict[str, Any]:
    """Alerts by name."""
    return {alert["labels"]["alertname"]: alert for alert in client.get("/alerts").json()}


def silenced(client: httpx.Client) -> set[str]:
    """Alerts that others keep from being told."""
    return {name for name, alert in known(client).items() if alert["status"]["inhibitedBy"]}


def test_alertmanager_takes_its_configuration(tools: Path, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(configuration("http://127.0.0.1:1")))

    assert "3 receivers" in output_of([tools / "amtool", "check-config", file])


def test_each_alert_is_meant_for_its_address(tools: Path, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(configuration("http://127.0.0.1:1")))

    for rule in ALERTS:
        labels = (f"alertname={rule.name}", f"severity={rule.labels['severity']}")
        receiver = output_of([tools / "amtool", "config", "routes", "test", f"--config.file={file}", *labels]).strip()
        assert receiver == ("deadman" if rule.name == "DeadMansSwitch" else rule.labels["severity"]), rule.name


def test_what_is_silenced_is_named_as_it_is_and_never_says_that_figures_are_wrong() -> None:
    names = {rule.name for rule in ALERTS}
    for rule in yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["inhibit_rules"]:
        for kind in ("source_matchers", "target_matchers"):
            (pattern,) = re.findall(r'alertname =~? "([^"]+)"', " ".join(rule[kind]))
            named = [{name for name in names if re.fullmatch(part, name)} for part in pattern.split("|")]
            assert all(named), f"{pattern} names an alert that there is not"
            if kind == "target_matchers":
                assert not NEVER_SILENCED & set().union(*named)
    assert names >= NEVER_SILENCED


@pytest.mark.usefixtures("tools")
def test_each_alert_reaches_its_address(tmp_path: Path) -> None:
    with listening() as listeners, telling(tmp_path, listeners) as client:
        fire(client, *(rule.name for rule in ALERTS), municipality="621")

        expected = {(f"/alert_{rule.labels['severity']}_url", rule.name) for rule in ALERTS}
        expected = {each for each in expected if each[1] not in silenced(client) | {"DeadMansSwitch"}}
        expected.add(("/alert_deadman_url", "DeadMansSwitch"))
        wait_until(
            lambda: set(listeners.told) >= expected,
            seconds=30,
            message="not everybody was told",
        )
        assert set(listeners.told) == expected
        assert ("/alert_page_url", "FiguresDrift") in expected
        assert ("/alert_ticket_url", "ParkedFacts") in expected


@pytest.mark.usefixtures("tools")
def test_what_follows_from_a_server_that_is_away_is_not_told_beside_it(tmp_path: Path) -> None:
    follows = ("CanaryMissing", "FreshnessBudgetBurningFast", "FreshnessBudgetBurningSlow")
    with listening() as listeners, telling(tmp_path, listeners) as client:
        fire(client, *follows, "FiguresDrift", municipality="621", producer="gateway")
        fire(client, "OutboxStuck", "CollectorsFailed", job="gateway")
        # The canary alone says more than how often figures are late.
        wait_until(lambda: len(known(client)) == 6, seconds=10, message="not all are known")
        assert silenced(client) == {"FreshnessBudgetBurningFast", "FreshnessBudgetBurningSlow"}

        fire(client, "ServiceDown", job="flexjob_pool")
        assert silenced(client) == {"FreshnessBudgetBurningFast", "FreshnessBudgetBurningSlow"}
        fire(client, "ServiceDown", job="gateway")
        wait_until(lambda: silenced(client) == {*follows}, seconds=10, message="the canary is told beside its service")

        fire(client, "NatsDown", job="nats")
        wait_until(
            lambda: silenced(client) == {*follows, "OutboxStuck"},
            seconds=10,
            message="NATS does not explain it",
        )
        fire(client, "PostgresDown", job="postgres")
        wait_until(
            lambda: silenced(client) == {*follows, "OutboxStuck", "ServiceDown", "CollectorsFailed"},
            seconds=10,
            message="PostgreSQL does not explain it",
        )
