"""`python -m flexjob_pool serve|migrate`."""

from chassis.migrate import HTTP, INBOX, OUTBOX, component_of
from chassis.serve import run_service
from flexjob_pool.settings import FlexjobPoolSettings

if __name__ == "__main__":
    run_service(
        "flexjob_pool",
        settings=FlexjobPoolSettings,
        components=[OUTBOX, INBOX, HTTP, component_of("flexjob_pool")],
        wiring="flexjob_pool.app:build_app",
    )
