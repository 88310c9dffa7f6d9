"""Rules are well formed, tested, and lead whoever gets an alert to a page; each of these guards can be red."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ops.cluster import ROOT, output_of
from tests.ops.rules import Asked, asked_in, ill_formed, metrics_of, rules_in, table_of, untested, wordless
from tests.ops.words import firing_words, unreadable

PROMETHEUS = ROOT / "deploy" / "prometheus"
PAGES = [page.name for page in (ROOT / "docs" / "runbooks").glob("*.md")]
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def test_prometheus_takes_its_configuration_and_its_rules(tools: Path) -> None:
    output_of([tools / "promtool", "check", "config", PROMETHEUS / "prometheus.yml"])
    output_of([tools / "promtool", "check", "rules", *(PROMETHEUS / "rules").glob("*.yml")])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: str(file.stem))
def test_alerts_fire_when_they_should_and_rest_when_they_should(tools: Path, file: Path) -> None:
    output_of([tools / "promtool", "test", "rules", file])


def test_a_rule_that_is_broken_fails_its_unit_test(tools: Path, tmp_path: Path) -> None:
    for folder in ("rules", "tests"):
        (tmp_path / folder).mkdir()
        for file in (PROMETHEUS / folder).glob("*.yml"):
            (tmp_path / folder / file.name).write_text(file.read_text().replace("> 0.1\n", "> 0.9\n"))

    broken = subprocess.run(
        [tools / "promtool", "test", "rules", tmp_path / "tests" / "sources.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert broken.returncode == 1
    assert "SourceRefused" in broken.stderr


def test_every_rule_is_tested_and_every_alert_firing_and_resting() -> None:
    rules, asked = rules_in(PROMETHEUS / "rules"), asked_in(PROMETHEUS / "tests")

    assert list(untested(rules, asked)) == []

    firing = next(each for each in asked if "FiguresDrift" in each.expression and each.answered)
    assert list(untested(rules, [each for each in asked if each != firing])) == ["FiguresDrift fires in no test"]
    resting = [each for each in asked if "FiguresDrift" not in each.expression or each.answered]
    assert list(untested(rules, resting)) == ["FiguresDrift rests in no test"]
    ratio = "stream:jetstream_stream_bytes:ratio"
    silent = [each for each in asked if each.expression != ratio]
    assert list(untested(rules, silent)) == [f"{ratio} is asked for in no test"]


def test_every_alert_has_its_words_its_dashboard_and_its_runbook() -> None:
    rules = rules_in(PROMETHEUS / "rules")

    assert list(ill_formed(rules, PAGES)) == []

    wordless, *others = rules
    assert wordless.name == "FiguresDrift"
    assert list(ill_formed([replace(wordless, annotations={}), *others], PAGES)) == [
        "FiguresDrift lacks ['summary', 'summary_en', 'description', 'runbook_url', 'dashboard']",
        "FiguresDrift names no dashboard",
        "FiguresDrift links to no page of its own",
    ]
    assert list(ill_formed([replace(wordless, labels={}), *others], PAGES)) == ["FiguresDrift has no severity"]
    lost = [page for page in PAGES if page != "NatsDown.md"]
    assert list(ill_formed(rules, [*lost, "Moon.md"])) == [
        "NatsDown links to no page of its own",
        "Moon.md is of no alert",
    ]


def test_no_alert_speaks_of_a_label_that_it_does_not_fire_with() -> None:
    rules, asked = rules_in(PROMETHEUS / "rules"), asked_in(PROMETHEUS / "tests")

    assert list(wordless(rules, asked)) == []

    one = next(rule for rule in rules if rule.name == "OutboxStuck")
    strange = replace(one, annotations={"summary": '{{ $labels.moon }} {{ or $labels.sun "no" }} of {{ $labels.job }}'})
    assert list(wordless([strange], asked)) == ["OutboxStuck names moon, which it has not"]


@pytest.mark.timeout(600)
def test_every_alert_says_all_that_it_means_to_wherever_it_fires(tools: Path, tmp_path: Path) -> None:
    rules, heard = rules_in(PROMETHEUS / "rules"), firing_words(tools / "promtool", PROMETHEUS, tmp_path)

    assert list(unreadable(rules, heard)) == []

    assert list(unreadable(rules, [each for each in heard if each[0] != "Phantoms"])) == ["Phantoms says nothing"]
    one = next(rule for rule in rules if rule.name == "OutboxStuck")
    (said, *_) = [words for name, words in heard if name == one.name]
    for gap in ("", " ", "<no value>", "<error expanding template>"):
        broken = {**said, "summary_en": f"Events of {gap} do not reach the bus"}
        assert list(unreadable([one], [(one.name, broken)])) == [f"OutboxStuck: summary_en is {broken['summary_en']!r}"]


def test_metrics_are_found_wherever_they_stand_in_an_expression() -> None:
    assert metrics_of(
        'sum by (job) (rate(a{b="c"}[5m])) / on (job) d:e:f > 0 or absent(g) unless min_over_time(h[1h:])'
    ) == {
        "a",
        "d:e:f",
        "g",
        "h",
    }


def test_a_question_that_does_not_ask_for_an_alert_by_name_is_no_proof() -> None:
    asked = [Asked("any", "ALERTS", answered=True), Asked("any", "ALERTS", answered=False)]
    alert = next(rule for rule in rules_in(PROMETHEUS / "rules") if rule.name == "NatsDown")

    assert list(untested([alert], asked)) == ["NatsDown fires in no test", "NatsDown rests in no test"]


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()

    assert [line for line in told if "](runbooks/" in line] == table_of(rules_in(PROMETHEUS / "rules"))
