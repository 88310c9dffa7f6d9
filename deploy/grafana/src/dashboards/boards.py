"""A dashboard as a whole: rows of panels, the municipality that they ask about, and links to the others."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, QueryVariable
from grafana_foundation_sdk.builders.dashboard import Row as RowBuilder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableRefresh,
    VariableSort,
)

from dashboards.panels import DATASOURCE, Panel

TAG = "kraftcenter"
MUNICIPALITY = "label_values(impact_lane_position, municipality)"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard; `uid` is its address for ever, and `folder` where it stands: kraftcenter or drift."""

    uid: str
    title: str
    description: str
    folder: str
    rows: Sequence[Row]
    municipal: bool = False
    since: str = "now-6h"

    @property
    def panels(self) -> list[Panel]:
        """All its panels, in order."""
        return [panel for row in self.rows for panel in row.panels]

    def text(self) -> str:
        """The dashboard as the JSON that Grafana reads."""
        return json.dumps(self._build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def _build(self) -> object:
        link = DashboardLink("Kraftcenter").type(DashboardLinkType.DASHBOARDS).tags([TAG])
        builder = (
            Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .readonly()
            .timezone("Europe/Copenhagen")
            .time(self.since, "now")
            .refresh("30s")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .link(link.include_vars(True).keep_time(True))
        )
        if self.municipal:
            builder = builder.with_variable(_municipality())
        number = 0
        for row in self.rows:
            number += 1
            builder = builder.with_row(RowBuilder(row.title).id(number))
            for panel in row.panels:
                number += 1
                builder = builder.with_panel(panel.builder.id(number))
        return builder.build()


def _municipality() -> QueryVariable:
    return (
        QueryVariable("municipality")
        .label("Kommune")
        .query(MUNICIPALITY)
        .datasource(DATASOURCE)
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
