"""The year put together: who lives through it, what else goes on, and what of it was registered wrongly."""

from collections.abc import Iterator
from functools import partial

from local.actions.action import Action
from local.plan import funding, job7, mistakes, office, payroll, people, staff
from local.plan.chance import Chance
from local.plan.story import Story, Year, in_order
from local.plan.towns import KOLDING, VEJLE, Town

PART_OF_KOLDING = 4, 5


def plan_years(seed: int, size: int) -> tuple[Year, Year]:
    """Kolding's year and Vejle's, with so many people in all."""
    over, under = PART_OF_KOLDING
    here = size * over // under
    return plan_year(seed, KOLDING, here), plan_year(seed + 1, VEJLE, size - here)


def plan_year(seed: int, town: Town, size: int) -> Year:
    """A municipality's year in which so many people are in flexjobs, one in eight of them told of by payroll alone."""
    chance = Chance(f"{seed} {town.municipality}")
    paid, asked, sessions = max(size // 8, len(payroll.TWISTS)), max(size // 16, 6), max(size // 40, 1)
    tellers = (
        *(partial(_life, number=n) for n in range(size - paid)),
        *(partial(payroll.employed, number=n) for n in range(paid)),
        *(partial(funding.in_vain, number=n) for n in range(asked)),
        *(partial(job7.exchange, number=n) for n in range(asked)),
        *(partial(staff.counted, department=name) for name in town.workplaces),
        *(partial(staff.told, number=n) for n in range(sessions)),
    )
    cases = tuple(in_order(tell(chance, town)) for tell in tellers)
    decided = in_order(office.office(chance, town, (action for case in cases for action in case)))
    return Year(town, decided, cases)


def _life(chance: Chance, town: Town, *, number: int) -> Iterator[Action]:
    story: Story = in_order(people.life(chance, town, number))
    yield from mistakes.told_with_mistakes(chance, town, story)
