"""What raw SQL, as a plugin or an injection would have it, makes of accounts: the roles and passwords of others."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.extensions import db
from core.org.models import Org
from core.users.access import reach_of
from core.users.testing import MakeUser
from core.wall import Reach
from tests.test_walls import as_far_as as as_far_as

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO core_grant (user_id, role, org_id, org_path) VALUES (:me, 'admin', :province, '/61/')",
        "INSERT INTO core_grant (user_id, role, org_id, org_path) VALUES (:above, 'clerk', :province, '/61/')",
        "UPDATE core_grant SET org_id = :province, org_path = '/61/' WHERE user_id = :me",
        "UPDATE core_grant SET user_id = :me WHERE user_id = :above",
        "DELETE FROM core_grant WHERE user_id = :above",
        "UPDATE core_user SET org_id = :beside, org_path = '/61/6101/610103/' WHERE id = :me",
    ],
)
def test_no_statement_gives_or_takes_a_role_out_of_reach(
    small_tree: dict[str, Org], make_user: MakeUser, as_far_as: Callable[[Reach], None], statement: str
) -> None:
    """Who holds a role above, and what one holds oneself, is seen from below; a role reaches as far as its union."""
    county, above = make_user("clerk", "610102"), make_user("admin")
    values = {"me": county.id, "above": above.id, "province": small_tree["61"].id, "beside": small_tree["610103"].id}
    as_far_as(reach_of(county))
    assert db.session.scalar(text("SELECT count(*) FROM core_grant WHERE user_id IN (:me, :above)"), values) == 2
    try:
        assert list(db.session.execute(text(statement + " RETURNING 1"), values)) == []
    except DBAPIError as error:
        assert "row-level security" in str(error.orig)


def test_no_statement_reads_the_passwords_of_users_above(
    small_tree: dict[str, Org], make_user: MakeUser, as_far_as: Callable[[Reach], None]
) -> None:
    """Their names are seen from below, under what they announced; what opens their accounts is not."""
    county, above, below = make_user("clerk", "610102"), make_user("admin"), make_user("clerk", "610102001")
    values = {"above": above.id, "own": county.id, "below": below.id}
    as_far_as(reach_of(county))
    assert db.session.scalar(text("SELECT count(*) FROM core_user WHERE id = :above"), {"above": above.id}) == 1
    seen = text("SELECT user_id FROM core_password WHERE user_id IN (:above, :own, :below) ORDER BY 1")
    assert db.session.scalars(seen, values).all() == [county.id, below.id]
    forged = text("UPDATE core_password SET hash = 'x' WHERE user_id = :above RETURNING 1")
    assert db.session.execute(forged, values).all() == []
