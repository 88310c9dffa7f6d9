"""Figures asked for by both clocks, over periods, in two-way cuts and by definition, through the real doors."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.doors import figures as api
from impact.indicator import Indicator
from services.impact.tests.doors.small_life import Issue

F5 = next(indicator for indicator in INDICATORS if indicator.id == "F5")
assert F5.denominator
# The same events by other rules: a fix of F5.
FIXED = replace(
    F5, definition_version=2, numerator=replace(F5.numerator, version=2), denominator=replace(F5.denominator, version=2)
)


@pytest.fixture
async def exact(issue: Issue) -> dict[str, str]:
    return await issue("figures:exact")


async def figure(doors: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = await doors.get(f"/v1/figures/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def problem(doors: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await doors.get(f"/v1/figures/{path}")
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    return body


# The life: two budgets, two grants, then Cilla, Anna and Bo start, Bo's hours rise, Cilla leaves.
KNOWN_THEN = [
    ("F1?known_as_of=9", "2"),
    ("F1?known_as_of=8", "3"),
    ("F1?known_as_of=6", "2"),
    ("F1?known_as_of=4", "0"),
    ("F1?known_as_of=0", "0"),
    ("F4?known_as_of=7&as_of=2026-04-30", "7.5"),
    ("F4?known_as_of=8&as_of=2026-04-30", "8.666667"),
    ("F4?known_as_of=4", None),
    ("F5?known_as_of=3", "0.3328"),
    ("J1?known_as_of=6", "1"),
    ("F1?known_as_of=2026-06-30T08:00:00Z", "2"),
    ("F1?known_as_of=2026-06-30T10:00:00%2B02:00", "2"),
    ("F1?known_as_of=2026-06-30T10:00:00+02:00", "2"),
    ("F1?known_as_of=2026-06-30T07:59:59.999Z", "0"),
    ("F1?known_as_of=2999-01-01T00:00:00Z", "2"),
    ("F1?known_as_of=0001-01-01T00:00:00Z", "0"),
    ("F1?known_as_of=9999-12-31T23:59:59Z", "2"),
]


@pytest.mark.usefixtures("life")
async def test_every_figure_is_told_as_it_was_known_then(
    doors: httpx.AsyncClient, exact: dict[str, str], subtests: pytest.Subtests
) -> None:
    for path, value in KNOWN_THEN:
        with subtests.test(path):
            assert (await figure(doors, path, exact))["value"] == value


@pytest.mark.usefixtures("life")
async def test_a_figure_says_which_position_an_instant_was(doors: httpx.AsyncClient, exact: dict[str, str]) -> None:
    before = await figure(doors, "F1?known_as_of=2026-06-30T07:00:00Z", exact)
    then = await figure(doors, "F1?known_as_of=6", exact)
    now = await figure(doors, "F1?known_as_of=2026-07-01T00:00:00Z", exact)

    told = [(shown["position"], shown["known_as_of"], shown["facts"]) for shown in (before, then, now)]
    recorded = "2026-06-30T08:00:00Z"
    assert told == [(0, None, None), (6, recorded, None), (9, recorded, 5)]


@pytest.mark.usefixtures("life")
async def test_all_figures_are_told_as_they_were_known_then(doors: httpx.AsyncClient, exact: dict[str, str]) -> None:
    items = (await doors.get("/v1/figures?known_as_of=8&as_of=2026-04-30", headers=exact)).json()["items"]

    assert {item["position"] for item in items} == {8}
    assert {item["id"]: item["value"] for item in items}["F4"] == "8.666667"


@pytest.mark.usefixtures("life")
async def test_a_position_that_is_yet_to_come_is_refused(doors: httpx.AsyncClient) -> None:
    for position in ("10", "9" * 18):
        refusal = await problem(doors, f"F5?known_as_of={position}")

        reason = "must not be beyond the latest position, which is 9"
        assert refusal["type"] == "urn:kraftcenter:problem:invalid-question"
        assert refusal["errors"] == [{"parameter": "known_as_of", "detail": reason}]


PERIODS = [
    # Cilla and Anna all of April, Bo too; in May Anna and Bo.
    ("F1?from=2026-04-01&to=2026-05-01", "3", "2026-04-01", "2026-05-01"),
    ("F1?from=2026-04-21&to=2026-05-11", "2.5", "2026-04-21", "2026-05-11"),
    ("F4?from=2026-03-31&to=2026-04-02", "8.083333", "2026-03-31", "2026-04-02"),
    ("F1?from=2026-06-21", "2", "2026-06-21", "2026-07-01"),
    ("F1?from=2026-06-01&to=2027-01-01&as_of=2026-06-30", "2", "2026-06-01", "2026-07-01"),
    ("F8", "1", "2025-07-01", "2026-07-01"),
    ("F8?from=2026-05-02", None, "2026-05-02", "2026-07-01"),
    ("J4", "0", None, None),
    ("J4?from=2025-12-01", None, "2025-12-01", None),
    ("J4?to=2025-12-01", "0", None, "2025-12-01"),
    ("J4?as_of=2026-05-01", None, None, None),
]


@pytest.mark.usefixtures("life")
async def test_a_period_means_to_each_kind_what_the_parameters_say(
    doors: httpx.AsyncClient, exact: dict[str, str], subtests: pytest.Subtests
) -> None:
    for path, value, first, until in PERIODS:
        with subtests.test(path):
            shown = await figure(doors, path, exact)

            assert (shown["value"], shown["from"], shown["to"]) == (value, first, until)


@pytest.mark.usefixtures("life")
async def test_a_cut_by_two_dimensions_gives_a_cell_for_each_pair(
    doors: httpx.AsyncClient, exact: dict[str, str]
) -> None:
    j1 = await figure(doors, "J1?by=partner,kind", exact)
    j4 = await figure(doors, "J4?by=weeks,kind&as_of=2026-06-30", exact)

    assert [(cell["dimensions"], cell["value"]) for cell in j1["cells"]] == [
        ({"partner": "no", "kind": "flexjob"}, "2")
    ]
    assert {cell["dimensions"]["weeks"] for cell in j4["cells"]} == {"13", "26"}
    assert all(list(cell["dimensions"]) == ["weeks", "kind"] for cell in j4["cells"])


@pytest.fixture
def two_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue with a fixed F5 beside the first."""
    entries: list[Indicator] = []
    for indicator in INDICATORS:
        entries += [indicator, FIXED] if indicator is F5 else [indicator]
    monkeypatch.setattr(api, "INDICATORS", tuple(entries))


