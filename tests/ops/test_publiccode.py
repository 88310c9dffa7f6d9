"""publiccode.yml says what the standard wants said (https://yml.publiccode.tools, core 0.4), and what is so."""

from typing import Any

import pytest
import yaml

from tests.ops.cluster import ROOT
from tests.ops.publiccode import missing, unknown


@pytest.fixture
def told() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    return found


def test_it_says_what_the_standard_demands(told: dict[str, Any]) -> None:
    assert missing(told) == []
    assert list(unknown(told)) == []


@pytest.mark.parametrize(
    "key", ["name", "url", "platforms", "categories", "softwareType", "developmentStatus", "legal", "localisation"]
)
def test_what_is_left_out_is_noticed(told: dict[str, Any], key: str) -> None:
    del told[key]

    assert missing(told)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("categories", ["hr", "miracles"], "categories"),
        ("intendedAudience", {"scope": ["employment", "government"]}, "scope"),
        ("softwareType", "standalone/miracle", "softwareType"),
        ("maintenance", {"type": "sometimes", "contacts": [{"name": "N."}]}, "maintenance"),
    ],
)
def test_a_word_that_is_in_no_vocabulary_is_noticed(told: dict[str, Any], key: str, value: Any, found: str) -> None:
    assert missing(told | {key: value}) == [found]


def test_a_key_that_the_standard_does_not_know_is_noticed(told: dict[str, Any]) -> None:
    told["legal"]["licence"] = told["description"]["da"]["slogan"] = told["maintainer"] = "x"
    told["maintenance"]["contacts"][0]["mail"] = "x"

    assert {*unknown(told)} == {"legal/licence", "description/*/slogan", "maintainer", "maintenance/contacts/mail"}


def test_a_description_that_is_too_long_or_too_short_is_noticed(told: dict[str, Any]) -> None:
    told["description"]["da"] |= {"shortDescription": "x" * 151, "longDescription": "x"}

    assert missing(told) == ["shortDescription", "longDescription"]


def test_the_licence_is_the_one_that_lies_beside_it(told: dict[str, Any]) -> None:
    assert told["legal"]["license"] == "MPL-2.0"
    assert (ROOT / "LICENSE").read_text().startswith("Mozilla Public License Version 2.0")
