"""Rules that are adopted while others decide: each decision is held to the rules of its moment."""

from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

from flexjob_pool.domain.applications import Application
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.requests.applications import Approve
from flexjob_pool.requests.ask import RULES
from flexjob_pool.requests.rules import AdoptRules
from flexjob_pool.use_cases import Desk, Recorded, register
from services.flexjob_pool.tests.conftest import RULES_DAY
from services.flexjob_pool.tests.stage import staged

FOUR_HOURS = AdoptRules(
    occurred_on=RULES_DAY,
    refund_share=Decimal("0.5"),
    eligible_units=("Senior",),
    max_weekly_effective_hours=Decimal(4),
)
YES = Approve(occurred_on=RULES_DAY)


async def others_look_at_the_rules(desk: Desk) -> None:
    await desk.locks.take(desk.db, RULES)


async def test_what_is_approved_while_rules_are_adopted_is_held_to_those_in_force_at_its_turn(office: Any) -> None:
    await office.rules()
    before, after = uuid4(), uuid4()
    for application_id in (before, after):
        await office.ask(application_id, office.application(100))

    async with staged(office, others_look_at_the_rules) as stage:
        await stage.enter(partial(register, about=before, ask=YES))
        await stage.enter(partial(register, about="", ask=FOUR_HOURS))
        await stage.enter(partial(register, about=after, ask=YES))

    [[approved], [adopted], [refused]] = [act.result() for act in stage.acts]
    assert isinstance(approved, Recorded)
    assert isinstance(approved.resource, Application)
    assert approved.resource.status == "approved"
    assert isinstance(adopted, Recorded)
    assert isinstance(refused, Refusal)
    assert len(await office.told("application.approved")) == 1
