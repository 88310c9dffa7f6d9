"""Every fault that the system is held to, in the order in which they befall their towns."""

from tests.faults import broker, clocks, disks, duplicates, flood, kills, network, poison, restores, versions

FAULTS = (
    *kills.FAULTS,
    *broker.FAULTS,
    *restores.FAULTS,
    *network.FAULTS,
    *poison.FAULTS,
    *duplicates.FAULTS,
    *disks.FAULTS,
    *clocks.FAULTS,
    *versions.FAULTS,
    *flood.FAULTS,
)
