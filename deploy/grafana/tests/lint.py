"""What must hold for every dashboard and panel; each rule yields what is wrong, in words."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from dashboards.expressions import CHOSEN_WINDOW, COUNTER, Selected, selections
from dashboards.panels import COLOURS, DATASOURCE, GREY

Dashboard = dict[str, Any]
Panel = dict[str, Any]
Rule = Callable[[Panel], Iterator[str]]

GROWTH = {"rate", "increase"}
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")
VARIABLE = re.compile(r"\$\{?municipality\b")
ALL = "alle kommuner"
NAMED_COLOUR = re.compile(r'"(color|fixedColor)": "(?!#)(\w+)"')


def panels_of(dashboard: Dashboard) -> list[Panel]:
    """Its panels without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def faults(dashboard: Dashboard) -> list[str]:
    """Everything that is wrong with a dashboard."""
    found = list(_of_the_whole(dashboard))
    for panel in panels_of(dashboard):
        found += [f"{panel.get('title') or panel['id']}: {fault}" for rule in RULES for fault in rule(panel)]
    return found


def _of_the_whole(dashboard: Dashboard) -> Iterator[str]:
    if not re.fullmatch(r"[a-z]+", dashboard.get("uid") or ""):
        yield "it has no uid, so that its address changes"
    if dashboard.get("editable"):
        yield "it may be changed in Grafana, where changes are lost"
    declared = {variable["name"] for variable in dashboard.get("templating", {}).get("list", ())}
    used = {"municipality"} if VARIABLE.search(json.dumps(dashboard["panels"])) else set()
    if declared != used:
        yield f"it declares the variables {sorted(declared)} and uses {sorted(used)}"
    if declared:
        yield from _about_others(dashboard)
    numbers = [panel["id"] for panel in dashboard["panels"]]
    if len({*numbers}) < len(numbers):
        yield "two panels have one id"


def _about_others(dashboard: Dashboard) -> Iterator[str]:
    """Each query of a municipality's dashboard asks about that one, unless the heading above it names all of them."""
    of_all = False
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            of_all = ALL in panel["title"]
        elif not of_all and not all(VARIABLE.search(target["expr"]) for target in panel.get("targets", ())):
            yield f"{panel.get('title')}: it asks about every municipality, and its heading does not say so"


def says_what_it_shows(panel: Panel) -> Iterator[str]:
    """A title and a description."""
    yield from (f"it has no {text}" for text in ("title", "description") if not panel.get(text))


def has_a_unit(panel: Panel) -> Iterator[str]:
    """A unit, `none` for what has none."""
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "it has no unit"


def says_what_it_means_to_be_empty(panel: Panel) -> Iterator[str]:
    """A text for when there is nothing to show."""
    if not panel["fieldConfig"]["defaults"].get("noValue"):
        yield "it does not say what it means to be empty"


def asks_the_one_datasource(panel: Panel) -> Iterator[str]:
    """Queries, all of the datasource that is provisioned."""
    if not panel.get("targets"):
        yield "it asks nothing"
    for part in (panel, *panel.get("targets", ())):
        if (part.get("datasource") or {}).get("uid") != DATASOURCE.uid:
            yield "it does not name the provisioned datasource"


def asks_in_promql(panel: Panel) -> Iterator[str]:
    """Expressions that parse."""
    for target in panel.get("targets", ()):
        try:
            selections(target["expr"])
        except ValueError as wrong:
            yield f"{target['expr']} is no PromQL: {wrong}"


def reads_counters_by_their_growth(panel: Panel) -> Iterator[str]:
    """Counters by rate or increase, and nothing else by them: an effect is a gauge, and falls when it is corrected."""
    for selected in _selected(panel):
        if bool(COUNTER.fullmatch(selected.name)) != (selected.function in GROWTH):
            yield f"{selected.name} is read by {selected.function or 'its value'}"


def lets_grafana_choose_the_window(panel: Panel) -> Iterator[str]:
    """A rate over `$__rate_interval`, which fits the time shown; an increase tells of the window that it names."""
    for selected in _selected(panel):
        if selected.function == "rate" and selected.window != CHOSEN_WINDOW:
            yield f"{selected.name} has a rate over {selected.window}"


def tells_states_in_words(panel: Panel) -> Iterator[str]:
    """Words wherever the value chooses a colour."""
    coloured = panel["type"] == "state-timeline" or panel.get("options", {}).get("colorMode") in {"value", "background"}
    if coloured and not panel["fieldConfig"]["defaults"].get("mappings"):
        yield "its colour alone tells the state"


def has_colours_that_all_can_tell_apart(panel: Panel) -> Iterator[str]:
    """Colours of the palette only."""
    text = json.dumps(panel)
    named = [colour for _, colour in NAMED_COLOUR.findall(text)]
    yield from (f"{each} is not of the palette" for each in {*COLOUR.findall(text), *named} - {*COLOURS, GREY})
    if (panel["fieldConfig"]["defaults"].get("color") or {}).get("mode", "").startswith("palette"):
        yield "its other series have the colours of Grafana's own palette"


def _selected(panel: Panel) -> Iterator[Selected]:
    """What its queries select, as far as they can be read."""
    for target in panel.get("targets", ()):
        with suppress(ValueError):
            yield from selections(target["expr"])


RULES: tuple[Rule, ...] = (
    says_what_it_shows,
    has_a_unit,
    says_what_it_means_to_be_empty,
    asks_the_one_datasource,
    asks_in_promql,
    reads_counters_by_their_growth,
    lets_grafana_choose_the_window,
    tells_states_in_words,
    has_colours_that_all_can_tell_apart,
)
