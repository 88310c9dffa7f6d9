"""The dashboards as they are committed: what the code generates, by the rules, with a panel for every indicator."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import effects, programme, trust
from dashboards.__main__ import boards, files, main
from dashboards.expressions import selections
from dashboards.panels import DATASOURCE, LEAST
from deploy.grafana.tests.lint import RULES, faults, panels_of
from impact.catalogue import INDICATORS, TRACKS, track_of
from impact.metrics import name_of

GRAFANA = Path(__file__).parents[1]
DASHBOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (GRAFANA / "json").glob("*/*.json")}
UIDS = {"programme", "fleksjobpulje", "trust", "pipeline", "sources", "nats", "postgresql"}
PLACES = {"json": "/etc/grafana/dashboards", "provisioning": "/etc/grafana/provisioning"}
HERE = f"{{{effects.HERE}}}"
Break = Callable[[dict[str, Any]], Any]


def provisioned(name: str) -> Any:
    return yaml.safe_load((GRAFANA / "provisioning" / name).read_text(encoding="utf-8"))


def test_what_is_committed_is_what_the_code_generates() -> None:
    committed = {path.relative_to(GRAFANA / "json"): path for path in (GRAFANA / "json").rglob("*.json")}

    assert committed.keys() == files().keys()
    changed = [str(name) for name, text in files().items() if committed[name].read_text(encoding="utf-8") != text]
    assert not changed, "run `make dashboards`"


def test_what_is_a_dashboard_no_longer_is_removed(tmp_path: Path) -> None:
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift" / "old.json").write_text("{}")

    main(tmp_path)

    assert {path.stem for path in tmp_path.rglob("*.json")} == UIDS


@pytest.mark.parametrize("uid", sorted(UIDS))
def test_every_panel_keeps_the_rules(uid: str) -> None:
    assert faults(DASHBOARDS[uid]) == []


def with_expr(expr: str) -> Break:
    return lambda panel: panel["targets"][0].update(expr=expr)


# Each on a copy of a number that is told in words, and the rule that must notice.
BREAKS: dict[str, tuple[Break, str]] = {
    "no title": (lambda panel: panel.pop("title"), "it has no title"),
    "no description": (lambda panel: panel.update(description=""), "it has no description"),
    "no unit": (lambda panel: panel["fieldConfig"]["defaults"].pop("unit"), "it has no unit"),
    "no empty state": (lambda panel: panel["fieldConfig"]["defaults"].pop("noValue"), "what it means to be empty"),
    "no query": (lambda panel: panel.pop("targets"), "it asks nothing"),
    "another datasource": (lambda panel: panel["targets"][0]["datasource"].update(uid="x"), "provisioned datasource"),
    "no PromQL": (with_expr(f"sum(impact_drift_cells{HERE}"), "no PromQL"),
    "the rate of a gauge": (with_expr(f"rate(impact_jobs_started_placements{HERE}[$__rate_interval])"), "read by rate"),
    "the value of a counter": (with_expr(f"impact_deliveries_total{HERE}"), "read by its value"),
    "the average of a counter": (with_expr(f"avg_over_time(impact_deliveries_total{HERE}[1h])"), "read by avg_over"),
    "a window of one's own": (with_expr(f"rate(impact_deliveries_total{HERE}[5m])"), "rate over 0:05:00"),
    "a colour without a word": (lambda panel: panel["fieldConfig"]["defaults"].pop("mappings"), "colour alone"),
    "Grafana's palette": (
        lambda panel: panel["fieldConfig"]["defaults"].update(color={"mode": "palette-classic"}),
        "Grafana's own palette",
    ),
    "red": (lambda panel: panel["fieldConfig"]["defaults"]["mappings"][0]["options"]["1"].update(color="red"), "red"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_that_is_broken_is_noticed(name: str) -> None:
    spoil, expected = BREAKS[name]
    dashboard = copy.deepcopy(DASHBOARDS["trust"])
    panel = panels_of(dashboard)[1]
    spoil(panel)

    (fault,) = faults(dashboard)
    assert expected in fault


def test_each_rule_for_panels_is_broken_once_at_least() -> None:
    noticed = set()
    for spoil, _ in BREAKS.values():
        panel = copy.deepcopy(panels_of(DASHBOARDS["trust"])[1])
        spoil(panel)
        noticed |= {rule for rule in RULES if list(rule(panel))}
    assert noticed == {*RULES}


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda dashboard: dashboard.pop("uid"), "no uid"),
        (lambda dashboard: dashboard.update(editable=True), "may be changed"),
        (lambda dashboard: dashboard.pop("templating"), "declares the variables"),
        (lambda dashboard: dashboard["panels"][1]["targets"][0].update(expr="up"), "asks about every municipality"),
        (lambda dashboard: dashboard["panels"][1].update(id=dashboard["panels"][2]["id"]), "one id"),
    ],
)
def test_a_rule_for_the_whole_that_is_broken_is_noticed(spoil: Break, expected: str) -> None:
    dashboard = copy.deepcopy(DASHBOARDS["trust"])
    spoil(dashboard)

    (fault,) = faults(dashboard)
    assert expected in fault


def test_every_indicator_is_on_the_programme_with_its_danish_title_and_definition() -> None:
    panels = {panel["title"]: panel for panel in panels_of(DASHBOARDS["programme"])}

    for indicator in INDICATORS:
        panel = panels[f"{indicator.id} {indicator.title.danish}"]
        assert indicator.definition.danish in panel["description"]
        assert name_of(indicator) in panel["targets"][0]["expr"]
        assert f"{indicator.id} over tid" in panels


def test_every_indicator_has_a_unit_that_a_reader_knows() -> None:
    assert {indicator.unit for indicator in INDICATORS} <= effects.UNITS.keys()


def test_a_suppressed_figure_is_not_shown_as_zero() -> None:
    for uid in ("programme", "fleksjobpulje"):
        for panel in panels_of(DASHBOARDS[uid]):
            if panel["title"][0] in "JFE" and panel["title"][1:2].isdigit():
                assert panel["fieldConfig"]["defaults"]["noValue"] == "Undertrykt eller ingen data"


def panels_of_kind(kind: str) -> list[dict[str, Any]]:
    return [panel for uid in UIDS for panel in panels_of(DASHBOARDS[uid]) if panel["type"] == kind]


def test_a_name_in_a_table_is_not_told_as_a_number_also_when_it_is_a_year() -> None:
    assert {panel["fieldConfig"]["defaults"]["unit"] for panel in panels_of_kind("table")} == {"string"}


def test_a_line_at_nought_stands_under_no_great_number() -> None:
    for panel in panels_of_kind("timeseries"):
        told = panel["fieldConfig"]["defaults"]
        assert told["unit"] not in LEAST or told["custom"]["axisSoftMax"] >= LEAST[told["unit"]]


def test_an_indicator_that_is_added_has_its_panels_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = INDICATORS
    added = type(first)(**{name: getattr(first, name) for name in first.__slots__} | {"id": "X1", "mapping": ("T3",)})
    monkeypatch.setattr(programme, "INDICATORS", (*INDICATORS, added))

    rows = {row.title: row.panels for row in programme.board().rows}

    assert len(rows[TRACKS["T3"].danish]) == 2


def test_a_figure_stands_under_the_heading_that_the_board_has_too() -> None:
    rows = {panel.builder.build().title: row.title for row in programme.board().rows for panel in row.panels}

    for indicator in INDICATORS:
        assert rows[f"{indicator.id} {indicator.title.danish}"] == TRACKS[track_of(indicator)].danish


def test_a_figure_that_counts_over_days_says_over_which() -> None:
    told = {panel["title"][:2]: panel["description"] for panel in panels_of(DASHBOARDS["programme"])}

    assert "Tæller fra 1. januar til og med dagen og begynder forfra hvert år." in told["J1"]
    assert "Tæller de seneste 12 måneder til og med dagen." in told["F8"]
    assert "Tæller alle måneder til og med dagen." in told["J4"]
    assert "Gælder ved udgangen af dagen." in told["F1"]


def test_addresses_are_stable_and_folders_are_those_that_are_provisioned() -> None:
    assert {board.uid: board.folder for board in boards()} == {
        uid: "kraftcenter" if uid in {"programme", "fleksjobpulje"} else "drift" for uid in UIDS
    }
    providers = provisioned("dashboards/folders.yml")["providers"]
    assert {provider["folderUid"] for provider in providers} == {"kraftcenter", "drift"}
    for provider in providers:
        assert provider["allowUiUpdates"] is False
        assert provider["options"]["path"] == f"/etc/grafana/dashboards/{provider['folderUid']}"


def test_grafana_finds_there_what_is_provisioned() -> None:
    compose = yaml.safe_load((GRAFANA.parent / "compose.yaml").read_text(encoding="utf-8"))

    mounted = {f"./grafana/{folder}": place for folder, place in PLACES.items()}
    assert mounted.items() <= dict(each.split(":")[:2] for each in compose["services"]["grafana"]["volumes"]).items()
    for provider in provisioned("dashboards/folders.yml")["providers"]:
        assert provider["options"]["path"].startswith(PLACES["json"])


def test_grafana_writes_dates_with_the_day_first() -> None:
    compose = yaml.safe_load((GRAFANA.parent / "compose.yaml").read_text(encoding="utf-8"))
    told = compose["services"]["grafana"]["environment"]
    formats = {name: value for name, value in told.items() if name.startswith("GF_DATE_FORMATS_")}

    assert {f"GF_DATE_FORMATS_{name}" for name in ("FULL_DATE", "INTERVAL_HOUR", "INTERVAL_DAY")} <= formats.keys()
    for name, value in formats.items():
        assert "DD" not in value or value.startswith("DD.MM."), name


def test_the_datasource_is_the_one_that_panels_ask_and_cannot_be_changed() -> None:
    (datasource,) = provisioned("datasources/prometheus.yml")["datasources"]

    assert (datasource["uid"], datasource["type"]) == (DATASOURCE.uid, DATASOURCE.type_val)
    assert datasource["editable"] is False


def alerts() -> dict[str, dict[str, Any]]:
    rules = (GRAFANA.parent / "prometheus" / "rules").glob("*.yml")
    groups = [group for file in rules for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_every_alert_leads_to_a_dashboard_that_there_is() -> None:
    assert {alert["annotations"]["dashboard"] for alert in alerts().values()} <= UIDS


@pytest.mark.parametrize("check", trust.ALERTS)
def test_what_deviates_on_the_dashboard_is_what_the_alert_waits_for(check: str) -> None:
    threshold = trust.CHECKS[check].partition(" > bool ")[2]
    expr = alerts()[trust.ALERTS[check]]["expr"]

    assert f"> {threshold}" in " ".join(expr.split())
    assert {each.name for each in selections(trust.CHECKS[check])} <= {each.name for each in selections(expr)}
