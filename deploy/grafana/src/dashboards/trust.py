"""Can the figures be trusted now? Each way in which they could be wrong or late, as a state in words."""

from dashboards.boards import Board, Row
from dashboards.effects import HERE
from dashboards.panels import (
    COUNT,
    PRODUCERS,
    REASONS,
    SOURCES,
    VALUE_SIZE,
    Panel,
    Query,
    number,
    state,
    timeline,
    trend,
)

ACCOUNTS = "impact_conservation_open_accounts"
CANARY = f"municipality_producer:impact_canary_age_seconds:max{{{HERE}}}"
EVIDENCE = f'increase(impact_deliveries_total{{{HERE}, result=~"conflicts|unreadable"}}[1d])'
ROUNDS = "sum(max by (municipality) (impact_verification_seconds))"
CHECKS = {
    "Friskhed": f"max by (municipality) (impact_freshness_seconds{{{HERE}}}) > bool 60",
    "Livstegn": f"max by (municipality) ({CANARY}) > bool 180",
    "Regnskab": f'max by (municipality) ({ACCOUNTS}{{{HERE}, account!="completeness"}}) > bool 0',
    "Fuldstændighed": f'max by (municipality) ({ACCOUNTS}{{{HERE}, account="completeness"}}) > bool 0',
    "Overensstemmelse": f"max by (municipality) (impact_drift_cells{{{HERE}}}) > bool 0",
    "Efterprøvning": (
        f"(time() - max by (municipality) (impact_verified_timestamp_seconds{{{HERE}}})) "
        f"> bool on () group_left () 3 * (300 + ({ROUNDS} or vector(0)))"
    ),
    "Parkerede fakta": f"sum by (municipality) (impact_parked_facts{{{HERE}}}) > bool 0",
    "Modstrid og støj": f"sum by (municipality) ({EVIDENCE}) > bool 0",
}
# What wakes or tells somebody at the same threshold.
ALERTS = {
    "Livstegn": "CanaryMissing",
    "Regnskab": "ConservationOpen",
    "Overensstemmelse": "FiguresDrift",
    "Efterprøvning": "VerificationNotRun",
    "Parkerede fakta": "ParkedFacts",
}
EXPLAINED = {
    "Friskhed": "Afviger, når den sidste hændelse på en strøm var mere end et minut undervejs fra bussen til tallene. "
    "Tallene er da for gamle, ikke forkerte.",
    "Livstegn": "Hver tjeneste sender et livstegn hvert 15. sekund ad samme vej som hændelser. Afviger, når et er mere "
    "end tre minutter gammelt: der flyder intet, heller ikke det, der burde.",
    "Regnskab": "Alt, hvad der er leveret, er i netop én tælling, og tællingerne skal gå op. Afviger, når et "
    "regnskab ikke lukker; tallene kan da mangle eller have noget dobbelt.",
    "Fuldstændighed": "Kilderne siger, hvor mange hændelser de har udgivet. Afviger, når færre er kommet frem.",
    "Overensstemmelse": "Hvert tal regnes to gange, ad veje uden fælles kode. Afviger, når de to er uenige; så udgives "
    "intet.",
    "Efterprøvning": "De to beregninger sammenlignes hvert femte minut. Afviger, når det ikke er sket i tre gange "
    "så lang tid; så udgives intet.",
    "Parkerede fakta": "Fakta, som ingen regel kan tælle, ligger uden for tallene, til nogen tager stilling til dem. "
    "Afviger, når der er nogen.",
    "Modstrid og støj": "Afviger, når samme hændelse inden for det sidste døgn er kommet med andet indhold, eller "
    "noget ulæseligt er kommet på en strøm. Det gemmes som bevis og tælles ikke.",
}


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="trust",
        title="Kan tallene tros nu?",
        description="Om tallene er friske, fuldstændige og efterprøvede; blå tekst er i orden, orange afviger.",
        folder="drift",
        rows=[
            Row("Svar", [everything_in_order(width=24, size=60)]),
            Row("Hvorfor", [state(name, EXPLAINED[name], Query(expr)) for name, expr in CHECKS.items()]),
            Row("De sidste timer", [_history()]),
            Row("Tallene bag", _behind()),
        ],
        municipal=True,
    )


