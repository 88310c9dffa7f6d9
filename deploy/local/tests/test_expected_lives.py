"""What people's jobs must come to, told as stories that can be counted on fingers."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from local.actions.action import Action
from local.actions.flexjobs import ChangeHours, EndFlexjob, StartFlexjob
from local.expected.figures import expected_figures
from local.expected.value import Figure, Value

FIRST = date(2025, 9, 1)
LATER = date(2026, 3, 31)
SHARES = ("J3", "J3r", "J4", "J4e", "F2", "F4", "F7", "F8", "F9", "E2")


def ref(number: int) -> UUID:
    return UUID(int=number, version=4)


def job(  # noqa: PLR0913 - each story names only what it is about
    number: int, hours: str, *, on: date = FIRST, until: date | None = None, person: int = 0, reason: str = "resigned"
) -> list[Action]:
    """A flexjob, of a person of its own unless another is named."""
    start = StartFlexjob(
        registered_on=on,
        occurred_on=on,
        placement_id=ref(number),
        person_ref=ref(100 + (person or number)),
        department="Senior",
        workplace_unit="Åhaven",
        attendance_hours_per_week=Decimal(37),
        effective_hours_per_week=Decimal(hours),
        grant_term="permanent",
        retention=False,
    )
    return [start] if until is None else [start, end(number, until, reason=reason)]


def end(number: int, on: date, *, reason: str = "resigned", days_late: int = 0) -> EndFlexjob:
    registered_on = on + timedelta(days=days_late)
    return EndFlexjob(registered_on=registered_on, occurred_on=on, placement_id=ref(number), reason_code=reason)


def change(number: int, hours: str, cause: str = "capacity_up", *, on: date) -> ChangeHours:
    return ChangeHours(
        registered_on=on,
        occurred_on=on,
        placement_id=ref(number),
        attendance_hours_per_week=Decimal(37),
        effective_hours_per_week=Decimal(hours),
        cause=cause,
    )


def after(days: int) -> date:
    return FIRST + timedelta(days=days)


def figures(*stories: Sequence[Action], as_of: date = LATER) -> dict[str, Figure]:
    return expected_figures([action for story in stories for action in story], as_of=as_of, known_on=date(2030, 1, 1))


def share(over: int, under: int) -> Value:
    rounded = round(Decimal(over) / under, 6) if under else None
    return Value(rounded, Decimal(over), Decimal(under))


def causes(figure: Figure) -> dict[str, Decimal | None]:
    return {name: cell.value for name, cell in figure.cuts["cause"].items()}


def test_five_people_of_whom_two_work_more_and_one_works_less() -> None:
    told = figures(
        [*job(1, "4"), change(1, "12.50", on=after(30))],
        [*job(2, "6"), change(2, "9.50", on=after(40))],
        [*job(3, "10"), change(3, "7", "capacity_down", on=after(50))],
        job(4, "5"),
        job(5, "8"),
    )

    assert told["J3"].whole == told["J3"].cuts["kind"]["flexjob"] == share(2, 5)
    assert told["J3r"].whole == share(1, 5)
    assert told["F3"].whole.value == 9
    assert causes(told["F3"]) == {"capacity_up": Decimal(12), "capacity_down": Decimal(-3)}


def test_of_ten_jobs_eight_had_their_26_weeks_and_six_were_sustained() -> None:
    told = figures(
        *(job(number, "8") for number in range(1, 6)),
        [*job(6, "8", until=after(90)), *job(16, "8", on=after(100), person=6)],
        [*job(7, "10"), change(7, "8", "capacity_down", on=after(60))],
        job(8, "8", until=after(100)),
        job(9, "8", on=date(2025, 11, 1)),
    )

    assert told["J4"].whole == share(6, 8)
    assert told["J4e"].whole == share(7, 8)
    assert told["J4"].cuts["kind"] == {"flexjob": share(6, 8)}
    assert told["J4e"].cuts["origin"] == {"unknown": share(7, 8)}


@pytest.mark.parametrize(("weeks", "due"), [("13", "2025-12-01"), ("26", "2026-03-02"), ("52", "2026-08-31")])
def test_a_milestone_counts_from_its_very_day(weeks: str, due: str) -> None:
    day = date.fromisoformat(due)

    assert weeks not in figures(job(1, "8"), as_of=day - timedelta(days=1))["J4"].cuts["weeks"]
    assert figures(job(1, "8"), as_of=day)["J4"].cuts["weeks"][weeks] == share(1, 1)


def test_only_the_whole_and_the_other_cuts_are_about_26_weeks() -> None:
    told = figures(job(1, "8"), as_of=after(13 * 7))["J4"]

    assert told == Figure(share(0, 0), {"weeks": {"13": share(1, 1)}, "kind": {}, "origin": {}})


def test_a_job_that_ends_on_its_milestone_is_not_sustained_and_one_that_ends_a_day_later_is() -> None:
    due = after(26 * 7)

    assert figures(job(1, "8", until=due))["J4e"].whole == share(0, 1)
    assert figures(job(1, "8", until=due + timedelta(days=1)))["J4e"].whole == share(1, 1)


@pytest.mark.parametrize(("days", "sustained"), [(14, 1), (15, 0)])
def test_pauses_of_a_job_are_added_up(days: int, sustained: int) -> None:
    story = [
        *job(1, "8", until=after(50)),
        *job(2, "8", on=after(64), until=after(100), person=1),
        *job(3, "8", on=after(100 + days), person=1),
    ]

    assert figures(story, as_of=after(182))["J4"].whole == share(sustained, 1)


def test_another_job_besides_makes_up_for_hours_lost() -> None:
    story = [*job(1, "10"), change(1, "8", "capacity_down", on=after(20)), *job(2, "2", on=after(150), person=1)]

    assert figures(story, as_of=after(182))["J4"].whole == share(1, 1)


@pytest.mark.parametrize(("pause", "gained", "more"), [(28, 1, 4), (29, 0, 0)])
def test_a_pause_of_28_days_keeps_the_baseline_and_one_of_29_sets_a_new_one(pause: int, gained: int, more: int) -> None:
    told = figures([*job(1, "6", until=after(100)), *job(2, "10", on=after(100 + pause), person=1)])

    assert told["J3"].whole == share(gained, 1)
    assert told["F3"].whole.value == more
    assert causes(told["F3"]) == ({"other_job": Decimal(more)} if more else {})


def test_who_is_not_at_work_is_in_no_share_and_moves_no_hours() -> None:
    told = figures([*job(1, "4", until=after(90)), change(1, "8", on=after(30))])

    assert told["J3"].whole == told["J3r"].whole == share(0, 0)
    assert told["F3"] == Figure(Value(Decimal(0)), {"cause": {}})


def test_hours_move_by_their_causes_and_the_rest_by_other_jobs() -> None:
    story = [
        *job(1, "10"),
        change(1, "13", "task_match", on=after(10)),
        change(1, "12", "organisational", on=after(20)),
        change(1, "12.50", "moon_phase", on=after(30)),
        *job(2, "5", on=after(40), until=after(60), person=1),
        change(2, "6", "capacity_up", on=after(50)),
    ]

    assert causes(figures(story, as_of=after(59))["F3"]) == {
        "task_match": Decimal(3),
        "organisational": Decimal(-1),
        "unknown": Decimal("0.5"),
        "capacity_up": Decimal(1),
        "other_job": Decimal(5),
    }
    # The second job is gone, and with it what it brought; that its hours had gone up stays true.
    told = figures(story, as_of=after(60))["F3"]
    assert causes(told)["capacity_up"] == 1
    assert causes(told)["other_job"] == -1
    assert told.whole.value == Decimal("2.5")


def test_what_moved_hours_before_a_long_pause_is_forgotten() -> None:
    story = [
        *job(1, "6", until=after(50)),
        change(1, "9", on=after(20)),
        *job(2, "8", on=after(100), until=after(120), person=1),
        change(2, "10", on=after(110)),
        *job(3, "8", on=after(160), person=1),
        change(3, "7", "capacity_down", on=after(170)),
    ]

    assert causes(figures(story)["F3"]) == {"capacity_down": Decimal(-1)}


def test_hours_changed_on_a_first_day_belong_to_the_start() -> None:
    story = [
        *job(1, "6"),
        change(1, "7.40", on=FIRST),
        *job(2, "3", on=after(30), person=1),
        change(2, "4", on=after(30)),
    ]
    told = figures(story, as_of=date(2025, 12, 31))

    assert told["J2"].whole.value == Decimal("0.308108")
    assert causes(told["F3"]) == {"other_job": Decimal(4)}


def test_a_job_that_is_over_on_its_first_day_is_no_job() -> None:
    assert figures(job(1, "8", until=FIRST, reason="ordinary_job")) == figures()


def test_a_change_from_the_end_on_matters_not() -> None:
    story = [*job(1, "4"), *job(2, "5", person=1), change(1, "8", on=after(20)), end(1, after(20), days_late=3)]
    told = figures(story, as_of=after(30))

    assert told["F3"].whole.value == -4
    assert causes(told["F3"]) == {"other_job": Decimal(-4)}


def test_an_end_counts_for_twelve_months() -> None:
    stories = [job(1, "8", on=date(2024, 1, 1), until=FIRST, reason="ordinary_job"), job(2, "8", until=after(5))]

    assert figures(*stories, as_of=date(2025, 8, 31))["F8"].whole == share(0, 0)
    assert figures(*stories, as_of=FIRST)["F8"].whole == share(1, 1)
    assert figures(*stories, as_of=after(5))["F8"] == Figure(share(1, 2), {})
    assert figures(*stories, as_of=date(2026, 8, 31))["F8"].whole == share(1, 2)
    assert figures(*stories, as_of=date(2026, 9, 1))["F8"].whole == share(0, 1)


def test_twelve_months_up_to_a_leap_day_begin_on_the_first_of_march() -> None:
    stories = [job(n, "8", on=date(2022, 1, 3), until=date(2023, 2, 27) + timedelta(days=n)) for n in (1, 2)]

    assert figures(*stories, as_of=date(2024, 2, 29))["F8"].whole == share(0, 1)


def test_what_no_action_tells_of_is_empty_and_yet_expected() -> None:
    told = figures(job(1, "8"))

    assert told["F6"] == Figure(Value(denominator=Decimal(0)), {"department": {}, "workplace_unit": {}})
    assert told["E1"] == told["E1f"] == Figure(Value(Decimal(0)), {"department": {}})
    assert told["F2"] == told["E2"] == Figure(share(0, 0), {"department": {}})
    assert told["F7"] == Figure(share(0, 0), {"review_kind": {}})
    assert told["F9"] == Figure(share(0, 0), {"to_municipality": {}})


def test_without_anybody_shares_have_no_value_and_sums_are_nil() -> None:
    told = figures()

    assert {name for name, figure in told.items() if figure.whole == share(0, 0)} == set(SHARES) | {"F5"}
    assert {name for name, figure in told.items() if figure.whole == Value(Decimal(0))} == {
        "J1", "J2", "F1", "F3", "E1", "E1f",
    }  # fmt: skip
