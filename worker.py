"""The headless side: RQ workers and the clock, no web. ``python worker.py --processes 2``."""

import argparse
import sys

from core import create_app, logs
from core.database import Base
from core.embedded.versions import check_servers
from core.errors import ZhijiaError
from core.jobs.supervisor import Supervisor
from core.plugin.types import QUEUES


def main(arguments: list[str] | None = None) -> int:
    """Run workers until SIGTERM, or with ``--burst`` until no job is left. Exit code 1: a job failed in the burst."""
    options = _parser().parse_args(arguments)
    logs.configure()
    try:
        app = create_app()
        check_servers(app.config["SQLALCHEMY_DATABASE_URI"], app.config["ZHIJIA_REDIS_URL"])
        # Once, before the fork: every worker and every job then shares these pages of memory.
        Base.registry.configure(cascade=True)
    except ZhijiaError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return Supervisor(app, processes=options.processes, queues=options.queues, burst=options.burst).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="worker.py", description="Runs the background jobs of Zhijia.")
    parser.add_argument("--processes", type=_positive, default=2, help="how many jobs may run at once (default 2)")
    order = "which queues, the most urgent first (default money,default,bulk)"
    parser.add_argument("--queues", type=_queues, default=list(QUEUES), help=order)
    parser.add_argument("--burst", action="store_true", help="end when no job is left; exit code 1 if one failed")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
    return int(text)


def _queues(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in QUEUES]:
        raise argparse.ArgumentTypeError(f"there is no queue {unknown[0]!r}; there are {', '.join(QUEUES)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
