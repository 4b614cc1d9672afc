"""The other seasons of 2014, and the table of the year's end beside what the documents say."""

import html
import re
from dataclasses import dataclass

from plugins.four_seasons.demo.browser import Browser, fen, number, table_rows
from plugins.four_seasons.demo.campaign import SPONSOR, YEAR, Demo
from plugins.four_seasons.demo.house import DemoError

#: As many people make the figures of the documents; with fewer, what counts people comes out smaller.
EVERYBODY = 136_000
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
    with demo.phase("year-end"):
        demo.enable("four_seasons", {})
        return year_end(demo, demo.browser("leader"))


def make(demo: Demo, season: str) -> None:
    """The fictional records of a season."""
    demo.house.zhijia("four-seasons", "make-season", season, "--year", YEAR, "--sponsor", SPONSOR)


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
