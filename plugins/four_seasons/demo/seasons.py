"""The other seasons of 2014, and the table of the year's end beside what the documents say."""

import csv
import html
import re
from dataclasses import dataclass

from core.api import split_by_weight, yuan
from plugins.four_seasons.demo.browser import Browser, fen, number, table_rows
from plugins.four_seasons.demo.campaign import SPONSOR, YEAR, Demo
from plugins.four_seasons.demo.house import ROOT, DemoError

#: As many people make the figures of the documents; with fewer, what counts people comes out smaller.
EVERYBODY = 136_000
DIVISIONS = ROOT / "core" / "org" / "data"
YEAR_END = f"/{YEAR}/{SPONSOR}/four_seasons/year-end"
#: Figures of the documents (facts.csv): figure, whether of the sponsor itself, what they say, exactly or more ("over").
#: Money in yuan.
SAID = (
    ("winter_warmth-raised", True, 11_000_000, "exact"),
    ("winter_warmth-raised", False, 125_000_000, "exact"),
    ("winter_warmth-workers", False, 136_000, "exact"),
    ("spring_jobs-employers", False, 2_000, "over"),
    ("spring_jobs-placed", False, 22_194, "exact"),
    ("summer_coolness-units", True, 13, "exact"),
    ("summer_coolness-raised", True, 500_000, "exact"),
    ("summer_coolness-raised", False, 20_000_000, "exact"),
    ("autumn_study_aid-raised", True, 3_000_000, "exact"),
    ("autumn_study_aid-raised", False, 30_480_000, "exact"),
    ("autumn_study_aid-students", False, 14_417, "exact"),
)
AUTUMN_BASE = f"/{YEAR}/{SPONSOR}/autumn_study_aid"
AUTUMN_FUNDED_ON, AUTUMN_ON = "2014-08-20", "2014-08-25"
STUDY_AID_YUAN, FROM_PROVINCE_YUAN = 30_480_000, 3_000_000
BASES = ("on_file", "difficult")
#: Figures that count people on file.
OF_PEOPLE = {"winter_warmth-workers", "spring_jobs-placed", "autumn_study_aid-students"}


@dataclass(frozen=True)
class Line:
    """A figure as it was computed from the records, beside the one of the documents: people, units or yuan."""

    name: str
    computed: int
    seed: int
    qualifier: str
    is_compared: bool

    @property
    def wrong(self) -> str:
        """What does not fit, if anything: equal where the documents are exact, not below where they say "over"."""
        fits = self.computed == self.seed if self.qualifier == "exact" else self.computed >= self.seed
        if fits or not self.is_compared:
            return ""
        return f"{self.name} came to {self.computed}, the documents say {self.qualifier} {self.seed}"


def replay(demo: Demo) -> list[Line]:
    """Spring, summer and autumn, then the table. Raises :class:`DemoError` where it stops."""
    with demo.phase("spring"):
        demo.enable("spring_jobs", {"employers": "2000", "placed": "22194"})
        make(demo, "spring_jobs")
    with demo.phase("summer"):
        demo.enable("summer_coolness", {})
        make(demo, "summer_coolness")
    with demo.phase("autumn"):
        _autumn(demo)
    with demo.phase("year-end"):
        demo.enable("four_seasons", {})
        return year_end(demo, demo.browser("leader"))


def make(demo: Demo, season: str) -> None:
    """The fictional records of a season."""
    options = ["--year", YEAR, "--sponsor", SPONSOR, "--user", "finance"]
    demo.house.zhijia("four-seasons", "make-season", season, *options)


