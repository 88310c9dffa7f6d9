"""publiccode.yml says what the standard wants said (https://yml.publiccode.tools, core 0.4), and what is so."""

from typing import Any

import pytest
import yaml

from tests.ops.cluster import ROOT

STATUS = {"concept", "development", "beta", "stable", "obsolete"}
MAINTAINED = {"internal", "contract", "community", "none"}
SHORT, LONG = 150, range(150, 10_001)


@pytest.fixture
def told() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    return found


def missing(told: dict[str, Any]) -> list[str]:
    """Which keys that the standard demands are not there, or not as it demands."""
    descriptions = told.get("description") or {"": {}}
    maintenance = told.get("maintenance", {})
    rules = {
        "publiccodeYmlVersion": told.get("publiccodeYmlVersion") == "0.4",
        "name": bool(told.get("name")),
        "url": str(told.get("url")).startswith("https://"),
        "platforms": bool(told.get("platforms")),
        "categories": bool(told.get("categories")),
        "developmentStatus": told.get("developmentStatus") in STATUS,
        "softwareType": str(told.get("softwareType")).startswith(("standalone/", "addon", "library", "configuration")),
        "shortDescription": all(0 < len(each.get("shortDescription", "")) <= SHORT for each in descriptions.values()),
        "longDescription": all(len(each.get("longDescription", "")) in LONG for each in descriptions.values()),
        "features": all(each.get("features") for each in descriptions.values()),
        "license": bool(told.get("legal", {}).get("license")),
        "maintenance": maintenance.get("type") in MAINTAINED,
        "contacts": all("name" in each for each in maintenance.get("contacts") or [{}]),
        "localisationReady": isinstance(told.get("localisation", {}).get("localisationReady"), bool),
        "availableLanguages": bool(told.get("localisation", {}).get("availableLanguages")),
    }
    return [key for key, is_there in rules.items() if not is_there]


def test_it_says_what_the_standard_demands(told: dict[str, Any]) -> None:
    assert missing(told) == []


@pytest.mark.parametrize(
    "key", ["name", "url", "platforms", "categories", "softwareType", "developmentStatus", "legal", "localisation"]
)
def test_what_is_left_out_is_noticed(told: dict[str, Any], key: str) -> None:
    del told[key]

    assert missing(told)


def test_a_description_that_is_too_long_or_too_short_is_noticed(told: dict[str, Any]) -> None:
    told["description"]["da"] |= {"shortDescription": "x" * 151, "longDescription": "x"}

    assert missing(told) == ["shortDescription", "longDescription"]


def test_the_licence_is_the_one_that_lies_beside_it(told: dict[str, Any]) -> None:
    assert told["legal"]["license"] == "MPL-2.0"
    assert (ROOT / "LICENSE").read_text().startswith("Mozilla Public License Version 2.0")
