"""Pipeline: the way of an event from a door to a figure, service by service."""

from dashboards.boards import Board, Row
from dashboards.effects import HERE, PRODUCED_HERE
from dashboards.panels import (
    BLUE,
    COUNT,
    ORANGE,
    PER_SECOND,
    PRODUCERS,
    RESULTS,
    SERVICES,
    Panel,
    Query,
    Word,
    number,
    timeline,
    trend,
)

OURS = "|".join(SERVICES)
WATCHING = "nats|postgres|prometheus|alertmanager"
ANSWERS = {1: Word("Svarer", BLUE), 0: Word("Svarer ikke", ORANGE)}
# Probes and scrapes are no one's request.
ASKED = 'kind!="probe"'
REQUESTS = f"sum by (job) (rate(http_requests_total{{{ASKED}}}[$__rate_interval]))"
FAILED = f'sum by (job) (rate(http_requests_total{{{ASKED}, status=~"5.."}}[$__rate_interval]))'
READ_HERE = 'stream=~"EVENTS_${municipality}_.+"'
NOBODY_ASKS = "Ingen forespørgsler"
STATUSES = {
    "2xx": "2xx: besvaret",
    "3xx": "3xx: henvist",
    "4xx": "4xx: spørgeren tog fejl",
    "5xx": "5xx: tjenesten fejlede",
}
DEALT_WITH = {
    "applied": "har fået virkning",
    "failed": "lagt til side",
    "duplicate": "gentagelse",
    "conflict": "modstrid",
    "unreadable": "ulæselig",
    "not_read": "vedkommer ikke",
}


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="pipeline",
        title="Pipeline",
        description="Fra dør til tal: forespørgsler, udbakker, bussen, indbakker og indtag, tjeneste for tjeneste.",
        folder="drift",
        rows=[
            Row("Hvem svarer, hos alle kommuner", _answering()),
            Row("Dørene hos alle kommuner: forespørgsler, fejl og varighed", _doors()),
            Row("Udbakkerne: fra database til bus", _outboxes()),
            Row("Indbakken: fleksjobpuljen læser lønsystemets beskeder", _inbox()),
            Row("Indtaget: impact tæller", _intake()),
            Row("Processerne hos alle kommuner", _processes()),
        ],
        municipal=True,
    )


def _answering() -> list[Panel]:
    return [
        timeline(
            "Tjenester og overvågning",
            "Om Prometheus får svar fra hver tjeneste og fra det, der overvåger.",
            Query(f'min by (job) (up{{job=~"{OURS}|{WATCHING}"}})', "{{job}}"),
            words=ANSWERS,
            width=16,
            height=7,
        ),
        trend(
            "Målinger, der mangler",
            "Samlere af målinger, hvis database ikke svarer; alarmer, der står på dem, er tavse.",
            Query("sum by (job) (scrape_collectors_failed)", "{{job}}"),
            unit=COUNT,
            named=SERVICES,
            width=8,
        ),
    ]


def _doors() -> list[Panel]:
    requests = f"rate(http_requests_total{{{ASKED}}}[$__rate_interval])"
    classed = f'label_replace({requests}, "class", "${{1}}xx", "status", "(.)..")'
    buckets = f"sum by (job, le) (rate(http_request_duration_seconds_bucket{{{ASKED}}}[$__rate_interval]))"
    return [
        trend(
            "Forespørgsler",
            "Besvarede forespørgsler i sekundet ved hver tjenestes døre.",
            Query(REQUESTS, "{{job}}"),
            unit=PER_SECOND,
            named=SERVICES,
            empty=NOBODY_ASKS,
        ),
        trend(
            "Andel, der fejler",
            "Forespørgsler, som tjenesten selv er skyld i ikke kunne besvares (5xx), af alle.",
            Query(f"({FAILED} or 0 * {REQUESTS}) / {REQUESTS}", "{{job}}"),
            unit="percentunit",
            named=SERVICES,
            empty=NOBODY_ASKS,
        ),
        trend(
            "Varighed, 95 % er hurtigere",
            "Fra en forespørgsel kommer, til hele svaret er givet.",
            Query(f"histogram_quantile(0.95, {buckets})", "{{job}}"),
            unit="s",
            named=SERVICES,
            empty=NOBODY_ASKS,
        ),
        trend(
            "Svar efter status",
            "Besvarede forespørgsler i sekundet efter, hvad svaret begynder med, lagt oven på hinanden.",
            Query(f"sum by (class) ({classed})", "{{class}}"),
            unit=PER_SECOND,
            stacked=True,
            named=STATUSES,
            empty=NOBODY_ASKS,
        ),
    ]


