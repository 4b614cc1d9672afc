"""Approved applications of people on file, all fictional, for demonstrations and measurements."""

from datetime import date

from sqlalchemy import text

from core.api import Actor, ProgramYear, db, record, today

#: Of the year 2014 (facts.csv, autumn.students).
STUDENTS = 14_417
# Students are spread over the unions; the parent is the next on file in the order of the tree. Of ten three are at a
# senior school, four at a junior college, three study for a bachelor's degree.
_MAKE = text("""
WITH family AS (
    SELECT id, org_id, org_path, lead(id) OVER (ORDER BY org_path, id) AS parent_id,
           row_number() OVER (ORDER BY org_path, id) AS place
      FROM core_person WHERE starts_with(org_path, :sponsor_path) AND active AND bank_account_digest IS NOT NULL
), student AS (
    SELECT id, org_id, org_path, parent_id, row_number() OVER (ORDER BY place * 7919 % 10007, place) AS at
      FROM family WHERE place % 2 = 1 AND parent_id IS NOT NULL
       AND NOT EXISTS (
           SELECT FROM four_seasons_application a JOIN core_program_year y ON y.id = a.program_year_id
            WHERE a.person_id = family.id AND y.year = :year AND y.org_id = :sponsor)
     ORDER BY at LIMIT :count
)
INSERT INTO four_seasons_application (program_year_id, person_id, org_id, org_path, parent_id, basis, level, school,
                                      admitted_on, graduates_on, applied_on, state)
SELECT :year_id, id, org_id, org_path, parent_id, 'difficult',
       CASE WHEN at % 10 < 3 THEN 'senior' WHEN at % 10 < 7 THEN 'junior' ELSE 'bachelor' END,
       '虚构学校' || at % 200, :admitted, :graduates, :applied, 'approved'
  FROM student ORDER BY org_path, id
ON CONFLICT DO NOTHING
""")


def make_students(actor: Actor, program_year: ProgramYear, count: int = STUDENTS) -> int:
    """Make ``count`` approved applications, or as many as there are families on file; returns how many are new.

    The same people on file give the same applications. Nobody is on the hardship file as far as they say.
    """
    year = program_year.year
    admitted, applied = min(date(year, 8, 1), today()), min(date(year, 8, 10), today())
    if until := program_year.settings.get("applications_until"):
        applied = min(applied, date.fromisoformat(until))
    values = {"sponsor_path": program_year.org_path, "sponsor": program_year.org_id, "year": year, "count": count,
              "year_id": program_year.id, "admitted": admitted, "applied": applied,
              "graduates": date(year + 3, 7, 1)}  # fmt: skip
    result = db.session.connection().execute(_MAKE, values, execution_options={"preserve_rowcount": True})
    if result.rowcount:
        db.session.execute(text("ANALYZE four_seasons_application"))  # a run may come before autovacuum does
        record(actor, "study_aid.make", f"program_year:{program_year.id}", program_year.org_path, added=result.rowcount)
    db.session.commit()
    return int(result.rowcount)


def make_year(actor: Actor, program_year: ProgramYear) -> dict[str, int]:
    """As many as there were in 2014; returns how many are new."""
    return {"applications": make_students(actor, program_year)}
