"""What a publiccode.yml must and may say: https://yml.publiccode.tools, core of version 0.4, with its vocabularies."""

from collections.abc import Iterator
from typing import Any

STATUS = {"concept", "development", "beta", "stable", "obsolete"}
MAINTAINED = {"internal", "contract", "community", "none"}
TYPES = {f"standalone/{kind}" for kind in ("mobile", "iot", "desktop", "web", "backend", "other")} | {
    "addon",
    "library",
    "configurationFiles",
}
SHORT, LONG = range(1, 151), range(150, 10_001)
CATEGORIES = """
accounting agile-project-management applicant-tracking application-development appointment-scheduling backup
billing-and-invoicing blog budgeting business-intelligence business-process-management cad
call-center-management cloud-management collaboration communications compliance-management contact-management
content-management crm customer-service-and-support data-analytics data-collection data-visualization design
design-system digital-asset-management digital-citizenship document-management donor-management e-commerce
e-signature educational-content email-management email-marketing employee-management
enterprise-project-management enterprise-social-networking erp event-management facility-management
feedback-and-reviews-management financial-reporting fleet-management fundraising gamification
geographic-information-systems grant-management graphic-design help-desk hr ide identity-management
instant-messaging inventory-management it-asset-management it-development it-management it-security
it-service-management knowledge-management learning-management-system marketing mind-mapping mobile-marketing
mobile-payment network-management office online-booking online-community payment-gateway payroll
predictive-analysis procurement productivity-suite project-collaboration project-management property-management
real-estate-management remote-support resource-management sales-management seo service-desk
social-media-management survey talent-management task-management taxes-management test-management
time-management time-tracking translation video-conferencing video-editing visitor-management voip
warehouse-management web-collaboration web-conferencing website-builder whistleblowing workflow-management
"""
SCOPES = """
agriculture culture defence education emergency-services employment energy environment
finance-and-economic-development foreign-affairs healthcare infrastructures justice local-authorities
manufacturing research science-and-technology security society sport tourism transportation welfare
"""
# By the place of a section; `*` is any key of it, as a language.
KEYS = {
    "": (
        "publiccodeYmlVersion name applicationSuite url landingURL isBasedOn softwareVersion releaseDate logo "
        "platforms categories usedBy roadmap developmentStatus softwareType intendedAudience description legal "
        "maintenance localisation dependsOn"
    ),
    "intendedAudience": "countries unsupportedCountries scope",
    "description": "*",
    "description/*": "localisedName shortDescription longDescription documentation apiDocumentation features "
    "screenshots videos awards",
    "legal": "license mainCopyrightOwner repoOwner",
    "maintenance": "type contractors contacts",
    "maintenance/contractors": "name until email website",
    "maintenance/contacts": "name email phone affiliation",
    "localisation": "localisationReady availableLanguages",
    "dependsOn": "open proprietary hardware",
    "dependsOn/open": "name versionMin versionMax version optional",
}


def missing(told: dict[str, Any]) -> list[str]:
    """Which keys that the standard demands are not there, or not as it demands."""
    descriptions = told.get("description") or {"": {}}
    maintenance = told.get("maintenance", {})
    rules = {
        "publiccodeYmlVersion": told.get("publiccodeYmlVersion") == "0.4",
        "name": bool(told.get("name")),
        "url": str(told.get("url")).startswith("https://"),
        "platforms": bool(told.get("platforms")),
        "categories": bool(told.get("categories")) and {*told["categories"]} <= {*CATEGORIES.split()},
        "scope": {*told.get("intendedAudience", {}).get("scope", ())} <= {*SCOPES.split()},
        "developmentStatus": told.get("developmentStatus") in STATUS,
        "softwareType": told.get("softwareType") in TYPES,
        "shortDescription": all(len(each.get("shortDescription", "")) in SHORT for each in descriptions.values()),
        "longDescription": all(len(each.get("longDescription", "")) in LONG for each in descriptions.values()),
        "features": all(each.get("features") for each in descriptions.values()),
        "license": bool(told.get("legal", {}).get("license")),
        "maintenance": maintenance.get("type") in MAINTAINED,
        "contacts": all("name" in each for each in maintenance.get("contacts") or [{}]),
        "localisationReady": isinstance(told.get("localisation", {}).get("localisationReady"), bool),
        "availableLanguages": bool(told.get("localisation", {}).get("availableLanguages")),
    }
    return [key for key, is_there in rules.items() if not is_there]


def unknown(told: Any, place: str = "") -> Iterator[str]:
    """Keys that the standard does not know where they stand, as `legal/licence`."""
    if isinstance(told, list):
        for each in told:
            yield from unknown(each, place)
    elif isinstance(told, dict):
        known = KEYS.get(place, "").split()
        for key, value in told.items():
            if key in known or "*" in known:
                yield from unknown(value, f"{place}/{'*' if '*' in known else key}".removeprefix("/"))
            else:
                yield f"{place}/{key}".removeprefix("/")
