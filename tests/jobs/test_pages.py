"""The pages of the jobs: who sees which, what they say, and who may retry."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.audit.services import SYSTEM
from core.extensions import db
from core.jobs.messages import queue_named, redis_of
from core.jobs.services import enqueue
from core.plugin.registry import registry_of
from core.users.testing import AsUser
from tests.jobs.conftest import fresh

pytestmark = pytest.mark.usefixtures("small_tree")
HTMX = {"HX-Request": "true"}


def ask(path: str = "/61/", **values: object) -> int:
    """A committed job at an org, with some columns set; the id."""
    job = enqueue("sample.refuse", SYSTEM, path)
    for name, value in values.items():
        setattr(job, name, value)
    db.session.commit()
    return job.id


def failed(path: str = "/61/") -> int:
    """A failed job; the id."""
    return ask(path, state="failed", attempt=1, error="The budget is used up.", error_detail="Traceback: line 7")


def test_who_is_not_logged_in_sees_nothing(app: Flask, client: FlaskClient) -> None:
    assert client.get("/jobs/").status_code == 302
    assert client.post(f"/jobs/{failed()}/retry").status_code == 302


def test_a_job_out_of_scope_looks_as_if_there_were_none(as_user: AsUser) -> None:
    province, city = failed("/61/"), failed("/61/6101/")
    clerk = as_user("clerk", "6101")
    assert f"#{city}<" in clerk.get("/jobs/").text
    assert f"#{province}<" not in clerk.get("/jobs/").text
    assert clerk.get(f"/jobs/{city}").status_code == 200
    assert clerk.get(f"/jobs/{province}").status_code == 404
    assert clerk.get("/jobs/4242").status_code == 404


def test_a_grant_for_one_program_shows_its_jobs_only(as_user: AsUser, program_year_id: int) -> None:
    other, own = failed("/61/6101/"), ask("/61/6101/", program_year_id=program_year_id)
    clerk = as_user("clerk", "6101", program="sample")
    assert clerk.get(f"/jobs/{own}").status_code == 200
    assert clerk.get(f"/jobs/{other}").status_code == 404
    assert as_user("clerk", "6102", program="sample").get(f"/jobs/{own}").status_code == 404


def test_only_who_may_retry_can_retry_and_sees_the_traceback(as_user: AsUser) -> None:
    job_id = failed("/61/6101/")
    clerk = as_user("clerk", "6101")
    page = clerk.get(f"/jobs/{job_id}").text
    assert "The budget is used up." in page
    assert "Traceback" not in page
    assert f"/jobs/{job_id}/retry" not in page
    assert clerk.post(f"/jobs/{job_id}/retry").status_code == 403
    assert clerk.post(f"/jobs/{job_id}/cancel").status_code == 403
    assert fresh(job_id).state == "failed"


def test_an_administrator_of_another_city_cannot_retry(as_user: AsUser) -> None:
    job_id = failed("/61/6101/")
    assert as_user("admin", "6102").post(f"/jobs/{job_id}/retry").status_code == 404
    assert fresh(job_id).state == "failed"


def test_a_retry_without_the_token_is_refused(as_user: AsUser) -> None:
    job_id = failed()
    answer = as_user("admin").post(f"/jobs/{job_id}/retry", csrf=False)
    assert (answer.status_code, fresh(job_id).state) == (400, "failed")


def test_the_administrator_retries_a_failed_job(as_user: AsUser) -> None:
    job_id = failed()
    redis_of().flushdb()
    admin = as_user("admin")
    page = admin.get(f"/jobs/{job_id}").text
    assert "Traceback: line 7" in page
    assert f"/jobs/{job_id}/retry" in page
    assert admin.post(f"/jobs/{job_id}/retry").status_code == 302
    assert fresh(job_id).state == "queued"
    assert queue_named("default", redis_of()).get_job_ids() == [f"job-{job_id}-1"]
    assert admin.post(f"/jobs/{job_id}/retry").status_code == 409


def test_the_administrator_cancels_a_job_that_waits(as_user: AsUser) -> None:
    job_id = ask()
    admin = as_user("admin")
    assert f"/jobs/{job_id}/cancel" in admin.get(f"/jobs/{job_id}").text
    assert admin.post(f"/jobs/{job_id}/cancel").status_code == 302
    assert fresh(job_id).state == "skipped"


def test_a_job_at_work_shows_its_progress_and_the_page_reads_itself_again(as_user: AsUser) -> None:
    ask(state="running", progress_done=25, progress_total=100, message="西安市")
    leader = as_user("leader")
    page = leader.get("/jobs/").text
    assert 'value="25" max="100"' in page
    assert 'hx-trigger="every 2s"' in page
    assert "西安市" in page
    fragment = leader.get("/jobs/", headers=HTMX).text
    assert "<html" not in fragment
    assert 'id="jobs"' in fragment


def test_a_job_that_ended_stands_still(as_user: AsUser) -> None:
    job_id = ask(state="done")
    leader = as_user("leader")
    assert "hx-get" not in leader.get(f"/jobs/{job_id}", headers=HTMX).text
    assert 'hx-trigger="every 15s"' in leader.get("/jobs/").text


def test_a_filter_shows_one_state_and_an_unknown_one_all(as_user: AsUser) -> None:
    waiting, broken = ask(), failed()
    leader = as_user("leader")
    page = leader.get("/jobs/?state=failed").text
    assert f"/jobs/{broken}" in page
    assert f"/jobs/{waiting}" not in page
    assert f"/jobs/{waiting}" in leader.get("/jobs/?state=nonsense").text


def test_a_long_list_goes_on_below(as_user: AsUser) -> None:
    ids = [ask(state="done") for _number in range(31)]
    leader = as_user("leader")
    page = leader.get("/jobs/").text
    assert f"before={ids[1]}" in page
    below = leader.get(f"/jobs/?before={ids[1]}").text
    assert f"#{ids[0]}<" in below
    assert f"#{ids[1]}<" not in below


def test_a_job_without_its_plugin_reads_by_its_name(app: Flask, as_user: AsUser) -> None:
    failed()
    leader = as_user("leader")
    assert ">refuse</a>" in leader.get("/jobs/").text
    registry_of().jobs.clear()
    assert ">sample.refuse</a>" in leader.get("/jobs/").text


def test_an_empty_list_says_so(as_user: AsUser) -> None:
    assert 'class="empty"' in as_user("leader").get("/jobs/").text


def test_a_failed_job_waits_on_the_home_page_of_those_who_may_retry_it(as_user: AsUser) -> None:
    failed("/61/6101/")
    link = 'href="/jobs/?state=failed"'
    assert link in as_user("admin", "61").get("/").text
    assert link not in as_user("admin", "6102").get("/").text
    assert link not in as_user("clerk", "61").get("/").text
