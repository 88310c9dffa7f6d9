"""Which processes serve which municipalities, and on which ports."""

from collections.abc import Sequence
from dataclasses import dataclass

from local.processes import free_ports

MUNICIPALITY = "621"
SERVICES = ("flexjob_pool", "gateway", "impact")
# One instance serves them all; of every other service each municipality has its own.
SHARED = ("impact",)
KNOWN_PORTS = {
    "postgres": 8654,
    "nats": 8642,
    "nats_monitor": 8643,
    "gateway": 8600,
    "flexjob_pool": 8602,
    "impact": 8604,
}
PORTS_APART = 10


@dataclass(frozen=True, slots=True)
class Instance:
    """A service as it runs for one municipality, or for several; the first one's bears the service's own name."""

    name: str
    service: str
    municipalities: tuple[str, ...]


def instances_of(services: Sequence[str], municipalities: Sequence[str]) -> list[Instance]:
    """Every process that it takes to serve these municipalities."""
    first, *others = municipalities
    return [
        *(Instance(name, name, tuple(municipalities) if name in SHARED else (first,)) for name in services),
        *(Instance(f"{name}_{code}", name, (code,)) for code in others for name in services if name not in SHARED),
    ]


def free_ports_for(services: Sequence[str], municipalities: Sequence[str] = (MUNICIPALITY,)) -> dict[str, int]:
    """Free ports by instance, as in known_ports."""
    names = ("postgres", "nats", "nats_monitor", *(each.name for each in instances_of(services, municipalities)))
    return dict(zip(names, free_ports(len(names)), strict=True))


def known_ports(municipalities: Sequence[str]) -> dict[str, int]:
    """The usual ports; those of each further municipality lie ten above."""
    return KNOWN_PORTS | {
        instance.name: KNOWN_PORTS[instance.service] + PORTS_APART * municipalities.index(instance.municipalities[0])
        for instance in instances_of(SERVICES, municipalities)
    }
