"""Why a worker does not take in what a stream brings: logged once per change, in `/readyz` as long as it lasts."""

from collections.abc import Iterable
from pathlib import PurePath
from traceback import extract_tb

import structlog

from contracts.streams import Stream
from impact.store.definitions import DefinitionMissing, LaneNotTold
from impact.store.recall import NotUnderstood

NOT_ACCEPTED = (DefinitionMissing, LaneNotTold)
SHOWN = 3

log = structlog.get_logger()


class Refusals:
    """What one consumer refuses: its lane as a whole, or single messages by their place in the stream."""

    def __init__(self, stream: Stream) -> None:
        self.municipality = stream.municipality
        self._stream = stream.name
        self._lane: str | None = None
        self._messages: dict[int, str] = {}
        self._logged: str | None = None

    @property
    def reason(self) -> str | None:
        """In words for operations, without data; None when nothing is refused."""
        reasons = sorted({*self._messages.values()})[:SHOWN]
        return ", ".join([self._lane] if self._lane else reasons) or None

    def refuse_lane(self, error: Exception) -> None:
        """Nothing can be taken in for now."""
        self._lane = _reason(error)
        self._log()

    def refuse(self, sequence: int, error: Exception) -> None:
        """This message cannot be taken in for now; others can."""
        self._messages[sequence] = _reason(error)
        self._log()

    def accept_lane(self) -> None:
        """The lane can be served."""
        self._lane = None
        self._log()

    def accept(self, sequences: Iterable[int]) -> None:
        """These messages are committed, and so the lane is served."""
        for sequence in sequences:
            self._messages.pop(sequence, None)
        self.accept_lane()

    def accepted_upto(self, floor: int) -> None:
        """Up to here every message is acknowledged, by whichever worker."""
        self._messages = {sequence: reason for sequence, reason in self._messages.items() if sequence > floor}
        self._log()

    def _log(self) -> None:
        if self.reason == self._logged:
            return
        self._logged = self.reason
        if self.reason:
            log.error("lane_refused", municipality=self.municipality, stream=self._stream, reason=self.reason)
        else:
            log.info("lane_accepted", municipality=self.municipality, stream=self._stream)


def trouble_of(refusals: Iterable[Refusals]) -> str | None:
    """For `/readyz`: None when every lane is served, else which is not, and why."""
    troubles = [f"{each.municipality} refused: {each.reason}" for each in refusals if each.reason]
    return "; ".join(dict.fromkeys(troubles)) or None


def _reason(error: Exception) -> str:
    """The text of an error that nobody foresaw may hold event data; where it was raised holds none."""
    name = type(error).__name__
    if isinstance(error, (*NOT_ACCEPTED, NotUnderstood)):
        return f"{name} {error}"
    frames = extract_tb(error.__traceback__)
    return f"{name} at {PurePath(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else name
