"""The ledger is tested with the campaign of the runs."""

from tests.disbursements.conftest import campaign, plugins

__all__ = ["campaign", "plugins"]
