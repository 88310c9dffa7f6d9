"""The municipality's own staff, as payroll's snapshots count it: headcount and FTE (E1), and trainees (E2)."""

from functools import partial

from contracts.workplaces import WorkforceSnapshotTaken
from impact.effects import workforce
from impact.fold import Measure
from impact.indicator import Bilingual, Indicator

of_department = partial(Measure, version=1, history="department", reads=(WorkforceSnapshotTaken,))
of_staff = partial(
    Indicator,
    kind="stock",
    dimensions=("department",),
    additive=True,
    about_persons=False,
    owner="HR",
    definition_version=1,
)

HEADCOUNT = of_department(id="headcount", unit="persons", rule=workforce.headcount)
FTE = of_department(id="fte", unit="fte", rule=workforce.fte)
TRAINEES = of_department(id="trainees", unit="persons", rule=workforce.trainees)
SNAPSHOTS_TAKEN = of_department(id="snapshots_taken", unit="snapshots", rule=workforce.snapshots)

E1 = of_staff(
    id="E1",
    name="headcount",
    title=Bilingual("Ansatte", "Headcount"),
    definition=Bilingual(
        "Antal ansatte ved udgangen af dagen ifølge hver forvaltnings seneste øjebliksbillede fra lønsystemet, uanset "
        "hvor gammelt det er. En forvaltning uden øjebliksbillede tæller ikke med.",
        "Number of persons employed at the end of the day, by each department's latest snapshot from payroll, however "
        "old it is. A department without a snapshot does not count.",
    ),
    level="activity",
    unit="persons",
    direction="neutral",
    mapping=("T2", "ESRS S1-6 (2023)", "VSME B8"),
    numerator=HEADCOUNT,
)
E1F = of_staff(
    id="E1f",
    name="workforce",
    title=Bilingual("Årsværk", "Full-time equivalents"),
    definition=Bilingual(
        "Ansatte omregnet til fuldtid ved udgangen af dagen, som lønsystemet opgør det i hver forvaltnings seneste "
        "øjebliksbillede. En forvaltning uden øjebliksbillede tæller ikke med.",
        "Staff in full-time equivalents at the end of the day, as payroll states them in each department's latest "
        "snapshot. A department without a snapshot does not count.",
    ),
    level="activity",
    unit="fte",
    direction="neutral",
    mapping=("T2", "ESRS S1-6 (2023)", "VSME B8"),
    numerator=FTE,
)
E2 = of_staff(
    id="E2",
    name="trainees",
    title=Bilingual("Elevers andel af de ansatte", "Trainees' share of the staff"),
    definition=Bilingual(
        "Antal elever og lærlinge delt med antal ansatte (E1), begge fra hver forvaltnings seneste øjebliksbillede. "
        "Eleverne er selv med i antallet af ansatte.",
        "Number of trainees and apprentices divided by the headcount (E1), both from each department's latest "
        "snapshot. The trainees are part of the headcount.",
    ),
    level="output",
    unit="share",
    direction="up",
    mapping=("Cabi", "SDG 8.6"),
    numerator=TRAINEES,
    denominator=HEADCOUNT,
)
