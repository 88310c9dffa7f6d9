"""What the municipality asks of the other Job7 municipalities: candidates, and whether they get the job (F9)."""

from functools import partial

from contracts.workplaces import CandidatePlaced, CandidateRequested
from impact.effects import job7
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

of_request = partial(Measure, version=1, history="job7_request", reads=(CandidateRequested, CandidatePlaced))

JOB7_REQUESTS = of_request(id="job7_requests", unit="requests", rule=job7.requests)
JOB7_PLACED = of_request(id="job7_placed", unit="requests", rule=job7.placed)

F9 = Indicator(
    id="F9",
    name="job7_placements",
    title=Bilingual("Job7-kandidater i job inden 90 dage", "Job7 candidates placed within 90 days"),
    definition=Bilingual(
        "Andelen af de kandidater, kommunen har bedt andre Job7-kommuner om i de valgte måneder, der har fået jobbet "
        "senest 90 dage efter. Anmodninger, hvis 90 dage ikke er gået endnu, er ikke med, heller ikke når kandidaten "
        "allerede har fået jobbet. Det, andre kommuner beder om, tæller hos dem.",
        "The share of the candidates that the municipality asked other Job7 municipalities for in the chosen months "
        "who had got the job 90 days later at the latest. Requests whose 90 days have not passed yet are left out, "
        "even when the candidate has got the job already. What other municipalities ask for counts with them.",
    ),
    level="output",
    kind="cohort",
    unit="share",
    direction="up",
    dimensions=("to_municipality",),
    additive=True,
    about_persons=True,
    owner="Business service",
    definition_version=1,
    mapping=("T2", "SDG 17.17"),
    numerator=JOB7_PLACED,
    denominator=JOB7_REQUESTS,
)
