"""Every figure of the catalogue at a pair of dates, from what the plan had registered by then."""

from collections.abc import Sequence
from datetime import date

from local.actions.action import Action
from local.expected import flexjobs, jobs, needs, pool, reviews, staff
from local.expected.known import known_at_the_end_of
from local.expected.lives import lives_until
from local.expected.value import Figure


def expected_figures(
    actions: Sequence[Action], *, municipality: str = "621", as_of: date, known_on: date
) -> dict[str, Figure]:
    """Every figure at the end of `as_of`, as the registrations up to the end of `known_on` tell it, by indicator id."""
    known = known_at_the_end_of(known_on, actions)
    lives = lives_until(known, as_of)
    counts = staff.last_counts(known, as_of)
    return {
        "J1": jobs.jobs_started(lives, as_of),
        "J2": jobs.hours_started(lives, as_of),
        "J3": jobs.progress(lives, as_of),
        "J3r": jobs.regression(lives, as_of),
        "J4": jobs.sustained(lives, as_of),
        "J4e": jobs.still_employed(lives, as_of),
        "F1": flexjobs.persons(lives, as_of),
        "F2": staff.flexjobs_of_staff(counts, lives),
        "F3": flexjobs.net_change(lives, as_of),
        "F4": flexjobs.mean_hours(lives, as_of),
        "F5": pool.utilisation(known, as_of),
        "F6": needs.days_to_fill(known, as_of),
        "F7": reviews.on_time(known, lives, as_of=as_of, known_on=known_on),
        "F8": flexjobs.exits(lives, as_of),
        "F9": needs.placed_in_time(known, municipality, as_of),
        "E1": staff.headcount(counts),
        "E1f": staff.full_time_equivalents(counts),
        "E2": staff.trainees(counts),
    }
