"""Return files: every refusal, every rule at its boundary, and that nothing is ever taken over twice or by half."""

import threading
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select, update

from core.audit.models import AuditLine
from core.disbursements import payout
from core.disbursements.banking import returns
from core.disbursements.banking.models import BankReturn, PaymentResult, ReturnFault
from core.disbursements.models import BankFile, Payment, Run
from core.disbursements.verify_all import checks
from core.errors import Forbidden, Refused
from core.extensions import db
from core.jobs.models import Job
from core.ledger.models import Activity, BudgetLine, Entry
from core.users.access import today
from core.users.testing import MakeUser
from core.wall import beyond_scope
from tests.disbursements.banking import HEADINGS, as_csv, payments, row, send_in, sent
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services


@pytest.fixture
def run(campaign: Campaign) -> Run:
    """Seven payments at the bank: 14.29 four times and 14.28 three times."""
    campaign.fund(10_000, "6101", "6102", "6111")
    return sent(campaign)


def codes(one: BankReturn) -> list[tuple[int, str, str]]:
    """Line, column and code of each fault."""
    query = select(ReturnFault).where(ReturnFault.return_id == one.id).order_by(ReturnFault.no)
    return [(fault.line, fault.field, fault.code) for fault in db.session.scalars(query)]


def results() -> dict[int, str]:
    return dict(db.session.execute(select(PaymentResult.payee_id, PaymentResult.state)).all())


def assert_sound() -> None:
    found = list(checks())
    assert [finding.sentence for finding in found] == []


def used(campaign: Campaign, code: str) -> int:
    line = select(BudgetLine.used_fen).where(BudgetLine.org_id == campaign.orgs[code].id)
    return db.session.scalars(line).one()


def test_a_whole_file_settles_the_run_and_failed_lines_are_reversed(campaign: Campaign, run: Run) -> None:
    lines = payments(run)
    rows = [row(line) for line in lines[1:-1]]
    rows += [row(lines[0], "failed", reason="账号与户名不符"), row(lines[-1], "-1")]
    one = send_in(campaign, run, as_csv(rows))
    assert (one.state, one.paid, one.failed, one.total_fen) == ("taken", 5, 2, 1429 + 1428)
    assert run.state == "settled"
    assert [line.returned for line in payments(run)] == [True, *[False] * 5, True]
    first = db.session.get_one(PaymentResult, (run.id, lines[0].payee_id))
    assert (first.reason, first.on_day.isoformat(), first.return_id) == ("账号与户名不符", "2014-01-25", one.id)
    entries = db.session.scalars(select(Entry).where(Entry.scope == "run-return").order_by(Entry.org_path)).all()
    assert [(entry.org_path, [(leg.account.code, leg.amount_fen) for leg in entry.legs]) for entry in entries] == [
        ("/61/6101/", [("102", 1429), ("50205", -1429)]),
        ("/61/6111/", [("102", 1428), ("50205", -1428)]),
    ]
    assert (used(campaign, "6101"), used(campaign, "6102"), used(campaign, "6111")) == (5716 - 1429, 2856, 0)
    activity = db.session.scalars(select(Activity).where(Activity.entry_id == entries[0].id)).one()
    assert "退回 1 笔，14.29 元" in activity.data["result"]
    assert_sound()


def test_pending_lines_wait_for_another_file(campaign: Campaign, run: Run) -> None:
    lines = payments(run)
    rows = [row(lines[0]), row(lines[1], ""), row(lines[2], "pending"), *map(row, lines[3:])]
    one = send_in(campaign, run, as_csv(rows))
    assert (one.state, one.paid, one.failed, run.state) == ("taken", 5, 0, "sent")
    two = send_in(campaign, run, as_csv([row(lines[1], "成功"), row(lines[2], "失败")]))
    assert (two.paid, two.failed, run.state) == (1, 1, "settled")
    assert_sound()


