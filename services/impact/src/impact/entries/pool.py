"""The flexjob pool's money: what grants draw of what the budgets set aside (F5)."""

from contracts.flexjob_pool import BudgetAdjusted, BudgetAllocated, GrantAdjusted, GrantCommitted, GrantReleased
from impact.effects import pool
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

POOL_DRAWN = Measure(
    id="pool_drawn",
    version=1,
    unit="DKK 0.01",
    history="grant",
    reads=(GrantCommitted, GrantAdjusted, GrantReleased),
    rule=pool.drawn,
)
POOL_ALLOCATED = Measure(
    id="pool_allocated",
    version=1,
    unit="DKK 0.01",
    history="budget",
    reads=(BudgetAllocated, BudgetAdjusted),
    rule=pool.allocated,
)

F5 = Indicator(
    id="F5",
    name="pool_utilisation",
    title=Bilingual("Puljens udnyttelse", "Pool utilisation"),
    definition=Bilingual(
        "Det, tilsagnene trækker på regnskabsåret på dagen, delt med årets budget, begge som senest besluttet. Et "
        "tilsagn trækker fra den dag, det er givet, det, som det eller dets seneste regulering siger; frigives det, "
        "trækker det for altid det, som frigivelsen siger. Et tilsagn hen over nytår trækker på hvert års budget for "
        "sig. Uden valg af år: det år, dagen ligger i; år kan ikke lægges sammen.",
        "What the grants draw on the fiscal year as of the day, divided by its budget, both as last decided. A grant "
        "draws, from the day it is given, what it or its latest adjustment says; once released, it draws what the "
        "release says for good. A grant over New Year draws on the budget of each year separately. Without a choice, "
        "the year is that of the day; years do not add up.",
    ),
    level="activity",
    kind="stock",
    unit="share",
    direction="neutral",
    dimensions=("fiscal_year",),
    additive=False,
    about_persons=False,
    owner="HR and finance",
    definition_version=1,
    mapping=("T2",),
    numerator=POOL_DRAWN,
    denominator=POOL_ALLOCATED,
    held=(("fiscal_year", "{year}"),),
)
