"""Reading program years: which there are, which a user sees, and what state they are in."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from sqlalchemy import and_, false, or_, select

from core.audit.services import SYSTEM, Actor
from core.extensions import db
from core.org.models import Org
from core.org.queries import visible
from core.org.scope import Scope
from core.plugin.registry import registry_of
from core.programs.models import FIRST_YEAR, LAST_YEAR, ProgramYear, SettingsVersion
from core.users.access import scope_of, today
from core.users.models import User

State = Literal["off", "upcoming", "open", "closed"]
DEFAULT_PERMISSION = "program.view"
MANAGE = "program.manage"


def find(year: int, sponsor_code: str, program: str) -> ProgramYear | None:
    """The program year at the address ``/<year>/<sponsor>/<program>``, on or off."""
    if not FIRST_YEAR <= year <= LAST_YEAR or "\0" in sponsor_code + program:
        return None  # the database could not even be asked
    return db.session.scalar(
        select(ProgramYear)
        .join(Org, Org.id == ProgramYear.org_id)
        .where(ProgramYear.year == year, ProgramYear.program == program, Org.code == sponsor_code)
    )


def by_id(program_year_id: int) -> ProgramYear | None:
    """The program year with this id, on or off."""
    return db.session.get(ProgramYear, program_year_id)


def state_of(program_year: ProgramYear, day: date | None = None) -> State:
    """Off, upcoming, open or closed on ``day`` (today in Asia/Shanghai); both its dates are inclusive."""
    day = day or today()
    if not program_year.enabled:
        return "off"
    if program_year.closed_at or (program_year.closes_on and program_year.closes_on < day):
        return "closed"
    return "upcoming" if day < program_year.opens_on else "open"


def sponsor_code(program_year: ProgramYear) -> str:
    """The code of the sponsor: the last part of its path."""
    return program_year.org_path.rstrip("/").rpartition("/")[2]


def title_of(program_year: ProgramYear, locale: str) -> str:
    """The title as it was when the year was enabled, so that it reads without the plugin."""
    return str(program_year.title.get(locale) or program_year.title.get("zh") or program_year.program)


def view_scope(user: User, program: str) -> Scope:
    """Where ``user`` may see the program; by the core's own permission when its plugin is gone."""
    loaded = registry_of().programs.get(program)
    return scope_of(user, loaded.view_permission if loaded else DEFAULT_PERMISSION, program)


def may_see(user: User, program_year: ProgramYear) -> bool:
    """Whether the sponsor lies in the user's scope or above it: a city sees what the province runs."""
    return view_scope(user, program_year.program).touches(program_year.org_path)


def visible_to(user: User, *, year: int | None = None) -> list[tuple[ProgramYear, Org]]:
    """Every enabled program year that ``user`` may see, with its sponsor: newest year first, then by program."""
    programs = db.session.scalars(select(ProgramYear.program).where(ProgramYear.enabled).distinct())
    loaded = registry_of().programs
    wanted = {code: loaded[code].view_permission if code in loaded else DEFAULT_PERMISSION for code in programs}
    return _listed(_scopes(user, wanted), year=year, enabled=True)


def managed_by(user: User) -> list[tuple[ProgramYear, Org]]:
    """Every program year, on or off, whose sponsor ``user`` manages."""
    programs = db.session.scalars(select(ProgramYear.program).distinct())
    return _listed(_scopes(user, dict.fromkeys(programs, MANAGE)), reaching_up=False)


def managed_of_year(actor: Actor, year: int) -> list[tuple[ProgramYear, Org]]:
    """The program years of ``year`` that are on and that ``actor`` manages; :data:`SYSTEM` manages all."""
    rows = everything() if actor is SYSTEM else managed_by(actor) if isinstance(actor, User) else []
    return [row for row in rows if row[0].year == year and row[0].enabled]


def managed_one(user: User, program_year_id: int) -> tuple[ProgramYear, Org] | None:
    """The program year with this id and its sponsor, if ``user`` manages the sponsor."""
    program_year = by_id(program_year_id) if program_year_id < 2**63 else None
    if program_year is None:
        return None
    scope = scope_of(user, MANAGE, program_year.program)
    sponsor = visible(scope, sponsor_code(program_year))
    return (program_year, sponsor) if sponsor else None


def sponsor_in(user: User, program: str, code: str) -> Org | None:
    """The union with this code, if ``user`` may switch the program on for it."""
    return visible(scope_of(user, MANAGE, program), code)


def sponsors_for(user: User, program: str) -> list[Org]:
    """The unions of province and city rank, the industry unions among them, that ``user`` may name as sponsor."""
    scope = scope_of(user, MANAGE, program)
    query = select(Org).where(scope.covers(Org.path), Org.level.in_(("province", "city")), Org.active)
    return list(db.session.scalars(query.order_by(Org.path)))


def everything() -> list[tuple[ProgramYear, Org]]:
    """Every program year, on or off: for the command line, which no scope binds."""
    query = select(ProgramYear, Org).join(Org, Org.id == ProgramYear.org_id)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(*_ORDER))]


_ORDER = (ProgramYear.year.desc(), ProgramYear.program, ProgramYear.org_path)


def _scopes(user: User, permissions: Mapping[str, str]) -> dict[str, Scope]:
    """The scope for each program's permission; asked once for all programs that no grant of the user singles out."""
    singled_out = {grant.program for grant in user.grants}
    known: dict[tuple[str, str | None], Scope] = {}
    scopes = {}
    for program, permission in permissions.items():
        key = (permission, program if program in singled_out else None)
        if key not in known:
            known[key] = scope_of(user, *key)
        scopes[program] = known[key]
    return scopes


def _listed(
    scopes: Mapping[str, Scope], *, year: int | None = None, enabled: bool = False, reaching_up: bool = True
) -> list[tuple[ProgramYear, Org]]:
    seen = or_(
        false(),
        *(
            and_(
                ProgramYear.program == program,
                scope.meets(ProgramYear.org_path) if reaching_up else scope.covers(ProgramYear.org_path),
            )
            for program, scope in scopes.items()
        ),
    )
    query = select(ProgramYear, Org).join(Org, Org.id == ProgramYear.org_id).where(seen)
    if year is not None:
        query = query.where(ProgramYear.year == year)
    if enabled:
        query = query.where(ProgramYear.enabled)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(*_ORDER))]


def settings_history(program_year: ProgramYear) -> list[SettingsVersion]:
    """The versions of the settings, the newest first."""
    return list(
        db.session.scalars(
            select(SettingsVersion)
            .where(SettingsVersion.program_year_id == program_year.id)
            .order_by(SettingsVersion.version.desc())
        )
    )


def open_year_ids(program: str) -> list[int]:
    """The ids of the program's years that are open today: those whose schedules come due."""
    years = db.session.scalars(
        select(ProgramYear).where(ProgramYear.program == program, ProgramYear.enabled).order_by(ProgramYear.id)
    )
    return [program_year.id for program_year in years if state_of(program_year) == "open"]
