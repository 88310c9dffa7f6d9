"""The ledger replayed through an empty fold: what should stand, against what stands.

It replays positions, never the stream, and never decides again what was parked.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chassis.database import Connection
from impact.fold import Delta, Fold, Measure, sums_of
from impact.store import replay


class Differences(NamedTuple):
    """The keys of all rows that differ between the rebuilt and the stored books, per table."""

    histories: list[Any]
    deltas: list[Any]
    sums: list[Any]


async def compare(db: Connection, municipality: str, measures: Sequence[Measure]) -> Differences:
    """Rebuild a lane and compare it with what stands; the connection must hold one snapshot.

    Raises RuleError when a rule does not take what was once counted.
    """
    fold = Fold(measures)
    histories: set[tuple[str, str, int]] = set()
    deltas: dict[tuple[int, int], Delta] = {}
    async for fact in replay.facts(db, municipality):
        histories |= {(*history, fact.position) for history in fact.keys}
        deltas |= {(fact.position, place): delta for place, delta in enumerate(fold.admit(fact), start=1)}
    return Differences(
        histories=sorted(histories ^ await replay.histories(db, municipality)),
        deltas=_differing(deltas, await replay.deltas(db, municipality)),
        sums=_differing(sums_of(deltas.values()), await replay.sums(db, municipality)),
    )


def _differing(rebuilt: Mapping[Any, Any], stored: Mapping[Any, Any]) -> list[Any]:
    return [key for key in {**rebuilt, **stored} if rebuilt.get(key) != stored.get(key)]
