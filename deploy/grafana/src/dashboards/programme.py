"""Programme: every figure of the catalogue, by track of the strategy, for council and management."""

from collections.abc import Iterator

from dashboards.boards import Board, Row
from dashboards.effects import HERE, effect
from dashboards.panels import COUNT, Panel, Query, number
from dashboards.trust import everything_in_order
from impact.catalogue import INDICATORS, TRACKS, track_of

DAY = "time:DD.MM.YYYY"


def board() -> Board:
    """The dashboard."""
    return Board(
        uid="programme",
        title="Programmet",
        description="Effekten af strategien for socialøkonomi, spor for spor, som tallene er udgivet.",
        folder="kraftcenter",
        rows=[Row("Hvad tallene står på", standing()), *_tracks()],
        municipal=True,
        since="now-90d",
    )


def standing() -> list[Panel]:
    """What figures stand on: whether they can be trusted, which release and day they are of."""
    return [
        everything_in_order(width=6),
        number(
            "Udgivelse",
            "Tal om personer forlader systemet samlet, som udgivelser, og først når mindst fem personer har flyttet "
            "dem. Alle tal om personer her er fra denne.",
            Query(f"max by (municipality) (impact_release_number{{{HERE}}})", "nr."),
            unit="none",
            empty="Ingen udgivelse endnu",
            width=4,
            height=4,
        ),
        number(
            "Udgivelsens dag",
            "Den dag, som den seneste udgivelse opgør tal om personer til og med.",
            Query(f"1000 * max by (municipality) (impact_release_as_of_timestamp_seconds{{{HERE}}})", "dag"),
            unit=DAY,
            empty="Ingen udgivelse endnu",
            width=5,
            height=4,
        ),
        number(
            "Udgivelsens position",
            "Så mange fakta kendte regnskabet, da udgivelsen blev lavet. Med positionen kan tallene fås igen.",
            Query(f"max by (municipality) (impact_release_position{{{HERE}}})", "position"),
            unit=COUNT,
            empty="Ingen udgivelse endnu",
            width=4,
            height=4,
        ),
        number(
            "Øvrige tal er fra",
            "Tal, som ikke er om personer, er opgjort til og med denne dag, med alt, hvad der er registreret nu.",
            Query(f"1000 * max by (municipality) (impact_as_of_timestamp_seconds{{{HERE}}})", "dag"),
            unit=DAY,
            width=5,
            height=4,
        ),
    ]


def _tracks() -> Iterator[Row]:
    """A row for each track that has figures, as the catalogue places them."""
    for track, title in TRACKS.items():
        panels = [panel for each in INDICATORS if track_of(each) == track for panel in effect(each)]
        if panels:
            yield Row(title.danish, panels)
