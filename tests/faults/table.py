"""Every fault that the system is held to, in the order in which they befall their towns."""

from tests.faults import broker, clocks, disks, duplicates, kills, network, poison, restores

FAULTS = (
    *kills.FAULTS,
    *broker.FAULTS,
    *restores.FAULTS,
    *network.FAULTS,
    *poison.FAULTS,
    *duplicates.FAULTS,
    *disks.FAULTS,
    *clocks.FAULTS,
)
