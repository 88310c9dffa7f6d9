"""The pool's money by fiscal year: on no day may more be drawn than is set aside from that day on."""

from collections.abc import Iterator
from datetime import date

from flexjob_pool.domain.budgets import Budget
from flexjob_pool.domain.case import Resource
from flexjob_pool.domain.grants import Grant, changes

Step = tuple[int, date, int]


def steps(resource: Resource) -> Iterator[Step]:
    """What a resource lets become free, as (fiscal year, day, øre): more by a budget, less by a grant."""
    if isinstance(resource, Budget):
        before = 0
        for total in resource.totals:
            yield resource.fiscal_year, total.occurred_on, total.amount_ore - before
            before = total.amount_ore
    elif isinstance(resource, Grant):
        for year, day, more in changes(resource.draws):
            yield year, day, -more
