"""Fleksjobpulje: track 2 in depth, and how the pool itself is run."""

from dashboards.boards import Board, Row
from dashboards.effects import PRODUCED_HERE, cuts, effect
from dashboards.panels import COUNT, Panel, Query, number, trend
from dashboards.programme import DAY, standing
from impact.catalogue import INDICATORS, track_of


def board() -> Board:
    """The dashboard."""
    own = [indicator for indicator in INDICATORS if track_of(indicator) == "T2"]
    return Board(
        uid="fleksjobpulje",
        title="Fleksjobpuljen",
        description="Fleksjob på kommunens arbejdspladser: effekt, penge, opfølgning og afstemning med lønsystemet.",
        folder="kraftcenter",
        rows=[
            Row("Hvad tallene står på", standing()),
            Row("Effekt", [panel for indicator in own for panel in effect(indicator)]),
            Row("Penge og ansatte, delt op", list(cuts(INDICATORS))),
            Row("Puljens drift", _running()),
        ],
        municipal=True,
        since="now-90d",
    )


def _running() -> list[Panel]:
    return [
        trend(
            "Ansættelser, som nogen skal se på",
            "Ansættelser i lønsystemet, hvor noget ikke er ført ind i et fleksjob: puljen kender ikke fleksjobbet, de "
            "to er uenige, eller reglerne siger nej. Hvilke det er, og hvorfor, ser sagsbehandleren i puljen.",
            Query(f"sum(payroll_employments_unsettled {PRODUCED_HERE})", "ansættelser"),
            unit=COUNT,
            decimals=0,
        ),
        number(
            "Opfølgninger kaldt frem til og med",
            "Alle opfølgninger med frist til og med denne dag er kaldt frem.",
            Query(f"1000 * min(reviews_swept_until_timestamp_seconds > 0 {PRODUCED_HERE})", "dag"),
            unit=DAY,
            width=12,
            height=7,
        ),
    ]
