"""NATS: the server, its streams, and who reads them. Names are those of prometheus-nats-exporter."""

from dashboards.boards import Board, Row
from dashboards.panels import COUNT, PER_SECOND, PRODUCERS, Panel, Query, number, state, trend

# In a cluster every node tells of every stream; what the leader says holds.
HERE = 'stream_name=~"EVENTS_${municipality}_.+"'
LED = f'{HERE}, is_stream_leader="true"'
READ = f'{HERE}, is_consumer_leader="true"'
READERS = ("/^impact af .+FLEXJOB_POOL$/", "/^impact af .+GATEWAY$/", "/^flexjob_pool af /")


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="nats",
        title="NATS",
        description="Bussen: om den er rask, hvor meget den gemmer, og om nogen henter kommunens hændelser.",
        folder="drift",
        rows=[
            Row("Serveren, fælles for alle kommuner", _server()),
            Row("JetStream, fælles for alle kommuner", _jetstream()),
            Row("Strømmene", _streams()),
            Row("Læserne", _consumers()),
        ],
        municipal=True,
    )


def _server() -> list[Panel]:
    return [
        state(
            "Helbred",
            "Hvad serveren selv siger på /healthz; afviger også, når den ikke svarer.",
            Query("max(1 - gnatsd_healthz_status_value)"),
        ),
        number(
            "Version",
            "Den version, som hver server kører.",
            Query("gnatsd_varz_version", "{{value}}"),
            unit="none",
            named=True,
            height=4,
        ),
        number(
            "Forbindelser",
            "Klienter, som er forbundet lige nu.",
            Query("sum(gnatsd_varz_connections)", "forbindelser"),
            unit=COUNT,
            height=4,
        ),
        number(
            "Langsomme klienter",
            "Klienter, som serveren har afbrudt, fordi de ikke fulgte med, siden den startede.",
            Query("sum(gnatsd_varz_slow_consumers)", "afbrudt"),
            unit=COUNT,
            height=4,
        ),
        trend(
            "Meddelelser",
            "Meddelelser i sekundet ind til og ud af serveren.",
            Query("sum(rate(gnatsd_varz_in_msgs[$__rate_interval]))", "ind"),
            Query("sum(rate(gnatsd_varz_out_msgs[$__rate_interval]))", "ud"),
            unit=PER_SECOND,
        ),
        trend(
            "Trafik",
            "Bytes i sekundet ind til og ud af serveren.",
            Query("sum(rate(gnatsd_varz_in_bytes[$__rate_interval]))", "ind"),
            Query("sum(rate(gnatsd_varz_out_bytes[$__rate_interval]))", "ud"),
            unit="Bps",
        ),
        trend(
            "Hukommelse",
            "Hukommelse, som serveren bruger.",
            Query("sum by (instance) (gnatsd_varz_mem)", "{{instance}}"),
            unit="bytes",
        ),
        trend(
            "Processor",
            "Serverens forbrug, hvor 100 % er én kerne.",
            Query("sum by (instance) (gnatsd_varz_cpu)", "{{instance}}"),
            unit="percent",
        ),
    ]


def _jetstream() -> list[Panel]:
    return [
        number(
            "Strømme",
            "Strømme på serveren: en for hver kommune og tjeneste, som udgiver.",
            Query("max(jetstream_server_total_streams)", "strømme"),
            unit=COUNT,
            height=4,
        ),
        number(
            "Læsere",
            "Varige læsere af strømmene.",
            Query("max(jetstream_server_total_consumers)", "læsere"),
            unit=COUNT,
            height=4,
        ),
        number(
            "Gemt",
            "Det, alle strømme tilsammen fylder på disken.",
            Query("max(jetstream_server_total_message_bytes)", "gemt"),
            unit="bytes",
            height=4,
        ),
        number(
            "Del af pladsen",
            "Det, de fylder, af det, serveren må gemme.",
            Query("max(jetstream_server_total_message_bytes / (jetstream_server_max_storage > 0))", "brugt"),
            unit="percentunit",
            decimals=1,
            height=4,
        ),
    ]


def _streams() -> list[Panel]:
    return [
        trend(
            "Fyldning",
            "Hver strøms bytes af dem, den må have. Er den fuld, siger den nej, og hændelser venter i udbakken.",
            Query(f"stream:jetstream_stream_bytes:ratio{{{HERE}}}", "{{stream_name}}"),
            unit="percentunit",
            decimals=2,
            named=PRODUCERS,
        ),
        trend(
            "Udgivet",
            "Hændelser i sekundet, som hver strøm har taget.",
            Query(
                f"sum by (stream_name) (rate(jetstream_stream_last_seq{{{LED}}}[$__rate_interval]))", "{{stream_name}}"
            ),
            unit=PER_SECOND,
            named=PRODUCERS,
        ),
        trend(
            "Hændelser på strømmen",
            "Hændelser, som hver strøm holder; de ældste går efter 400 dage.",
            Query(f"max by (stream_name) (jetstream_stream_total_messages{{{LED}}})", "{{stream_name}}"),
            unit=COUNT,
            named=PRODUCERS,
        ),
        trend(
            "Bytes på strømmen",
            "Det, hver strøm fylder.",
            Query(f"max by (stream_name) (jetstream_stream_total_bytes{{{LED}}})", "{{stream_name}}"),
            unit="bytes",
            named=PRODUCERS,
        ),
    ]


def _consumers() -> list[Panel]:
    by = "sum by (stream_name, consumer_name)"
    legend = "{{consumer_name}} af {{stream_name}}"
    return [
        trend(
            "Venter",
            "Hændelser, som en læser ikke har hentet, eller har hentet og ikke kvitteret for.",
            Query(f"stream_consumer:jetstream_consumer_waiting:max{{{HERE}}}", legend),
            unit=COUNT,
            named=READERS,
        ),
        trend(
            "Siden sidste kvittering",
            "Siden læseren sidst kvitterede. Der kommer livstegn hvert 15. sekund, så et par minutter er for længe.",
            Query(f"max by (stream_name, consumer_name) (jetstream_consumer_last_ack_seconds{{{READ}}})", legend),
            unit="s",
            named=READERS,
        ),
        trend(
            "Leveret igen",
            "Hændelser, som er leveret mere end én gang og endnu ikke er kvitteret for.",
            Query(f"{by} (jetstream_consumer_num_redelivered{{{READ}}})", legend),
            unit=COUNT,
            named=READERS,
        ),
        trend(
            "Åbne forespørgsler",
            "Forespørgsler om nye hændelser, som venter hos serveren; nul gennem længere tid betyder, at ingen læser.",
            Query(f"{by} (jetstream_consumer_num_waiting{{{READ}}})", legend),
            unit=COUNT,
            named=READERS,
        ),
    ]
