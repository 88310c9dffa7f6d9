from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import (
    CONFLICT,
    NOT_REGISTERED,
    OTHER_MUNICIPALITY,
    OTHER_TOKEN,
    OTHER_TYPE,
    RETRACTION,
    REVOKED,
    Conflict,
    Invalid,
    NotAllowed,
    Outcome,
    Reason,
    Refused,
    Source,
    Told,
    decide,
)

SOURCE = "urn:kraftcenter:621:sd_loen"
TYPE = "dk.kraftcenter.payroll.employment_ended.v1"
HASH, OTHER = b"a" * 32, b"b" * 32
JOBS = "jobs"
FAULT = Reason("/data", "mangler", "is missing")


def told(**changes: Any) -> Told:
    said: dict[str, Any] = {
        "token_name": "payroll",
        "source": SOURCE,
        "id": "sd-1",
        "type": TYPE,
        "body_hash": HASH,
        "faults": (),
    }
    return Told(**said | changes)


def registered(**changes: Any) -> Source:
    known: dict[str, Any] = {"source": SOURCE, "types": frozenset({TYPE}), "token_name": "payroll", "revoked": False}
    return Source(**known | changes)


def decided(message: Told, source: Source | None = None, known: bytes | None = None) -> Outcome:
    return decide(message, source or registered(), known, municipality="621")


def reasons(message: Told, source: Source | None, known: bytes | None = None) -> tuple[type[Refused], list[Reason]]:
    with pytest.raises(Refused) as refused:
        decide(message, source, known, municipality="621")
    return type(refused.value), [*refused.value.reasons]


def test_what_is_new_and_right_is_accepted_and_its_copy_is_a_duplicate() -> None:
    assert decided(told()) is Outcome.ACCEPTED
    assert decided(told(), known=HASH) is Outcome.DUPLICATE


def test_a_copy_is_a_duplicate_even_if_it_would_not_be_let_in_any_more() -> None:
    assert decided(told(faults=(FAULT,)), known=HASH) is Outcome.DUPLICATE


def test_another_body_under_the_same_id_is_a_conflict() -> None:
    assert reasons(told(), registered(), OTHER) == (Conflict, [CONFLICT])
    assert reasons(told(faults=(FAULT,)), registered(), OTHER) == (Invalid, [FAULT, CONFLICT])
    assert reasons(told(faults=(FAULT,), body_hash=None), registered(), OTHER) == (Invalid, [FAULT, CONFLICT])


@pytest.mark.parametrize(
    ("message", "source", "expected"),
    [
        (told(source="urn:kraftcenter:607:sd_loen"), registered(), [OTHER_MUNICIPALITY]),
        (told(), None, [NOT_REGISTERED]),
        (told(), registered(revoked=True), [REVOKED]),
        (told(token_name=JOBS), registered(), [OTHER_TOKEN]),
        (told(type="dk.kraftcenter.flexjob.ended.v1"), registered(), [OTHER_TYPE]),
        (
            told(token_name=JOBS, type="x", faults=(FAULT,)),
            registered(revoked=True),
            [REVOKED, OTHER_TOKEN, OTHER_TYPE, FAULT],
        ),
    ],
)
def test_whoever_may_not_tell_it_is_refused_with_all_reasons(
    message: Told, source: Source | None, expected: list[Reason]
) -> None:
    assert reasons(message, source) == (NotAllowed, expected)
    assert reasons(message, source, HASH) == (NotAllowed, expected)


def test_a_source_that_is_none_is_told_by_the_faults_alone() -> None:
    assert reasons(told(source=None, faults=(FAULT,)), None) == (Invalid, [FAULT])


def test_every_source_may_retract_its_own_events() -> None:
    assert decided(told(type=RETRACTION)) is Outcome.ACCEPTED


@given(
    token=st.sampled_from(["payroll", "jobs"]),
    said=st.fixed_dictionaries(
        {
            "type": st.sampled_from([TYPE, RETRACTION, "x", None]),
            "source": st.sampled_from([SOURCE, "urn:kraftcenter:607:sd_loen", None]),
            "faults": st.sampled_from([(), (FAULT,)]),
        }
    ),
    source=st.none() | st.builds(registered, revoked=st.booleans()),
    known=st.sampled_from([None, HASH, OTHER]),
)
def test_nothing_is_let_in_but_what_its_source_may_tell_now(
    token: str, said: dict[str, Any], source: Source | None, known: bytes | None
) -> None:
    message = told(**said | {"token_name": token, "faults": said["faults"] if said["source"] else (FAULT,)})
    try:
        outcome = decide(message, source, known, municipality="621")
    except Refused as refused:
        reasons = refused.reasons
    else:
        assert outcome is (Outcome.ACCEPTED if known is None else Outcome.DUPLICATE)
        assert (token, source, said["source"]) == ("payroll", registered(), SOURCE)
        assert known == HASH or not said["faults"]
        return
    assert reasons
