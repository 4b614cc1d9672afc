"""Every column of bytes says what it holds, so that a change of the data key leaves none behind."""

from flask import Flask
from sqlalchemy import LargeBinary

from core.database import DIGEST, SEALED, metadata
from core.keys.columns import encrypted_tables

#: Digests without a key, of content that is no secret.
PLAIN = {
    "core_audit_seal.digest", "core_audit_seal.previous", "core_audit_seal.prints",
    "core_bank_file.digest", "core_bank_return.digest", "core_budget_move.basis_digest", "core_chain_head.digest",
    "core_entry.basis_digest", "core_entry.digest", "core_entry.previous", "core_file.digest", "core_hold.digest",
    "core_bank_file.lines_digest", "core_import.digest", "core_refusal.digest",
    "core_run.digest", "core_run_chunk.digest", "core_seal.digest", "core_session.digest",
    "core_statement.digest", "core_wall.inside", "core_wall.outside",
    "hardship_aid_outside_list.content",
}  # fmt: skip
#: Keyed digests of numbers that are kept nowhere: the list is uploaded again after a change of the key.
OF_NOTHING_KEPT = {"hardship_aid_outside.digest"}


def test_every_column_of_bytes_is_encrypted_or_a_digest_or_known_to_be_plain(app: Flask) -> None:
    found = {
        f"{table.name}.{column.name}": column.info
        for name, table in metadata.tables.items()
        if name.startswith(("core_", "four_seasons_", "hardship_aid_"))
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert {name for name, info in found.items() if not info.keys() & {SEALED, DIGEST}} == (
        PLAIN | OF_NOTHING_KEPT
    ) & found.keys()


def test_each_digest_is_of_a_column_that_is_encrypted(app: Flask) -> None:
    for one in encrypted_tables():
        assert {column.info[DIGEST][0] for column in one.digests} <= {column.name for column in one.sealed}
    assert "core_person" in {one.table.name for one in encrypted_tables()}
