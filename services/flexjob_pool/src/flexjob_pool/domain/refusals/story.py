"""Why something that was registered cannot be corrected or retracted."""

from uuid import UUID

from flexjob_pool.domain.refusals import Clash, Refusal


class StandsInTheWay(Clash):
    """What event {event_id} tells rests on this, and could not be registered without it. ({reason})."""

    danish = "Det, som hændelsen {event_id} fortæller, bygger på dette og kunne ikke registreres uden. ({reason})."

    def __init__(self, event_id: UUID, refusal: Refusal) -> None:
        super().__init__(event_id=event_id, reason=refusal.in_english.rstrip("."))
        self.in_danish = self.danish.format(event_id=event_id, reason=refusal.in_danish.rstrip("."))


class Retracted(Clash):
    """The event is retracted; register anew what did happen."""

    danish = "Hændelsen er trukket tilbage; registrér det, der skete, på ny."


class FollowsFromAnother(Clash):
    """The event only follows from another; correct or retract that one."""

    danish = "Hændelsen følger kun af en anden; ret den, eller træk den tilbage."


class PartOfTheAddress(Refusal):
    """What it was registered under cannot be corrected; retract it and register it anew."""

    danish = "Det, den er registreret under, kan ikke rettes; træk den tilbage, og registrér på ny."


class FollowsFromTheCalendar(Clash):
    """The calendar calls for it; correct what it is reckoned from."""

    danish = "Det følger af kalenderen; ret det, som den regner fra."


class FollowsFromPayroll(Clash):
    """Payroll told of it; have it corrected there, or register what is so from that day at the doors of the flexjob."""

    danish = "Det følger af lønsystemet; få det rettet dér, eller registrér det rigtige fra den dag på fleksjobbet."


class RulesStand(Clash):
    """Rules that were adopted stand as they are; adopt a new version."""

    danish = "Vedtagne regler står ved magt; vedtag en ny version."
