"""A page for an alert says what can be done, with commands, statements and queries that exist."""

import os
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from tests.ops.cluster import ROOT, SERVICES, Cluster
from tests.ops.rules import metrics_of
from tests.ops.runbooks import HEADINGS, Runbook, everything, faults_of, misplaced, misunderstood, runbooks_in, typed

PAGES = runbooks_in(ROOT / "docs" / "runbooks")
ON_CALL = Runbook("On call", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## On call")[2])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_all_its_parts_and_names_only_commands_that_exist(page: Runbook) -> None:
    assert list(faults_of(page)) == []


def test_a_page_without_a_part_or_with_a_command_of_fancy_is_found() -> None:
    whole = "\n".join(f"## {heading}\n\nText." for heading in HEADINGS)

    assert list(faults_of(Runbook("Whole", whole))) == []
    assert list(faults_of(Runbook("Short", "## Meaning\n\nText."))) == ["Short: its headings are ('Meaning',)"]
    empty = whole.replace("## Meaning\n\nText.", "## Meaning\n")
    assert list(faults_of(Runbook("Empty", empty))) == ["Empty: nothing stands under Meaning"]
    fancy = whole.replace("Text.", "Say `kraftcenter heal --all`.", 1)
    assert list(faults_of(Runbook("Fancy", fancy))) == [
        "Fancy: `kraftcenter heal --all`: there is no command heal",
        "Fancy: no line says where `kraftcenter heal` is run",
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("kraftcenter verify --thorough", None),
        ("kraftcenter parked replay --all --reason unknown_type --why type_released", None),
        ("kraftcenter parked repair 1204", "there is no command repair"),
        ("kraftcenter verify --deeply", "it has no --deeply"),
    ],
)
def test_commands_are_held_against_what_there_is(line: str, fault: str | None) -> None:
    assert misunderstood(line) == (fault and f"`{line}`: {fault}")


LINES = sorted({line for page in [*PAGES, ON_CALL] for line in page.lines})


@pytest.mark.parametrize("line", LINES)
def test_every_line_can_be_typed_where_compose_has_what_it_needs(line: str, compose: dict[str, Any]) -> None:
    assert misplaced(line, compose["services"]) is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("kraftcenter verify", "it does not say in which container"),
        ("docker compose exec stranger kraftcenter verify", "there is no service stranger"),
        ("docker compose logs --tail 50 stranger", "there is no service stranger"),
        ("docker compose exec impact curl http://nats:8222/healthz", "kraftcenter/impact:0.1.0 has no curl"),
        ("docker compose exec nats pg_isready", "nats:2.15.1-alpine has no pg_isready"),
        ("docker compose exec gateway kraftcenter verify", "the image of gateway has no command verify"),
        ("docker compose exec -T impact kraftcenter ledger --token-file token <token", "no container has a token"),
        ("docker compose exec impact kraftcenter ledger --token-file - <token", "it reads what it is not given"),
        ("docker compose exec -T impact kraftcenter ledger --token-file - ", "it reads what it is not given"),
    ],
)
def test_a_line_that_cannot_be_typed_there_is_found(line: str, fault: str, compose: dict[str, Any]) -> None:
    assert f"`{line}`: {fault}" in str(misplaced(line, compose["services"]))


ASKING_SERVERS = [line for line in LINES if " kraftcenter " in line and not {"--token-file", "check"} & {*line.split()}]


@pytest.mark.parametrize("line", ASKING_SERVERS)
def test_every_command_finds_in_its_container_where_its_server_is(
    line: str, compose: dict[str, Any], secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked_by(line, compose, secrets, tmp_path, monkeypatch) == "does not answer"


def test_a_command_that_is_not_told_where_its_server_is_is_found(
    compose: dict[str, Any], secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "docker compose exec impact kraftcenter {}"

    for command in ("phantoms list --service flexjob_pool", "provision --check"):
        assert "is not told" in asked_by(line.format(command), compose, secrets, tmp_path, monkeypatch)


def asked_by(line: str, compose: dict[str, Any], secrets: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a command ends with the variables and secrets of its container, on a machine where no server is."""
    parts = typed(line)
    assert parts
    for name in [name for name in os.environ if name.endswith(("_URL", "_URL_FILE"))]:
        monkeypatch.delenv(name)
    service = compose["services"][parts.service]
    for name in service["secrets"]:
        address = (secrets / name).read_text()
        (folder / name).write_text(re.sub(r"@(postgres|nats):\d+", "@127.0.0.1:9", address))
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(folder)))
    ended = CliRunner().invoke(everything(), list(parts.words[1:]), input="y\n")
    said = str(ended.exception)
    if said.startswith(("NATS at 127.0.0.1:9 does not answer", "The database does not answer")):
        return "does not answer"
    return f"it is not told where its server is: {said} {ended.output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_query_of_a_page_can_be_read(page: Runbook) -> None:
    for query in "\n".join(page.blocks("promql")).splitlines():
        assert metrics_of(query), query


@pytest.mark.parametrize("service", SERVICES)
async def test_every_statement_of_a_page_runs_for_the_service_itself(cluster: Cluster, service: str) -> None:
    db = await asyncpg.connect(cluster.dsn_of(service))
    for page in PAGES:
        for statement in page.blocks(f"sql {service}"):
            await db.fetch(statement)
    await db.close()
