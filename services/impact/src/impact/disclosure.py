"""Who may see what: the one policy that every exit applies.

Until figures leave as releases, a figure about persons leaves only with the scope `figures:exact`.
"""

from dataclasses import replace

from chassis.tokens import Principal
from impact.figures import Figure, Status, Value

EXACT = "figures:exact"


def disclosed(figure: Figure, reader: Principal | None) -> Figure:
    """The figure as it may leave for this reader; None is the public.

    The number of facts goes too: of events about persons it is as telling as the value.
    """
    about_persons = figure.question.indicator.about_persons
    if not about_persons or (reader and _may_see_exact(reader, figure.question.municipality)):
        return figure
    return replace(figure, whole=Value(Status.SUPPRESSED), facts=None, cells=())


def _may_see_exact(reader: Principal, municipality: str) -> bool:
    return reader.may(EXACT) and reader.municipality == municipality
