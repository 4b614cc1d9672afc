"""From where something is done: the request or the job that runs now, as the audit trail keeps it."""

from typing import NamedTuple

from flask import g, has_app_context, has_request_context, request

_JOB = "audit_job"


class Origin(NamedTuple):
    """``reference`` is the number of the request or ``job:42``; none of it where a command or a test acts."""

    reference: str | None = None
    address: str | None = None
    program_year_id: int | None = None


def origin_now() -> Origin:
    """Where whatever runs now comes from."""
    if not has_app_context():
        return Origin()
    if not has_request_context():
        origin: Origin = g.get(_JOB, Origin())
        return origin
    program_year = g.get("program_year")
    return Origin(g.get("request_id"), request.remote_addr, program_year.id if program_year is not None else None)


def act_as_job(job_id: int, program_year_id: int | None) -> None:
    """What is done from now on in this context is done by this job."""
    setattr(g, _JOB, Origin(f"job:{job_id}", None, program_year_id))
