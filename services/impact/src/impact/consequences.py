"""The rows that entries of the ledger bring about; the same entries give the same rows, in whatever batches. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from impact.chronicle import Outcome
from impact.fold import Delta
from impact.ledger import Entry
from impact.supersession import target_of


@dataclass(slots=True)
class Rows:
    """Whole rows but for the municipality; `roots` and `outcomes` are what older rows change to, or new ones have."""

    links: list[tuple[int, str, str, str]] = field(default_factory=list)
    histories: list[tuple[str, str, int, int | None]] = field(default_factory=list)
    roots: list[tuple[int, int | None]] = field(default_factory=list)
    deltas: list[tuple[int, int, Delta]] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)


def rows_of(entries: Iterable[Entry]) -> Rows:
    """What to write for entries that follow each other."""
    rows, roots, outcomes, new = Rows(), dict[int, int | None](), dict[int, Outcome](), set[int]()
    known = list(entries)
    for entry in known:
        roots |= entry.told.roots
        outcomes |= entry.told.outcomes
        rows.deltas += _numbered(entry)
        new.add(entry.position)
    for entry in known:
        if fact := entry.fact:
            histories = dict.fromkeys(fact.keys)
            rows.histories += [(*history, fact.position, roots.get(fact.position)) for history in histories]
            if target := target_of(fact):
                rows.links.append((fact.position, fact.source, fact.id, target))
    rows.roots = [(position, root) for position, root in roots.items() if position not in new]
    rows.outcomes = list(outcomes.items())
    return rows


def _numbered(entry: Entry) -> Iterator[tuple[int, int, Delta]]:
    """Count a measure's own deltas, so that one measure can be told again without the others."""
    ordinals: Counter[tuple[str, int]] = Counter()
    for delta in entry.told.deltas:
        ordinals[delta.measure, delta.version] += 1
        yield entry.position, ordinals[delta.measure, delta.version], delta