def _outboxes() -> list[Panel]:
    return [
        trend(
            "Venter i udbakken",
            "Hændelser, som er registreret og endnu ikke er på bussen.",
            Query(f"sum by (job) (outbox_pending {PRODUCED_HERE})", "{{job}}"),
            unit=COUNT,
            named=PRODUCERS,
        ),
        trend(
            "Den ældste har ventet",
            "Hvor længe den ældste af dem har ventet; nul, når ingen venter.",
            Query(f"max by (job) (outbox_oldest_age_seconds {PRODUCED_HERE})", "{{job}}"),
            unit="s",
            named=PRODUCERS,
        ),
        timeline(
            "Hvem udgiver",
            "Om en proces er den, der udgiver for sin tjeneste. Netop en ad gangen gør det.",
            Query(f"max by (job) (relay_active{{{HERE}}})", "{{job}}"),
            words={1: Word("Udgiver", BLUE), 0: Word("Ingen udgiver", ORANGE)},
            width=12,
            height=5,
        ),
        number(
            "Kan ikke udgives",
            "Hændelser, som bussen aldrig tager, som de er.",
            Query(f"sum by (job) (outbox_parked {PRODUCED_HERE})", "{{job}}"),
            unit=COUNT,
            width=4,
            height=5,
        ),
        number(
            "Ukendte på strømmen",
            "Hændelser på strømmen, som udbakken ikke kender, som efter genskabelse fra en ældre sikkerhedskopi.",
            Query(f"sum by (job) (outbox_phantoms {PRODUCED_HERE})", "{{job}}"),
            unit=COUNT,
            width=4,
            height=5,
        ),
        number(
            "Tabt og genudgivet",
            "Gange inden for det sidste døgn, hvor strømmen havde mistet hændelser, som så blev udgivet igen.",
            Query(f"sum by (job) (increase(relay_regressions_total[1d]) {PRODUCED_HERE})", "{{job}}"),
            unit=COUNT,
            decimals=0,
            width=4,
            height=5,
        ),
    ]


def _inbox() -> list[Panel]:
    return [
        trend(
            "Venter på at blive læst",
            "Hændelser, som venter, eller som er hentet og ikke er kvitteret for.",
            Query(f"sum by (job) (inbox_pending{{{READ_HERE}}})", "{{job}}"),
            unit=COUNT,
            named=SERVICES,
            width=8,
        ),
        trend(
            "Læst, efter hvad der blev af dem",
            "Leverancer i alt; hver har netop ét udfald. Det, der er lagt til side, prøves igen.",
            Query(f"sum by (outcome) (inbox_events{{{READ_HERE}}})", "{{outcome}}"),
            unit=COUNT,
            named=DEALT_WITH,
            width=8,
        ),
        trend(
            "Lagt til side",
            "Hændelser, som ikke har kunnet få virkning, og som prøves igen.",
            Query(f"sum by (job) (inbox_failed{{{READ_HERE}}})", "{{job}}"),
            unit=COUNT,
            named=SERVICES,
            width=8,
        ),
    ]


def _intake() -> list[Panel]:
    return [
        trend(
            "Leverancer",
            "Leverancer i sekundet efter, hvad de var.",
            Query(f"sum by (result) (rate(impact_deliveries_total{{{HERE}}}[$__rate_interval]))", "{{result}}"),
            unit=PER_SECOND,
            named=RESULTS,
        ),
        trend(
            "Efterslæb",
            "Hændelser på hver strøm, som venter på at blive talt, eller som er hentet og ikke er kvitteret for.",
            Query(f"sum by (stream) (impact_consumer_lag_events{{{HERE}}})", "{{stream}}"),
            unit=COUNT,
            named=PRODUCERS,
        ),
        trend(
            "Fra bus til tal",
            "Den ældste hændelse i den sidste portion: fra bussen fik den, til den var talt med.",
            Query(f"max by (stream) (impact_freshness_seconds{{{HERE}}})", "{{stream}}"),
            unit="s",
            named=PRODUCERS,
        ),
        trend(
            "Livstegnets alder",
            "Tiden, siden det sidste livstegn, som er talt, blev sendt gennem udbakke og bus.",
            Query(f"municipality_producer:impact_canary_age_seconds:max{{{HERE}}}", "{{producer}}"),
            unit="s",
            named=PRODUCERS,
        ),
        trend(
            "Fakta i regnskabet",
            "Så mange fakta har fået en position i kommunens regnskab.",
            Query(f"max by (municipality) (impact_lane_position{{{HERE}}})", "fakta"),
            unit=COUNT,
            width=24,
        ),
    ]


def _processes() -> list[Panel]:
    of_ours = f'{{job=~"{OURS}"}}'
    return [
        trend(
            "Processor",
            "Hver tjenestes forbrug, hvor 100 % er én kerne.",
            Query(f"sum by (job) (rate(process_cpu_seconds_total{of_ours}[$__rate_interval]))", "{{job}}"),
            unit="percentunit",
            named=SERVICES,
            width=8,
        ),
        trend(
            "Hukommelse",
            "Hukommelse, som hver tjeneste bruger.",
            Query(f"sum by (job) (process_resident_memory_bytes{of_ours})", "{{job}}"),
            unit="bytes",
            named=SERVICES,
            width=8,
        ),
        number(
            "Startet",
            "Hvornår hver tjenestes proces er begyndt.",
            Query(f"1000 * max by (job) (process_start_time_seconds{of_ours})", "{{job}}"),
            unit="time:DD.MM. HH:mm",
            size=22,
            width=8,
            height=7,
        ),
    ]
