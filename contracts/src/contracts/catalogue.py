"""Every event type there is, by CloudEvents type."""

import json
from typing import Any

from contracts import development, flexjob_pool, payroll, placements, platform, workplaces
from contracts.envelope import Envelope
from contracts.event import Event

EVENTS: tuple[type[Event], ...] = (
    platform.EventRetracted,
    platform.ServiceHeartbeat,
    flexjob_pool.RulesAdopted,
    flexjob_pool.BudgetAllocated,
    flexjob_pool.BudgetAdjusted,
    flexjob_pool.ApplicationSubmitted,
    flexjob_pool.ApplicationApproved,
    flexjob_pool.ApplicationRejected,
    flexjob_pool.ApplicationWithdrawn,
    flexjob_pool.ApplicationApprovalAnnulled,
    flexjob_pool.GrantCommitted,
    flexjob_pool.GrantAdjusted,
    flexjob_pool.GrantReleased,
    flexjob_pool.RefundPosted,
    flexjob_pool.RefundReversed,
    flexjob_pool.FlexjobStarted,
    flexjob_pool.FlexjobHoursChanged,
    flexjob_pool.FlexjobTransferred,
    flexjob_pool.FlexjobEnded,
    development.DevelopmentStep,
    development.ReviewDue,
    development.ReviewHeld,
    development.OrdinaryEmploymentObtained,
    workplaces.NeedReported,
    workplaces.NeedWithdrawn,
    workplaces.CandidateProposed,
    workplaces.CandidateRequested,
    workplaces.CandidateOffered,
    workplaces.CandidatePlaced,
    workplaces.AwarenessSessionHeld,
    workplaces.WorkforceSnapshotTaken,
    placements.PlacementStarted,
    placements.PlacementHoursChanged,
    placements.PlacementKindChanged,
    placements.PlacementEnded,
    payroll.WorkingTimeChanged,
    payroll.EmploymentEnded,
)
BY_TYPE: dict[str, type[Event]] = {event.contract.type: event for event in EVENTS}


class UnknownType(Exception):
    """No event of this type and major version is in the catalogue."""


def data_of(envelope: Envelope) -> Event:
    """Read the typed data of an event.

    Raises UnknownType, or pydantic's ValidationError when the data is not of its type.
    """
    try:
        model = BY_TYPE[envelope.type]
    except KeyError:
        raise UnknownType(envelope.type) from None
    return model.model_validate(envelope.data, context={"envelope": envelope})


def schema_of(model: type[Event]) -> dict[str, Any]:
    """The JSON Schema of a whole message: the envelope with its type fixed and its data typed."""
    schema = Envelope.model_json_schema()
    data = model.model_json_schema()
    definitions = data.pop("$defs", {})
    contract = model.contract
    schema["title"] = contract.name
    schema["description"] = model.__doc__
    schema["properties"]["type"] = {"const": contract.type, "type": "string"}
    schema["properties"]["dataclassification"] = {"const": contract.classification, "type": "string"}
    schema["properties"]["data"] = data
    schema["x-contract"] = {
        "owner": contract.owner,
        "legal_basis": contract.legal_basis,
        "retention": contract.retention,
        "producers": list(contract.producers),
        "phase": contract.phase,
        "opened_by": contract.opened_by and contract.opened_by.name,
    }
    return schema | ({"$defs": definitions} if definitions else {})


def published() -> dict[str, dict[str, Any]]:
    """The schema of every event type as it stands in its file, by file stem."""
    return {event.contract.file_stem: json.loads(json.dumps(schema_of(event))) for event in EVENTS}