def everything_in_order(*, width: int, size: int = VALUE_SIZE) -> Panel:
    """The answer in one word: a single deviation is enough, and where one check is silent nobody knows."""
    every = "\n+ on (municipality) ".join(f"({expr})" for expr in CHECKS.values())
    return state(
        "Kan tallene tros nu?",
        f"I orden, når alle {len(CHECKS)} forhold er det; ukendt, når et af dem ikke kan ses. Dashboardet »Kan tallene "
        "tros nu?« viser hvert forhold for sig.",
        Query(f"(\n{every}\n) > bool 0"),
        size=size,
        width=width,
    )


def _history() -> Panel:
    return timeline(
        "Forhold over tid",
        "Hvornår hvert forhold har været i orden, og hvornår det har afveget.",
        *(Query(expr, name) for name, expr in CHECKS.items()),
        height=9,
    )


def _behind() -> list[Panel]:
    return [
        trend(
            "Fra bus til tal",
            "Den ældste hændelse i den sidste portion: fra bussen fik den, til den var talt med.",
            Query(f"impact_freshness_seconds{{{HERE}}}", "{{stream}}"),
            unit="s",
            named=PRODUCERS,
        ),
        trend(
            "Livstegnets alder",
            "Siden det sidste livstegn, som er nået frem til tallene, blev sendt. Der sendes et hvert 15. sekund.",
            Query(CANARY, "{{producer}}"),
            unit="s",
            named=PRODUCERS,
        ),
        trend(
            "Hændelser, der venter på at blive talt",
            "På hver strøm: det, der venter, og det, der er hentet og ikke kvitteret for.",
            Query(f"impact_consumer_lag_events{{{HERE}}}", "{{stream}}"),
            unit=COUNT,
            named=PRODUCERS,
        ),
        trend(
            "Hændelser, der mangler",
            "Det, en kilde siger, den har udgivet, minus det, der er kommet frem.",
            Query(f"max by (source) (impact_missing_events{{{HERE}}})", "{{source}}"),
            unit=COUNT,
            named=SOURCES,
        ),
        trend(
            "Regnskaber, der ikke går op",
            "Åbne regnskaber over leverancer og fakta, også for kilder, der mangler noget.",
            Query(f"sum by (municipality) ({ACCOUNTS}{{{HERE}}})", "åbne regnskaber"),
            unit=COUNT,
        ),
        trend(
            "Parkerede fakta efter grund",
            "Fakta uden for tallene, til nogen afspiller eller kasserer dem: kraftcenter parked list.",
            Query(f"impact_parked_facts{{{HERE}}}", "{{reason}}"),
            unit=COUNT,
            named=REASONS,
        ),
        trend(
            "Sammenlignet og uenigt",
            "Celler, som sidst blev regnet ad begge veje, og sammenligninger, der gav hver sit.",
            Query(f"impact_verified_cells{{{HERE}}}", "sammenlignet"),
            Query(f"impact_drift_cells{{{HERE}}}", "uenigt"),
            unit=COUNT,
        ),
        trend(
            "Undertrykte tal",
            "Tal om personer, som ingen uden adgang kan se lige nu, fordi der står for få bag, eller fordi der ikke er "
            "udgivet noget endnu.",
            Query(f"max by (municipality) (impact_suppressed_cells{{{HERE}}})", "undertrykt"),
            unit=COUNT,
            decimals=0,
        ),
        number(
            "Celler, der afviger",
            "Hvilke tal de to beregninger er uenige om, og i hvilken celle.",
            Query(
                f"impact_drift{{{HERE}}}",
                "{{indicator}} {{cell}}",
                quiet="De to beregninger er enige.",
            ),
            unit=COUNT,
            empty="Ingen, eller ingen data",
            width=24,
            height=5,
        ),
    ]
