"""Every fault that the system is held to, in the order in which they befall their towns."""

from tests.faults import kills

FAULTS = (*kills.FAULTS,)
