"""Putting orgs and people on file."""

from flask import Flask

from bench.harness import Bench, Work, empty
from core.audit.services import SYSTEM
from core.config import ROOT
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.making import make_people

DIVISIONS = ROOT / "core" / "org" / "data" / "divisions-shaanxi.csv"
ON_FILE = 136_000
SEED = 2014


def _orgs(_app: Flask) -> Work:
    return Work(run=lambda: load_divisions(SYSTEM, DIVISIONS), reset=lambda: empty("core_org"))


def _people(_app: Flask) -> Work:
    load_divisions(SYSTEM, DIVISIONS)
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    return Work(
        run=lambda: make_people(SYSTEM, ON_FILE, SEED, province),
        reset=lambda: empty("core_person"),
    )


BENCHES = [
    Bench("orgs.load", n=len(DIVISIONS.read_text().splitlines()) - 1, aim=5, prepare=_orgs),
    Bench("people.make", n=ON_FILE, aim=20, prepare=_people),
]
