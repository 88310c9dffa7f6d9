"""Jobs of every eligible kind, flexjobs among them: begun (J1, J2), grown or shrunk (J3), and kept (J4)."""

from decimal import Decimal
from functools import partial

from impact.effects import placements, progress, sustained
from impact.effects.jobs import LIFE
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

HOURS_PER_FTE = Decimal(37)
HELD_TO_26_WEEKS = (("weeks", "26"),)

of_person = partial(Measure, version=1, history="person", reads=LIFE)
of_jobs = partial(Indicator, additive=True, about_persons=True, owner="Business service", definition_version=1)

PLACEMENTS_STARTED = of_person(id="placements_started", unit="placements", rule=placements.started)
HOURS_STARTED = of_person(id="hours_started", unit="h/week", rule=placements.hours_started)
PERSONS_EMPLOYED = of_person(id="persons_employed", unit="persons", rule=progress.employed)
PERSONS_PROGRESSED = of_person(id="persons_progressed", unit="persons", rule=progress.progressed)
PERSONS_REGRESSED = of_person(id="persons_regressed", unit="persons", rule=progress.regressed)
JOBS_DUE = of_person(id="jobs_due", unit="placements", rule=sustained.due)
JOBS_SUSTAINED = of_person(id="jobs_sustained", unit="placements", rule=sustained.sustained)
JOBS_STILL_EMPLOYED = of_person(id="jobs_still_employed", unit="placements", rule=sustained.still_employed)

