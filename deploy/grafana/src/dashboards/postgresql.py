"""PostgreSQL: whether it answers, how full it is, and what it works on. Names: postgres_exporter >= 0.11."""

from dashboards.boards import Board, Row
from dashboards.panels import COUNT, PER_SECOND, SERVICES, Panel, Query, number, state, trend

BUSY = {
    "active": "arbejder",
    "idle": "venter på arbejde",
    "idle in transaction": "holder en transaktion åben",
}
# Not the databases that every server begins with.
OURS = 'datname!~"template[01]|postgres|"'


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="postgresql",
        title="PostgreSQL",
        description="Databaserne, som er sandheden: om de svarer, hvor meget de fylder, og hvad de arbejder med.",
        folder="drift",
        rows=[
            Row("Serveren", _server()),
            Row("Arbejdet", _work()),
            Row("Det, der venter", _waiting()),
        ],
    )


def _server() -> list[Panel]:
    return [
        state(
            "Svarer",
            "Om den, der måler, kan forbinde. Ellers svarer dørene 503, intet tælles, og intet tabes.",
            Query("max(1 - pg_up)"),
        ),
        number(
            "Version",
            "Den version, som serveren kører.",
            Query("pg_static", "{{short_version}}"),
            unit="none",
            named=True,
            height=4,
        ),
        number(
            "Forbindelser i brug",
            "Forbindelser af dem, serveren tillader; er alle i brug, bliver nye afvist.",
            Query("sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)", "i brug"),
            unit="percentunit",
            decimals=1,
            height=4,
        ),
        number(
            "Databaser i alt",
            "Det, alle databaser fylder tilsammen.",
            Query("sum(pg_database_size_bytes)", "i alt"),
            unit="bytes",
            height=4,
        ),
        trend(
            "Størrelse",
            "Det, hver database fylder.",
            Query(f"max by (datname) (pg_database_size_bytes{{{OURS}}})", "{{datname}}"),
            unit="bytes",
            named=SERVICES,
        ),
        trend(
            "Forbindelser",
            "Forbindelser til hver database.",
            Query(f"sum by (datname) (pg_stat_database_numbackends{{{OURS}}})", "{{datname}}"),
            unit=COUNT,
            named=SERVICES,
        ),
    ]


def _work() -> list[Panel]:
    hits, reads = (
        f"sum by (datname) (rate(pg_stat_database_blks_{kind}{{{OURS}}}[$__rate_interval]))" for kind in ("hit", "read")
    )
    written = " + ".join(
        f"sum by (datname) (rate(pg_stat_database_tup_{verb}{{{OURS}}}[$__rate_interval]))"
        for verb in ("inserted", "updated", "deleted")
    )
    return [
        trend(
            "Transaktioner",
            "Gennemførte transaktioner i sekundet.",
            Query(f"sum by (datname) (rate(pg_stat_database_xact_commit{{{OURS}}}[$__rate_interval]))", "{{datname}}"),
            unit=PER_SECOND,
            named=SERVICES,
        ),
        trend(
            "Rullet tilbage",
            "Transaktioner i sekundet, som blev opgivet.",
            Query(
                f"sum by (datname) (rate(pg_stat_database_xact_rollback{{{OURS}}}[$__rate_interval]))", "{{datname}}"
            ),
            unit=PER_SECOND,
            named=SERVICES,
        ),
        trend(
            "Rækker skrevet",
            "Rækker i sekundet, som er indsat, ændret eller slettet.",
            Query(written, "{{datname}}"),
            unit=PER_SECOND,
            named=SERVICES,
        ),
        trend(
            "Fundet i hukommelsen",
            "Andelen af læste blokke, som lå i serverens egen hukommelse.",
            Query(f"{hits} / ({hits} + {reads})", "{{datname}}"),
            unit="percentunit",
            decimals=1,
            top=1,
            named=SERVICES,
        ),
    ]


def _waiting() -> list[Panel]:
    return [
        trend(
            "Forbindelser efter, hvad de gør",
            "Den, der holder en transaktion åben uden at arbejde, kan holde andre op.",
            Query(f'sum by (state) (pg_stat_activity_count{{{OURS}, state=~"{"|".join(BUSY)}"}})', "{{state}}"),
            unit=COUNT,
            named=BUSY,
        ),
        trend(
            "Den længste transaktion",
            "Hvor længe den ældste åbne transaktion i hver database har varet.",
            Query(f"max by (datname) (pg_stat_activity_max_tx_duration{{{OURS}}})", "{{datname}}"),
            unit="s",
            named=SERVICES,
        ),
        trend(
            "Låse, som lukker en tabel",
            "Låse, som ingen anden kommer forbi, heller ikke for at læse, som når et skema ændres. Låse på rækker, som "
            "enhver ændring tager, er ikke med.",
            Query(f'sum by (datname) (pg_locks_count{{{OURS}, mode="accessexclusivelock"}})', "{{datname}}"),
            unit=COUNT,
            decimals=0,
            named=SERVICES,
        ),
        trend(
            "Gensidige låsninger",
            "Gange inden for den sidste time, hvor to transaktioner ventede på hinanden, og den ene blev opgivet.",
            Query(f"sum by (datname) (increase(pg_stat_database_deadlocks{{{OURS}}}[1h]))", "{{datname}}"),
            unit=COUNT,
            named=SERVICES,
        ),
        trend(
            "Midlertidige filer",
            "Bytes i sekundet, som spørgsmål må skrive til disken, fordi de ikke er i hukommelsen.",
            Query(f"sum by (datname) (rate(pg_stat_database_temp_bytes{{{OURS}}}[$__rate_interval]))", "{{datname}}"),
            unit="Bps",
            named=SERVICES,
            width=24,
        ),
    ]
