"""The follow-ups that the law asks for in every flexjob, and whether they are held in time (F7)."""

from functools import partial

from impact.effects import reviews
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

of_placement = partial(Measure, version=1, history="placement", reads=reviews.LIFE)

REVIEWS_DUE = of_placement(id="reviews_due", unit="reviews", rule=reviews.due)
REVIEWS_ON_TIME = of_placement(id="reviews_on_time", unit="reviews", rule=reviews.on_time)

F7 = Indicator(
    id="F7",
    name="reviews_on_time",
    title=Bilingual("Opfølgninger holdt til tiden", "Reviews held on time"),
    definition=Bilingual(
        "Andelen af opfølgninger med frist i de valgte måneder, der er holdt på fristens dag eller før. Er fristen "
        "flyttet, gælder den seneste. Opfølgninger, hvis fleksjob ikke løb på fristens dag, er ikke med, og det er "
        "frister efter dagen heller ikke; en opfølgning holdt for sent bliver i nævneren.",
        "The share of the reviews due in the chosen months that were held on the due day or before. If it was moved, "
        "the latest due day holds. Reviews whose flexjob did not run on the due day are left out, and so are due days "
        "after the day asked for; a review held late stays in the denominator.",
    ),
    level="activity",
    kind="cohort",
    unit="share",
    direction="up",
    dimensions=("review_kind",),
    additive=True,
    about_persons=True,
    owner="Labour market department",
    definition_version=1,
    mapping=("T2",),
    numerator=REVIEWS_ON_TIME,
    denominator=REVIEWS_DUE,
)