def test_an_amount_stands_for_its_result(campaign: Campaign, run: Run) -> None:
    lines = payments(run)
    rows = [row(lines[0], "14.29"), row(lines[1], "0"), row(lines[2], "0.00", amount=""), row(lines[3], "1,4.29元")]
    one = send_in(campaign, run, as_csv(rows))
    assert (one.state, one.paid, one.failed) == ("taken", 2, 2)


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"reference": ""}, ("reference", "reference_missing")),
        ({"reference": "R{run}-999999"}, ("reference", "reference_unknown")),
        ({"reference": "12-3"}, ("reference", "reference_unknown")),
        ({"reference": "R999-{payee}"}, ("reference", "reference_of_another_run")),
        ({"result": "done"}, ("result", "code_unknown")),
        ({"result": "-2"}, ("result", "code_unknown")),
        ({"result": "14.30"}, ("result", "larger")),
        ({"result": "14.28"}, ("result", "partial")),
        ({"result": "0.01"}, ("result", "partial")),
        ({"result": "14.295"}, ("result", "amount_decimals")),
        ({"amount": "14.30"}, ("amount", "larger")),
        ({"amount": "14.28"}, ("amount", "partial")),
        ({"amount": "0"}, ("amount", "partial")),
        ({"amount": "14.295"}, ("amount", "amount_decimals")),
        ({"amount": "-14.29"}, ("amount", "amount_bad")),
        ({"day": "2014-02-30"}, ("day", "day_bad")),
        ({"day": "昨天"}, ("day", "day_bad")),
        ({"day": "tomorrow"}, ("day", "day_future")),
    ],
)
def test_one_wrong_cell_keeps_the_whole_file_out(
    campaign: Campaign, run: Run, cells: dict[str, str], fault: tuple[str, str]
) -> None:
    first, second, *_rest = payments(run)
    cells = {name: text.format(run=run.id, payee=first.payee_id) for name, text in cells.items()}
    if cells.get("day") == "tomorrow":
        cells["day"] = (today() + timedelta(days=1)).isoformat()
    result = cells.pop("result", "full")
    one = send_in(campaign, run, as_csv([row(second), row(first, result, **cells)]))
    assert (one.state, codes(one)) == ("refused", [(3, *fault)])
    assert results() == {}
    assert (run.state, used(campaign, "6101")) == ("sent", 5716)
    assert db.session.scalars(select(Payment.payee_id).where(Payment.returned)).all() == []


def test_the_day_of_today_is_no_day_to_come(campaign: Campaign, run: Run) -> None:
    one = send_in(campaign, run, as_csv([row(payments(run)[0], day=today().isoformat())]))
    assert one.state == "taken"


def test_another_currency_is_refused_and_ours_is_known_by_its_names(campaign: Campaign, run: Run) -> None:
    first, second, third, *_rest = payments(run)
    rows = [(*row(first), "USD"), (*row(second), "人民币"), (*row(third), "cny")]
    one = send_in(campaign, run, as_csv(rows, [*HEADINGS, "币种"]))
    assert codes(one) == [(2, "currency", "currency")]


def test_every_wrong_cell_has_its_line(campaign: Campaign, run: Run) -> None:
    first, second, *_rest = payments(run)
    rows = [row(first, "x", day="x"), row(second), row(second), row(second, "failed")]
    one = send_in(campaign, run, as_csv(rows))
    assert codes(one) == [
        (2, "day", "day_bad"),
        (2, "result", "code_unknown"),
        (4, "reference", "twice"),
        (5, "reference", "twice"),
    ]
    assert one.faults == 4


def test_what_is_final_is_not_said_otherwise(campaign: Campaign, run: Run) -> None:
    first, second, *_rest = payments(run)
    send_in(campaign, run, as_csv([row(first), row(second, "failed")]))
    one = send_in(campaign, run, as_csv([row(first, "failed"), row(second, "full")]))
    assert codes(one) == [(2, "result", "was_paid"), (3, "result", "was_failed")]
    assert results() == {first.payee_id: "paid", second.payee_id: "failed"}
    again = send_in(campaign, run, as_csv([row(first, ""), row(second, "0"), row(_rest[0])]))
    assert (again.state, again.paid, again.failed) == ("taken", 1, 0)
    assert_sound()


def test_the_same_file_and_the_same_results_are_nothing_new(campaign: Campaign, run: Run) -> None:
    content = as_csv([row(line, "failed") for line in payments(run)])
    one = send_in(campaign, run, content)
    assert send_in(campaign, run, content).id == one.id
    two = send_in(campaign, run, content + b"\r\n")
    assert (two.state, two.paid, two.failed, run.state) == ("taken", 0, 0, "settled")
    assert len(db.session.scalars(select(Entry).where(Entry.scope == "run-return")).all()) == 3
    assert_sound()


