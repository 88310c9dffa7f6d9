"""The exits for Prometheus: the same figures as the doors give, the same policy, and a full account of deliveries."""

from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.metrics import MOST_VALUES, name_of
from services.impact.tests.doors.messages import RULES, SOURCE, message
from services.impact.tests.doors.small_life import Admit, Issue

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]

PERSONAL = {name_of(indicator) for indicator in INDICATORS if indicator.about_persons}


async def scrape(doors: httpx.AsyncClient, path: str = "/metrics", headers: dict[str, str] | None = None) -> Series:
    answer = await doors.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(series: Series, name: str, **labels: str) -> float | None:
    return series.get((name, frozenset({"municipality": "621", **labels}.items())))


def names(series: Series) -> set[str]:
    return {name for name, _ in series}


@pytest.mark.usefixtures("life")
async def test_the_exact_exit_shows_every_figure_cell_by_cell(doors: httpx.AsyncClient, issue: Issue) -> None:
    series = await scrape(doors, "/metrics/exact", await issue("figures:exact"))

    assert of(series, "impact_jobs_started_placements", kind="flexjob", origin="unknown", partner="no") == 2
    assert of(series, "impact_paid_hours_added_fte", kind="flexjob") == 0.5
    assert of(series, "impact_in_flexjob_persons", department="Senior") == 1
    assert of(series, "impact_in_flexjob_persons", department="Teknik") == 1
    assert of(series, "impact_mean_effective_hours_per_week", department="Teknik") == 9.5
    assert of(series, "impact_pool_utilisation_share", fiscal_year="2027") == 0.2


@pytest.mark.usefixtures("life")
async def test_a_ratio_is_shown_whole_as_well_since_its_cells_sum_to_nothing(
    doors: httpx.AsyncClient, issue: Issue
) -> None:
    series = await scrape(doors, "/metrics/exact", await issue("figures:exact"))

    assert of(series, "impact_mean_effective_hours_per_week", department="") == 11
    assert of(series, "impact_pool_utilisation_share", fiscal_year="") == 0.5928
    assert of(series, "impact_in_flexjob_persons", department="") is None


@pytest.mark.usefixtures("life")
async def test_a_sum_over_all_cells_is_the_figure(doors: httpx.AsyncClient, issue: Issue) -> None:
    token = await issue("figures:exact")
    series = await scrape(doors, "/metrics/exact", token)
    figures = (await doors.get("/v1/figures", headers=token)).json()["items"]

    for indicator, figure in zip(INDICATORS, figures, strict=True):
        if indicator.denominator is None:
            cells = [value for (name, _), value in series.items() if name == name_of(indicator)]
            assert sum(cells) == float(figure["value"])


@pytest.mark.usefixtures("life")
async def test_the_anonymous_exit_shows_no_figure_about_persons(doors: httpx.AsyncClient, issue: Issue) -> None:
    shown = names(await scrape(doors))

    assert "impact_pool_utilisation_share" in shown
    assert not shown & PERSONAL
    assert names(await scrape(doors, "/metrics/exact", await issue("figures:exact"))) & PERSONAL


@pytest.mark.usefixtures("life")
async def test_how_much_is_suppressed_is_told(doors: httpx.AsyncClient, issue: Issue) -> None:
    assert of(await scrape(doors), "impact_suppressed_cells") == len(PERSONAL)
    assert of(await scrape(doors, "/metrics/exact", await issue("figures:exact")), "impact_suppressed_cells") == 0


@pytest.mark.usefixtures("life")
async def test_a_definition_that_the_lane_does_not_keep_yet_is_not_shown(
    doors: httpx.AsyncClient, issue: Issue, pool: Pool
) -> None:
    await pool.execute("DELETE FROM definition WHERE measure = 'jobs_due'")

    shown = names(await scrape(doors, "/metrics/exact", await issue("figures:exact")))

    assert not shown & {name_of(indicator) for indicator in INDICATORS if indicator.id in {"J4", "J4e"}}
    assert "impact_in_flexjob_persons" in shown


@pytest.mark.parametrize(("scopes", "status"), [((), 401), (("read:flexjob_pool",), 403)])
async def test_the_exact_exit_needs_the_scope(
    doors: httpx.AsyncClient, issue: Issue, scopes: tuple[str, ...], status: int
) -> None:
    headers = await issue(*scopes) if scopes else {}

    assert (await doors.get("/metrics/exact", headers=headers)).status_code == status


async def test_every_exit_says_at_which_position_and_day_it_stands(
    doors: httpx.AsyncClient, issue: Issue, life: int
) -> None:
    for path in ("/metrics", "/metrics/exact"):
        series = await scrape(doors, path, await issue("figures:exact"))

        assert of(series, "impact_lane_position") == life
        midnight = datetime(2026, 6, 29, 22, tzinfo=UTC)
        assert of(series, "impact_as_of_timestamp_seconds") == midnight.timestamp()


async def test_before_the_first_fact_stocks_and_flows_are_zero_and_ratios_absent(
    doors: httpx.AsyncClient, issue: Issue
) -> None:
    series = await scrape(doors, "/metrics/exact", await issue("figures:exact"))

    assert of(series, "impact_in_flexjob_persons", department="") == 0
    assert of(series, "impact_lane_position") == 0
    assert "impact_pool_utilisation_share" not in names(series)