async def backfill(pool: Pool, in_force_from: int) -> None:
    """The lane keeps the fixed F5, by which half as much is drawn."""
    for measure in FIXED.measures:
        await pool.execute("INSERT INTO definition VALUES ('621', $1, 2, $2)", measure.id, in_force_from)
    for table in ("delta", "running_sum"):
        columns = "municipality, measure, cohort, date, dimensions"
        if table == "delta":
            columns += ", position, ordinal, key, contributor"
        await pool.execute(
            f"INSERT INTO {table} ({columns}, definition_version, amount) "  # noqa: S608 - names of our own
            f"SELECT {columns}, 2, CASE measure WHEN $1 THEN amount / 2 ELSE amount END "
            f"FROM {table} WHERE measure IN ($1, $2)",
            FIXED.measures[0].id,
            FIXED.measures[1].id,
        )


@pytest.mark.usefixtures("two_definitions")
async def test_the_definition_in_force_at_the_position_answers(doors: httpx.AsyncClient, pool: Pool, life: int) -> None:
    await backfill(pool, in_force_from=life)

    now = await figure(doors, "F5")
    then = await figure(doors, f"F5?known_as_of={life - 1}")

    assert (now["definition_version"], now["value"]) == (2, "0.2964")
    assert (then["definition_version"], then["value"]) == (1, "0.5928")


@pytest.mark.usefixtures("two_definitions")
async def test_an_explicit_definition_answers_at_any_position(doors: httpx.AsyncClient, pool: Pool, life: int) -> None:
    await backfill(pool, in_force_from=life)

    old = await figure(doors, "F5?definition_version=1")
    new = await figure(doors, f"F5?definition_version=2&known_as_of={life - 1}")

    assert (old["definition_version"], old["value"]) == (1, "0.5928")
    assert (new["definition_version"], new["value"]) == (2, "0.2964")


@pytest.mark.usefixtures("two_definitions", "life")
async def test_a_definition_that_the_lane_does_not_keep_yet_is_no_answer(doors: httpx.AsyncClient) -> None:
    refusal = await problem(doors, "F5?definition_version=2")

    assert refusal["status"] == 409
    assert refusal["type"] == "urn:kraftcenter:problem:definition-not-in-force"
    assert (await figure(doors, "F5"))["definition_version"] == 1
    assert len((await doors.get("/v1/figures")).json()["items"]) == len(INDICATORS)


async def test_a_lane_whose_facts_are_not_counted_again_yet_has_no_answer(
    doors: httpx.AsyncClient, pool: Pool, life: int
) -> None:
    await pool.execute("DELETE FROM definition")

    assert (await problem(doors, f"F5?known_as_of={life}"))["status"] == 409
    assert (await doors.get("/v1/figures")).json() == {"items": []}


@pytest.mark.usefixtures("two_definitions")
async def test_a_lane_without_facts_answers_by_any_definition(doors: httpx.AsyncClient) -> None:
    for version, path in ((2, "F5"), (1, "F5?definition_version=1"), (2, "F5?definition_version=2&known_as_of=0")):
        shown = await figure(doors, path)

        assert (shown["definition_version"], shown["status"], shown["position"]) == (version, "no_data", 0)


@pytest.mark.usefixtures("two_definitions")
async def test_the_catalogue_shows_every_definition_and_the_newest_under_its_id(entrance: httpx.AsyncClient) -> None:
    items = (await entrance.get("/v1/indicators")).json()["items"]

    assert [item["definition_version"] for item in items if item["id"] == "F5"] == [1, 2]
    assert (await entrance.get("/v1/indicators/F5")).json()["definition_version"] == 2
