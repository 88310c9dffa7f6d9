"""What anybody can read at `/metrics` tells how much is going on, never what it was; see docs/disclosure.md."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.catalogue import BY_TYPE
from local.hall import halls
from local.instances import SERVICES
from local.plan.chance import DAYS
from local.plan.towns import KOLDING
from local.plan.year import plan_year
from local.simulator import live_day, set_clock
from local.stack import Stack, running_stack

ROOT = Path(__file__).parents[2]
LABELS = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \| ", re.MULTILINE)
# As dk.kraftcenter.flexjob.started.v1, flexjob.started, /v1/flexjobs/{placement_id}/end, or the id of somebody.
TELLING = re.compile(
    "|".join(["/v1/", *(re.escape(type_.split(".", 2)[2].rpartition(".")[0]) for type_ in BY_TYPE), "[0-9a-f]{8}-"])
)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack on which a town has lived its first days."""
    clock, year = tmp_path / "clock", plan_year(1, KOLDING, 20)
    set_clock(clock, DAYS[0])
    settings = {"CLOCK": f"file:{clock}"}
    async with running_stack(tmp_path / "stack", settings=settings) as running, halls(running, [year]) as (town,):
        for day in DAYS[:5]:
            await live_day([town.office], day, clock=clock, counted=True)
        yield running


async def labels_of(stack: Stack, service: str) -> set[tuple[str, str]]:
    """Every label that the service shows to everybody, with its value."""
    async with httpx.AsyncClient(base_url=stack.url_of(service)) as client:
        text = (await client.get("/metrics")).raise_for_status().text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {label for sample in samples for label in sample.labels.items()}


def too_telling(labels: set[tuple[str, str]]) -> Iterator[str]:
    """Labels that nobody admitted, and values that tell of an event, a door or somebody."""
    told = (ROOT / "docs" / "disclosure.md").read_text(encoding="utf-8")
    admitted = {name.strip("` ") for names in LABELS.findall(told) for name in names.split(",")}
    for name, value in sorted(labels):
        if name not in admitted or TELLING.search(value):
            yield f'{name}="{value}"'


@pytest.mark.timeout(240)
async def test_no_label_at_an_exit_for_everybody_tells_what_was_registered(stack: Stack) -> None:
    for service in SERVICES:
        labels = await labels_of(stack, service)
        assert ("kind", "probe") in labels
        assert list(too_telling(labels)) == []


@pytest.mark.parametrize(
    "label",
    [
        ("route", "none"),
        ("type", "any"),
        ("kind", "/v1/flexjobs/{placement_id}/end"),
        ("outcome", "dk.kraftcenter.flexjob.started.v1"),
        ("reason", "flexjob.started"),
        ("source", "7f6a2c0e-5b1d-4c57-9a38-0c2f1f6f4a11"),
    ],
)
def test_a_label_that_tells_it_is_found(label: tuple[str, str]) -> None:
    assert list(too_telling({label})) == [f'{label[0]}="{label[1]}"']