def test_a_file_that_was_refused_can_be_sent_again(campaign: Campaign, run: Run) -> None:
    first, *_rest = payments(run)
    send_in(campaign, run, as_csv([row(first, "failed")]))
    content = as_csv([row(first)])
    assert send_in(campaign, run, content).id != send_in(campaign, run, content).id


def test_the_file_of_another_run_is_refused_in_one_sentence(campaign: Campaign, run: Run) -> None:
    rows = [(row(line)[0].replace(f"R{run.id}-", "R77-"), *row(line)[1:]) for line in payments(run)]
    one = send_in(campaign, run, as_csv(rows))
    assert (one.state, codes(one)) == ("refused", [])
    assert "77" in (one.said or "")


def test_a_file_that_is_none_is_refused_in_one_sentence(campaign: Campaign, run: Run) -> None:
    line = payments(run)[0]
    empty = send_in(campaign, run, as_csv([]))
    without = send_in(campaign, run, as_csv([row(line)[:1]], HEADINGS[:1]))
    twice = send_in(campaign, run, as_csv([row(line)], [*HEADINGS[:4], "参考号"]))
    broken = send_in(campaign, run, b"PK\x03\x04", "回盘.xlsx")
    assert [one.state for one in (empty, without, twice, broken)] == ["refused"] * 4
    assert all(one.said for one in (empty, without, twice, broken))


def test_headings_are_known_in_both_languages_and_in_any_order(campaign: Campaign, run: Run) -> None:
    line = payments(run)[0]
    reference, result, amount, reason, day = row(line, "failed", reason="closed")
    english = as_csv([(day, reason, amount, result, reference)], ("Date", "reason", "Amount", "Result", "Reference"))
    assert send_in(campaign, run, english).failed == 1
    other = payments(run)[1]
    assert send_in(campaign, run, as_csv([row(other)], encoding="gb18030")).paid == 1


def foot(run: Run, code: str = "6101") -> tuple[list[Payment], BankFile]:
    """The payments of one union and its bank file."""
    file = db.session.scalars(select(BankFile).where(BankFile.name.contains(f"-{code}-"))).one()
    return [line for line in payments(run) if line.chunk_org_id == file.org_id], file


def test_a_file_that_names_our_check_code_must_answer_all_its_lines(campaign: Campaign, run: Run) -> None:
    lines, file = foot(run)
    assert file.lines_digest is not None
    code = ("校验码", file.lines_digest.hex(), "", "", "")
    rows = [row(line) for line in reversed(lines)]
    for changed in (rows[1:], [*rows, row(payments(run)[-1])]):
        one = send_in(campaign, run, as_csv([*changed, code]))
        assert (one.state, codes(one)) == ("refused", [])
        assert any(word in (one.said or "") for word in ("校验码", "check code"))
    foreign = send_in(campaign, run, as_csv([*rows, ("校验码", "0" * 64, "", "", "")]))
    assert foreign.state == "refused"
    assert send_in(campaign, run, as_csv([*rows, code])).paid == 4


def test_an_edited_amount_shows_in_the_check_code_and_in_its_line(campaign: Campaign, run: Run) -> None:
    lines, file = foot(run)
    assert file.lines_digest is not None
    rows = [row(lines[0], amount="14.30"), *map(row, lines[1:])]
    one = send_in(campaign, run, as_csv([*rows, ("校验码", file.digest.hex(), "", "", "")]))
    assert one.said is not None
    assert codes(one) == [(2, "amount", "larger")]


@pytest.mark.parametrize(
    ("total", "is_right"),
    [("57.16", True), ("42.87", True), ("57.15", False), ("0", False), ("x", False)],
)
def test_the_control_totals_of_the_foot_are_those_of_the_lines(
    campaign: Campaign, run: Run, total: str, is_right: bool
) -> None:
    lines, _file = foot(run)
    rows = [row(lines[0], "failed", amount="0"), *map(row, lines[1:]), ("合计", "4笔", total, "", "")]
    one = send_in(campaign, run, as_csv(rows))
    assert (one.state == "taken") is is_right


