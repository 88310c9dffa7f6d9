"""A page for an alert says what can be done, with commands, statements and queries that exist."""

import asyncpg
import pytest

from tests.ops.cluster import ROOT, SERVICES, Cluster
from tests.ops.rules import metrics_of
from tests.ops.runbooks import HEADINGS, Runbook, faults_of, misunderstood, runbooks_in

PAGES = runbooks_in(ROOT / "docs" / "runbooks")


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
    assert list(faults_of(Runbook("Fancy", fancy))) == ["Fancy: `kraftcenter heal --all`: there is no command heal"]


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