JOB = {
    "placement_id": "00000000-0000-4000-8000-000000000001",
    "person_ref": "00000000-0000-4000-8000-000000000002",
    "attendance_hours_per_week": "8.00",
    "effective_hours_per_week": "8.00",
}
STARTED = {
    **JOB,
    "occurred_on": "2026-06-01",
    "department": "Senior",
    "workplace_unit": "Senior-1",
    "grant_term": "permanent",
    "retention": True,
    "scheme": "post2013",
}
CHANGED = {**JOB, "occurred_on": "2026-06-02", "cause": "task_match"}


async def test_every_delivery_and_every_fact_is_accounted_for(doors: httpx.AsyncClient, admit: Admit) -> None:
    await admit(
        message("flexjob.hours_changed", "before-its-start", CHANGED),
        message("pool.rules_adopted", "rules", RULES),
        message("flexjob.started", "correction", STARTED | {"reason_code": "late_information"}, corrects="nothing"),
        message("event.retracted", "retraction", {"event_id": "nothing", "reason_code": "never_happened"}),
        message("flexjob.started", "invalid", {"occurred_on": "2026-06-01"}),
        message("flexjob.invented", "unknown", {}),
        b"not an event",
    )
    series = await scrape(doors)

    outcomes = {
        outcome: of(series, "impact_facts", source=SOURCE, outcome=outcome)
        for outcome in ("parked", "waiting", "counted", "out_of_scope")
    }
    assert outcomes == {"parked": 2, "waiting": 3, "counted": 0, "out_of_scope": 1}
    assert of(series, "impact_lane_position") == sum(count or 0 for count in outcomes.values())
    assert of(series, "impact_parked_facts", reason="invalid_data") == 1
    assert of(series, "impact_parked_facts", reason="unknown_type") == 1
    assert of(series, "impact_parked_facts", reason="absurd_date") == 0


async def test_a_fact_waits_only_until_its_opening_arrives(doors: httpx.AsyncClient, admit: Admit) -> None:
    await admit(message("flexjob.hours_changed", "change", CHANGED))
    assert of(await scrape(doors), "impact_facts", source=SOURCE, outcome="waiting") == 1

    await admit(message("flexjob.started", "start", STARTED))
    series = await scrape(doors)
    assert of(series, "impact_facts", source=SOURCE, outcome="waiting") == 0
    assert of(series, "impact_facts", source=SOURCE, outcome="counted") == 2


async def test_copies_conflicts_and_noise_are_told_apart(doors: httpx.AsyncClient, admit: Admit) -> None:
    start = message("flexjob.started", "start", STARTED)
    await admit(start, start, message("flexjob.started", "start", STARTED | {"department": "Teknik"}), b"noise")

    series = await scrape(doors)

    stream = "EVENTS_621_FLEXJOB_POOL"
    results = {
        result: of(series, "impact_deliveries_total", stream=stream, result=result)
        for result in ("first_copies", "duplicates", "conflicts", "unreadable")
    }
    assert results == {"first_copies": 1, "duplicates": 1, "conflicts": 1, "unreadable": 1}


async def test_what_a_producer_has_published_stands_beside_what_arrived(doors: httpx.AsyncClient, admit: Admit) -> None:
    published = {"producer": "flexjob_pool", "published": [{"source": SOURCE, "events": 3}]}
    await admit(
        message("flexjob.started", "start", STARTED),
        message("service.heartbeat", "beat", published, time="2026-06-30T08:00:05Z"),
    )

    series = await scrape(doors)

    assert of(series, "impact_published_events", source=SOURCE) == 3
    assert of(series, "impact_received_events", source=SOURCE) == 1
    sent = datetime(2026, 6, 30, 8, 0, 5, tzinfo=UTC).timestamp()
    assert of(series, "impact_heartbeat_sent_timestamp_seconds", producer="flexjob_pool") == sent


async def test_sources_and_departments_beyond_measure_are_named_together(
    doors: httpx.AsyncClient, admit: Admit, issue: Issue
) -> None:
    jobs = [
        STARTED
        | {
            "placement_id": f"00000000-0000-4000-8000-{number:012}",
            "person_ref": f"00000000-0000-4000-9000-{number:012}",
            "department": f"D{number:04}",
        }
        for number in range(MOST_VALUES + 5)
    ]
    await admit(
        *(
            message("flexjob.started", "start", job, source=f"urn:kraftcenter:621:s{number:04}")
            for number, job in enumerate(jobs)
        )
    )

    public = await scrape(doors)
    exact = await scrape(doors, "/metrics/exact", await issue("figures:exact"))

    assert of(public, "impact_received_events", source="other") == 5
    assert of(public, "impact_facts", source="other", outcome="counted") == 5
    assert of(exact, "impact_in_flexjob_persons", department="other") == 5
    assert of(exact, "impact_mean_effective_hours_per_week", department="other") == 8
    assert len([name for name, _ in exact if name == "impact_in_flexjob_persons"]) == MOST_VALUES + 1


@pytest.mark.usefixtures("life")
async def test_without_a_database_nothing_is_said_rather_than_zero(doors: httpx.AsyncClient, pool: Pool) -> None:
    await pool.close()

    series = await scrape(doors)

    assert not [name for name in names(series) if name.startswith("impact_")]
    assert series["scrape_collectors_failed", frozenset()] == 1


async def test_a_bad_event_type_never_becomes_a_label(doors: httpx.AsyncClient, admit: Admit) -> None:
    await admit(message("person.invented", "unknown", {}), message("flexjob.started", "start", STARTED))

    text = (await doors.get("/metrics")).text

    assert "flexjob.started" not in text
    assert "invented" not in text