def test_the_foot_counts_the_lines(campaign: Campaign, run: Run) -> None:
    lines, _file = foot(run)
    assert send_in(campaign, run, as_csv([*map(row, lines), ("合计", "5笔", "", "", "")])).state == "refused"
    assert send_in(campaign, run, as_csv([*map(row, lines), ("合计", "4", "", "", "")])).state == "taken"


def test_only_who_posts_there_sends_files_in_and_only_for_their_part(
    campaign: Campaign, run: Run, make_user: MakeUser
) -> None:
    lines = payments(run)
    for stranger in (campaign.clerk, make_user("finance", "61-transport")):
        with pytest.raises(Forbidden):
            returns.upload(stranger, run, BytesIO(as_csv([row(lines[0])])), "x.csv")
    city = make_user("finance", "6111")
    one = send_in(campaign, run, as_csv([row(lines[0]), row(lines[-1])]), by=city)
    assert codes(one) == [(2, "reference", "reference_unknown")]
    assert send_in(campaign, run, as_csv([row(lines[-1])]), by=city).paid == 1


def test_a_run_that_is_not_at_the_bank_takes_no_file(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    with pytest.raises(Refused):
        returns.upload(campaign.finance, run, BytesIO(as_csv([row(payments(run)[0])])), "x.csv")
    assert db.session.scalars(select(BankReturn)).all() == []


def test_a_job_that_was_killed_is_run_again_with_the_same_result(
    campaign: Campaign, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = as_csv([row(line, "failed") for line in payments(run)])
    one = returns.upload(campaign.finance, run, BytesIO(content), "回盘.csv")

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    for place in ("reverse_failed", "settle"):
        with monkeypatch.context() as patch:
            patch.setattr(returns, place, die)
            with pytest.raises(KeyboardInterrupt):
                returns.take_in(campaign.finance, one.id, lambda _done, _all: None)
        assert results() == {}
        assert db.session.scalars(select(Entry).where(Entry.scope == "run-return")).all() == []
    for _again in range(2):
        returns.take_in(campaign.finance, one.id, lambda _done, _all: None)
    db.session.expire_all()
    assert (one.failed, run.state) == (7, "settled")
    db.session.execute(update(Job).values(state="done"))
    assert_sound()


def test_two_files_at_the_same_moment_take_each_line_over_once(campaign: Campaign, run: Run, app: Flask) -> None:
    lines = payments(run)
    contents = [as_csv([row(line, "failed") for line in lines]), as_csv([row(line, "0") for line in lines])]
    ids = [returns.upload(campaign.finance, run, BytesIO(content), "x.csv").id for content in contents]
    user_id, start = campaign.finance.id, threading.Barrier(2)
    db.session.commit()

    def take(return_id: int) -> None:
        with app.app_context(), beyond_scope("a test"):
            user = db.session.get_one(type(campaign.finance), user_id)
            start.wait()
            returns.take_in(user, return_id, lambda _done, _all: None)

    workers = [threading.Thread(target=take, args=(return_id,)) for return_id in ids]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    db.session.expire_all()
    taken = [db.session.get_one(BankReturn, return_id) for return_id in ids]
    assert sorted(one.failed for one in taken) == [0, 7]
    assert [one.state for one in taken] == ["taken", "taken"]
    assert_sound()


def test_a_file_whose_reading_broke_down_is_read_when_it_is_sent_again(campaign: Campaign, run: Run) -> None:
    content = as_csv([row(line) for line in payments(run)])
    one = returns.upload(campaign.finance, run, BytesIO(content), "回盘.csv")
    db.session.execute(update(Job).where(Job.state == "queued").values(state="failed"))
    db.session.commit()
    again = send_in(campaign, run, content)
    assert (again.id, again.state, run.state) == (one.id, "taken", "settled")


def test_sending_in_and_taking_over_are_on_record(campaign: Campaign, run: Run) -> None:
    send_in(campaign, run, as_csv([row(line) for line in payments(run)]))
    actions = set(db.session.scalars(select(AuditLine.action).where(AuditLine.object == f"run:{run.id}")))
    assert {"run.return_file", "run.results", "run.settle"} <= actions