def _autumn(demo: Demo) -> None:
    """Applications, a run that shares the pool among them, the money for it, its approval and posting."""
    amounts = {f"{level}_{basis}": "2000" for level in ("senior", "junior", "bachelor") for basis in BASES}
    pool = {"rule": "pool", "pool": f"{STUDY_AID_YUAN}", "province_fund": f"{FROM_PROVINCE_YUAN}"}
    demo.enable("autumn_study_aid", amounts | pool | {"notice_working_days": "0"})
    make(demo, "autumn_study_aid")
    clerk, reviewer, finance = (demo.browser(role) for role in ("clerk", "reviewer", "finance"))
    run_id = demo.new_run(clerk, AUTUMN_BASE, "four_seasons.autumn", "2014年金秋助学")
    url = f"{AUTUMN_BASE}/runs/{run_id}"
    _raise(demo, finance, _needs(clerk.get(f"{url}/preview").text))
    demo.compute(clerk, AUTUMN_BASE, run_id)
    clerk.get(url)
    clerk.post(f"{url}/submit")
    reviewer.get(url)
    demo.decide(reviewer, url, "同意", expect=200)
    demo.post(finance, AUTUMN_BASE, run_id, AUTUMN_ON)


def _needs(preview: str) -> dict[str, int]:
    """What each paying union needs by the preview of a run: its code and fen."""
    cities: dict[str, str] = {}
    for name in ("divisions-shaanxi.csv", "unions-61.csv"):
        with (DIVISIONS / name).open(encoding="utf-8") as file:
            cities |= {row["name"]: row["code"] for row in csv.DictReader(file) if row["level"] == "city"}
    amounts = {row[0]: fen(row[3]) for row in table_rows(preview) if len(row) == 6}
    found = {code: amounts[union] for union in amounts for name, code in cities.items() if union.startswith(name)}
    if len(found) != len(amounts) or sum(found.values()) != STUDY_AID_YUAN * 100:
        raise DemoError(f"The preview of study aid names {amounts}, and not the whole pool at the cities.")
    return found


def _raise(demo: Demo, finance: Browser, needs: dict[str, int]) -> None:
    """The province's part goes down by what each city needs, who raise the rest themselves: fen."""
    given = dict(zip(needs, split_by_weight(FROM_PROVINCE_YUAN * 100, list(needs.values())), strict=True))
    budget, day, why, password = f"{AUTUMN_BASE}/budget", AUTUMN_FUNDED_ON, "金秋助学", demo.password
    finance.get(f"{budget}/")
    raised = {SPONSOR: FROM_PROVINCE_YUAN * 100} | {code: need - given[code] for code, need in needs.items()}
    for code, amount in raised.items():
        finance.post(
            f"{budget}/own-funds", key=f"demo-{code}", org_code=code, source="union", amount=yuan(amount),
            effective_on=day, description=why, password=password,
        )  # fmt: skip
    shares = ",".join(f"{code} {amount}" for code, amount in given.items())
    finance.post(
        f"{budget}/allot", key="demo-down", giver=SPONSOR, source="union", level="", way="table",
        amount=str(FROM_PROVINCE_YUAN), shares=shares, effective_on=day, description=why, password=password,
    )  # fmt: skip


def year_end(demo: Demo, reader: Browser) -> list[Line]:
    """The table as its page shows it; each cell must open rows that come to the same."""
    page = reader.get(YEAR_END).text
    found = []
    for figure, own, seed, qualifier in SAID:
        address = f"{YEAR_END}/{figure}{'?own=1' if own else ''}"
        computed = _opened(reader, page, address)
        name = f"{figure} {'province' if own else 'all levels'}"
        is_compared = figure not in OF_PEOPLE or demo.people == EVERYBODY
        found.append(Line(name, computed, seed, qualifier, is_compared))
    return found


def _opened(reader: Browser, page: str, address: str) -> int:
    """What a cell says: a count, or the yuan that the rows behind it come to, which are few."""
    cell = re.search(rf'href="{re.escape(address)}">([0-9.,]+)<', page)
    if cell is None:
        return 0
    if "-raised" not in address:
        return number(cell[1])
    total, at = 0, address
    while at:
        text = reader.get(at).text
        total += sum(fen(row[2]) for row in table_rows(text))
        following = re.search(r'href="([^"]+)" rel="next"', text)
        at = html.unescape(following[1]) if following else ""
    if total != fen(cell[1]) * 10_000:
        raise DemoError(f"The rows behind {address} come to {total} fen, the cell says {cell[1]}.")
    return total // 100
