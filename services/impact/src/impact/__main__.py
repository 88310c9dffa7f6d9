"""`python -m impact serve|migrate`."""

from chassis.migrate import HTTP, component_of
from chassis.serve import run_service
from impact.settings import ImpactSettings

if __name__ == "__main__":
    run_service(
        "impact", settings=ImpactSettings, components=[HTTP, component_of("impact")], wiring="impact.app:build_app"
    )
