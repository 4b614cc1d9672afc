"""How often the jobs machinery looks after its work: all of it follows from one number, ``ZHIJIA_JOB_HEARTBEAT``."""

from dataclasses import dataclass

from flask import current_app

from core.config import Settings


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. ``heartbeat`` is how often a running job says that it is alive."""

    heartbeat: float = 5.0

    @property
    def stale(self) -> float:
        """A running job that was silent for so long is taken back from its worker."""
        return self.heartbeat * 6

    @property
    def resend(self) -> float:
        """A queued job that nobody claimed for so long has its message looked for, and sent again if it is gone."""
        return self.heartbeat * 3

    @property
    def tick(self) -> float:
        """The clock looks around so often."""
        return self.heartbeat * 0.4

    def back_off(self, attempt: int) -> float:
        """The wait before the next attempt, doubled each time."""
        return self.heartbeat * float(2 ** (attempt - 1))


def timings_of_app() -> Timings:
    """The timings of the current app."""
    settings: Settings = current_app.extensions["zhijia_settings"]
    return Timings(settings.job_heartbeat)
