"""Every figure of the catalogue at a pair of dates, from what the plan had registered by then."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from local.actions import Action
from local.expected import flexjobs, jobs, pool, reviews
from local.expected.lives import lives_until
from local.expected.value import Figure, Value, amount, ratio

# Needs, Job7 and the count of staff: no action of the plan tells of them yet.
NOTHING_YET: dict[str, tuple[Value, tuple[str, ...]]] = {
    "F2": (ratio(0, 0), ("department",)),
    "F6": (Value(denominator=Decimal(0)), ("department", "workplace_unit")),
    "F9": (ratio(0, 0), ("to_municipality",)),
    "E1": (amount(0), ("department",)),
    "E1f": (amount(0), ("department",)),
    "E2": (ratio(0, 0), ("department",)),
}


def expected_figures(actions: Sequence[Action], *, as_of: date, known_on: date) -> dict[str, Figure]:
    """Every figure at the end of `as_of`, as the registrations up to the end of `known_on` tell it, by indicator id."""
    known = [action for action in actions if action.registered_on <= known_on]
    lives = lives_until(known, as_of)
    return {
        "J1": jobs.jobs_started(lives, as_of),
        "J2": jobs.hours_started(lives, as_of),
        "J3": jobs.progress(lives, as_of),
        "J3r": jobs.regression(lives, as_of),
        "J4": jobs.sustained(lives, as_of),
        "J4e": jobs.still_employed(lives, as_of),
        "F1": flexjobs.persons(lives),
        "F3": flexjobs.net_change(lives, as_of),
        "F4": flexjobs.mean_hours(lives),
        "F5": pool.utilisation(known, as_of),
        "F7": reviews.on_time(known, lives, as_of=as_of, known_on=known_on),
        "F8": flexjobs.exits(lives, as_of),
        **{name: Figure(whole, {cut: {} for cut in cuts}) for name, (whole, cuts) in NOTHING_YET.items()},
    }
