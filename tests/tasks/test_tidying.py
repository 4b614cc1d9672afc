"""Messages that were read long ago and the record of old mails go; what nobody has read stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.extensions import db
from core.tasks.jobs import tidy
from core.tasks.models import Mail, Message
from core.tasks.services import notify
from core.users.testing import MakeUser
from tests.tasks.conftest import REVIEW

pytestmark = pytest.mark.services


@pytest.mark.parametrize(("days", "is_left"), [(89, True), (91, False)])
def test_messages_go_ninety_days_after_they_were_read_and_unread_ones_stay(
    make_user: MakeUser, days: int, is_left: bool
) -> None:
    user = make_user("clerk")
    for number in range(2):
        notify(REVIEW, [user.id], f"record:{number}", data={"title": "x"})
    unread, read = db.session.scalars(select(Message).order_by(Message.id))
    for message in (unread, read):
        message.created_at = func.now() - timedelta(days=400)
    read.read_at = func.now() - timedelta(days=days)
    db.session.commit()
    expected = {unread.id, read.id} if is_left else {unread.id}
    tidy(None)  # type: ignore[arg-type]  # it asks for nothing
    assert set(db.session.scalars(select(Message.id))) == expected


@pytest.mark.parametrize(("days", "left"), [(29, 1), (31, 0)])
def test_the_record_of_mails_goes_after_thirty_days(make_user: MakeUser, days: int, left: int) -> None:
    db.session.add(Mail(user_id=make_user("clerk").id, created_at=func.now() - timedelta(days=days)))
    db.session.commit()
    tidy(None)  # type: ignore[arg-type]  # it asks for nothing
    assert db.session.query(Mail).count() == left