J1 = of_jobs(
    id="J1",
    name="jobs_started",
    title=Bilingual("Påbegyndte lønnede ansættelser", "Paid placements started"),
    definition=Bilingual(
        "Antal forskellige ansættelser, der i perioden har deres første dag som ordinært job, småjob, fleksjob, "
        "elevplads eller socialt frikort. Praktik og løntilskud tæller ikke med, før de eventuelt går over i et af "
        "disse. En ansættelse, der slutter senest den dag, den begynder, tæller ikke. Samme job meldt af to kilder "
        "tæller én gang.",
        "Number of distinct placements whose first day as an ordinary job, small job, flexjob, apprenticeship or "
        "social free card lies in the period. Work trials and wage subsidy jobs count only if they become one of "
        "these, from that day. A placement that ends on or before the day it begins does not count. The same job told "
        "by two sources counts once.",
    ),
    level="output",
    kind="flow",
    unit="placements",
    direction="up",
    dimensions=("kind", "origin", "partner"),
    mapping=("T1", "T2", "SDG 8.5", "SDG 10.2", "IRIS PI3687 (only if FTE and job new)"),
    numerator=PLACEMENTS_STARTED,
)
J2 = of_jobs(
    id="J2",
    name="paid_hours_added",
    title=Bilingual("Tilførte lønnede timer, årsværk", "Paid hours added, FTE"),
    definition=Bilingual(
        "Effektive timer om ugen ved udgangen af den første dag i de ansættelser, som J1 tæller i perioden, delt med "
        "37. Fremmødetimer tæller ikke, og det gør senere ændringer i timerne heller ikke.",
        "Effective hours per week by the end of the first day of the placements that J1 counts in the period, divided "
        "by 37. Hours of attendance do not count, nor do later changes of hours.",
    ),
    level="output",
    kind="flow",
    unit="fte",
    direction="up",
    dimensions=("kind",),
    mapping=("SDG 8.5",),
    numerator=HOURS_STARTED,
    divisor=HOURS_PER_FTE,
)
J3 = of_jobs(
    id="J3",
    name="progress_in_hours",
    title=Bilingual("Fremgang i timer", "Progress in hours"),
    definition=Bilingual(
        "Andelen af personer i job på dagen, hvis effektive timer om ugen i alle job tilsammen er højere end ved "
        "udgangen af den første dag i deres nuværende forløb. Et forløb fortsætter over pauser på højst 28 dage. "
        "Personer uden job på dagen er ikke med. Den, der har flere slags job, tæller under den med flest timer, "
        "dernæst den med tidligste start. Læses sammen med J3r.",
        "The share of persons in a job on the day whose effective hours per week, in all jobs together, are above "
        "those by the end of the first day of their present run. A run goes on over pauses of at most 28 days. Persons "
        "without a job on the day are left out. A person with jobs of several kinds counts under the one with most "
        "hours, then the one with the earliest start. To be read together with J3r.",
    ),
    level="outcome",
    kind="stock",
    unit="share",
    direction="up",
    dimensions=("kind",),
    mapping=("T1", "T2", "T3", "SDG 8.5"),
    numerator=PERSONS_PROGRESSED,
    denominator=PERSONS_EMPLOYED,
)
J3R = of_jobs(
    id="J3r",
    name="regression_in_hours",
    title=Bilingual("Tilbagegang i timer", "Regression in hours"),
    definition=Bilingual(
        "Andelen af personer i job på dagen, hvis effektive timer om ugen i alle job tilsammen er lavere end ved "
        "udgangen af den første dag i deres nuværende forløb. Et forløb fortsætter over pauser på højst 28 dage. "
        "Opgjort som J3 og læses sammen med den.",
        "The share of persons in a job on the day whose effective hours per week, in all jobs together, are below "
        "those by the end of the first day of their present run. A run goes on over pauses of at most 28 days. Counted "
        "as J3, and to be read together with it.",
    ),
    level="outcome",
    kind="stock",
    unit="share",
    direction="down",
    dimensions=("kind",),
    mapping=("T1", "T2", "T3", "SDG 8.5"),
    numerator=PERSONS_REGRESSED,
    denominator=PERSONS_EMPLOYED,
)
J4 = of_jobs(
    id="J4",
    name="sustained_jobs",
    title=Bilingual("Fastholdte job efter 26 uger", "Jobs sustained at 26 weeks"),
    definition=Bilingual(
        "Andelen af ansættelser begyndt i de valgte måneder, hvis person 26 uger (182 dage) efter den første dag er i "
        "job, det samme eller et andet, har haft højst 28 dage uden job i alt siden da, og har mindst lige så mange "
        "effektive timer om ugen i alle job tilsammen som den første dag. Ansættelser, hvis 26 uger ikke er gået "
        "endnu, er ikke med; et job, der er sluttet forinden, bliver i nævneren. Delt op på uger vises også 13 og 52 "
        "uger; de tæller de samme ansættelser igen og kan ikke lægges sammen.",
        "The share of the placements begun in the chosen months whose person, 26 weeks (182 days) after the first day, "
        "is in a job, the same or another, has been without any for at most 28 days in all since, and has at least as "
        "many effective hours per week, in all jobs together, as on the first day. Placements whose 26 weeks have not "
        "passed yet are left out; one that ended before stays in the denominator. Cut by weeks, 13 and 52 weeks are "
        "shown too; they count the same placements again and do not add up.",
    ),
    level="outcome",
    kind="cohort",
    unit="share",
    direction="up",
    dimensions=("kind", "origin", "weeks"),
    additive=False,
    mapping=("T1", "SDG 8.5"),
    numerator=JOBS_SUSTAINED,
    denominator=JOBS_DUE,
    held=HELD_TO_26_WEEKS,
)
J4E = of_jobs(
    id="J4e",
    name="still_employed",
    title=Bilingual("Stadig i job efter 26 uger", "Still employed at 26 weeks"),
    definition=Bilingual(
        "Som J4, men uden krav til timerne: andelen af ansættelser begyndt i de valgte måneder, hvis person 26 uger "
        "(182 dage) efter den første dag er i job, det samme eller et andet, og har haft højst 28 dage uden job i alt "
        "siden da. Kan sammenlignes med andre opgørelser, der ikke kender timerne.",
        "As J4 without asking for the hours: the share of the placements begun in the chosen months whose person, 26 "
        "weeks (182 days) after the first day, is in a job, the same or another, and has been without any for at most "
        "28 days in all since. It compares with other statistics that do not know the hours.",
    ),
    level="outcome",
    kind="cohort",
    unit="share",
    direction="up",
    dimensions=("kind", "origin", "weeks"),
    additive=False,
    mapping=("T1", "SDG 8.5"),
    numerator=JOBS_STILL_EMPLOYED,
    denominator=JOBS_DUE,
    held=HELD_TO_26_WEEKS,
)
