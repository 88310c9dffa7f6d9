"""`python -m gateway serve|migrate`."""

from chassis.migrate import HTTP, OUTBOX, component_of
from chassis.serve import run_service
from gateway.app import build_app
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    run_service(
        "gateway",
        settings=GatewaySettings,
        components=[OUTBOX, HTTP, component_of("gateway")],
        build_app=build_app,
    )
