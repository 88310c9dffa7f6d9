"""Sources: who tells what, what became of it, who is silent, and who is turned away."""

from dashboards.boards import Board, Row
from dashboards.effects import HERE, unit_named
from dashboards.panels import (
    BLUE,
    COUNT,
    ORANGE,
    PER_SECOND,
    PRODUCERS,
    REASONS,
    SOURCES,
    Column,
    Panel,
    Query,
    Word,
    matrix,
    number,
    trend,
)
from dashboards.programme import DAY

OUTCOMES = {
    "counted": "Talt med",
    "out_of_scope": "Uden for tallene",
    "waiting": "Venter",
    "superseded": "Rettet siden",
    "retracted": "Taget tilbage",
    "parked": "Parkeret",
}
DECISIONS = {"accepted": "taget imod", "duplicate": "gentaget", "conflict": "modstrid", "rejected": "afvist"}
IN_TIME = {1: Word("Til tiden", BLUE), 0: Word("Tavs", ORANGE)}
# What comes from nobody registered is of the source `unknown`.
TOLD = 'source=~"urn:kraftcenter:${municipality}:.+|unknown"'
RECEIVED, DUE = "impact_source_received_timestamp_seconds", "impact_source_due_timestamp_seconds"
UNDER_WAY = "impact_source_timeliness_seconds"


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="sources",
        title="Kilder",
        description="Hver kilde: hvad den har fortalt, hvad der blev af det, og om den er tavs eller bliver afvist.",
        folder="drift",
        rows=[
            Row("Kilderne, en for en", _each()),
            Row("Hvad der blev af det", _became()),
            Row("Ved døren", _door()),
        ],
        municipal=True,
    )


def _each() -> list[Panel]:
    by = "sum by (source)"
    columns = {
        "Udgivet": Column(Query(f"{by} (impact_published_events{{{HERE}}})")),
        "Modtaget": Column(Query(f"{by} (impact_received_events{{{HERE}}})")),
        "Mangler": Column(Query(f"{by} (impact_missing_events{{{HERE}}})")),
    }
    columns |= {
        title: Column(Query(f'{by} (impact_facts{{{HERE}, outcome="{outcome}"}})'))
        for outcome, title in OUTCOMES.items()
    }
    return [
        matrix(
            "Regnskab for hver kilde",
            "Det, kilden siger, den har udgivet, det, der er kommet frem, og hvad der blev af hvert faktum; hvert har "
            "netop ét udfald. En kilde uden for systemet siger ikke selv, hvor meget den har udgivet.",
            "source",
            columns,
            row_title="Kilde",
        ),
        trend(
            "Modtaget pr. time",
            "Hændelser, som er kommet fra hver kilde inden for den seneste time.",
            Query(f"{by} (delta(impact_received_events{{{HERE}}}[1h]))", "{{source}}"),
            unit=COUNT,
            decimals=0,
            named=SOURCES,
        ),
        number(
            "Hvem er tavs",
            "Om kilden er hørt, som den plejer. Tavs er den, der ikke er hørt i en uge, og i en fjerdedel mere end "
            "dens længste ophold før. Den, der endnu ingen rytme har, er her ikke.",
            Query(
                f"max by (source) ({DUE}{{{HERE}}}) >= bool on () group_left ()"
                f" max(impact_as_of_timestamp_seconds{{{HERE}}})",
                "{{source}}",
            ),
            unit="none",
            empty="Ingen rytme endnu eller ingen data",
            words=IN_TIME,
            width=12,
            height=7,
        ),
        matrix(
            "Hvornår hver kilde er hørt",
            "Den dag, der sidst kom noget fra kilden; den dag, den efter sin egen rytme senest ventes igen; og hvor "
            "længe det seneste var undervejs, fra kilden registrerede det, til det var modtaget her (medianen).",
            "source",
            {
                "Sidst hørt": Column(Query(f"1000 * max by (source) ({RECEIVED}{{{HERE}}})"), DAY),
                "Ventes senest": Column(Query(f"1000 * max by (source) ({DUE}{{{HERE}}})"), DAY),
                "Undervejs": Column(Query(f"max by (source) ({UNDER_WAY}{{{HERE}}}) / 3600"), unit_named("timer"), 1),
            },
            row_title="Kilde",
        ),
    ]


def _became() -> list[Panel]:
    return [
        trend(
            "Fakta efter udfald",
            "Alle fakta i kommunens regnskab; hvert har netop ét udfald.",
            *(
                Query(f'sum by (municipality) (impact_facts{{{HERE}, outcome="{outcome}"}})', title)
                for outcome, title in OUTCOMES.items()
            ),
            unit=COUNT,
        ),
        trend(
            "Parkeret efter grund",
            "Fakta, hvis type er ukendt, hvis data ikke er af typen, hvis kilde hører til en anden kommune, hvis dato "
            "er usandsynlig, eller som en regel ikke kunne tage.",
            Query(f"sum by (reason) (impact_parked_facts{{{HERE}}})", "{{reason}}"),
            unit=COUNT,
            named=REASONS,
        ),
        trend(
            "Modstrid og ulæseligt, det sidste døgn",
            "Samme hændelse med andet indhold, og det, der ikke er en hændelse. Det gemmes som bevis og tælles ikke.",
            *(
                Query(
                    f'sum by (municipality) (increase(impact_deliveries_total{{{HERE}, result="{result}"}}[1d]))', title
                )
                for result, title in (("conflicts", "modstrid"), ("unreadable", "ulæseligt"))
            ),
            unit=COUNT,
            decimals=0,
        ),
        trend(
            "Gentagelser",
            "Eksemplarer i sekundet, som var kommet før. De ændrer intet.",
            Query(
                f'sum by (stream) (rate(impact_deliveries_total{{{HERE}, result="duplicates"}}[$__rate_interval]))',
                "{{stream}}",
            ),
            unit=PER_SECOND,
            named=PRODUCERS,
        ),
    ]


def _door() -> list[Panel]:
    refused = f'{TOLD}, outcome=~"rejected|conflict"'
    by = "sum by (source)"
    return [
        trend(
            "Ved gatewayens dør",
            "Hændelser i sekundet fra andre systemer efter, hvad der blev af dem.",
            Query(f"sum by (outcome) (rate(gateway_events_total{{{TOLD}}}[$__rate_interval]))", "{{outcome}}"),
            unit=PER_SECOND,
            named=DECISIONS,
        ),
        trend(
            "Afvist, den sidste time",
            "Hændelser, som gatewayen har afvist, efter kilde; unknown er dem, som ingen har registreret, hos alle "
            "kommuner.",
            Query(f"{by} (increase(gateway_events_total{{{refused}}}[1h]))", "{{source}}"),
            unit=COUNT,
            decimals=0,
            named=SOURCES,
        ),
        matrix(
            "Taget imod og afvist, det sidste døgn",
            "Hvad gatewayen svarede hver kilde. Grundene til en afvisning står i svaret og på /v1/rejections.",
            "source",
            {
                title.capitalize(): Column(
                    Query(f'{by} (increase(gateway_events_total{{{TOLD}, outcome="{outcome}"}}[1d]))')
                )
                for outcome, title in DECISIONS.items()
            },
            row_title="Kilde",
        ),
    ]
