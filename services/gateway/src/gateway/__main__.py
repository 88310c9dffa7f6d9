"""`python -m gateway serve|migrate`."""

from chassis.migrate import HTTP, OUTBOX, component_of
from chassis.serve import run_service
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    run_service(
        "gateway",
        settings=GatewaySettings,
        components=[OUTBOX, HTTP, component_of("gateway")],
        wiring="gateway.app:build_app",
    )
