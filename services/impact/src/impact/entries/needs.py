"""What workplaces need: the time until a flexjob fills it (F6)."""

from functools import partial

from contracts.flexjob_pool import FlexjobStarted
from contracts.workplaces import NeedReported
from impact.effects import needs
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

of_need = partial(Measure, version=1, history="need", reads=(NeedReported, FlexjobStarted))

NEEDS_FILLED = of_need(id="needs_filled", unit="needs", rule=needs.filled)
DAYS_TO_FILL = of_need(id="days_to_fill", unit="days", rule=needs.days_to_fill)

F6 = Indicator(
    id="F6",
    name="time_to_fill",
    title=Bilingual("Dage til et behov er dækket", "Days to fill a need"),
    definition=Bilingual(
        "Medianen af antal kalenderdage fra en arbejdsplads melder et behov, til det første fleksjob på det begynder, "
        "samme dag eller senere; af et lige antal er det gennemsnittet af de to midterste. Behov meldt i de valgte "
        "måneder og dækket senest på dagen; udækkede og tilbagetrukne er ikke med, så nye måneder ser hurtigere ud, "
        "end de ender. Medianer kan ikke lægges sammen.",
        "The median number of calendar days from a workplace reporting a need until the first flexjob for it begins, "
        "on the same day or later; of an even number, the mean of the two in the middle. Needs reported in the chosen "
        "months and filled by the day; those unfilled or withdrawn are left out, so that recent months look faster "
        "than they will end up. Medians do not add up.",
    ),
    level="output",
    kind="cohort",
    unit="days",
    direction="down",
    dimensions=("department", "workplace_unit"),
    additive=False,
    about_persons=True,
    owner="HR",
    definition_version=1,
    mapping=("T2",),
    numerator=DAYS_TO_FILL,
    denominator=NEEDS_FILLED,
    reading="median",
)
