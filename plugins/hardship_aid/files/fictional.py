"""Fictional files for people on file, with their households: for demonstrations and measurements."""

from datetime import date

from sqlalchemy import text

from core.api import ProgramYear, db

# Of twenty households five are in deep hardship, eleven in relative hardship, four by an accident. What a head has in a
# month is so many percent of the line: below it, below twice the line, above it. Different households, the same every
# time.
_FILES = text("""
INSERT INTO hardship_aid_file (sponsor_id, person_id, org_id, org_path, worker, household_size, head, income_fen,
    rigid_fen, loss_fen, cause, applied_on, visited_on, visitors, checked_on, state)
SELECT :sponsor, id, org_id, org_path,
       (ARRAY['employed', 'laid_off', 'jobless', 'retired', 'migrant'])[1 + id % 5], size, 'self', income, rigid,
       CASE WHEN part < 16 THEN 0 ELSE income * (81 + id % 40) / 100 + 1 END,
       CASE WHEN part < 5 THEN 'illness' WHEN part < 16 THEN 'schooling' ELSE 'accident' END,
       :day, CAST(:day AS date) + 1, '基层工会干部二人', CAST(:day AS date) + 1, 'on_file'
  FROM (SELECT id, org_id, org_path, id % 20 AS part, 2 + id / 20 % 4 AS size, (id % 13) * 100000 AS rigid
          FROM core_person WHERE active AND starts_with(org_path, :path)) worker
 CROSS JOIN LATERAL (
       SELECT CASE WHEN part < 5 THEN 40 + id % 55 WHEN part < 16 THEN 105 + id % 90 ELSE 205 + id % 95 END AS percent
       ) rule
 CROSS JOIN LATERAL (SELECT CAST(:line AS bigint) * percent / 100 * 12 * size + rigid AS income) year
 ORDER BY org_path, id
ON CONFLICT DO NOTHING
""")
_MEMBERS = text("""
INSERT INTO hardship_aid_member (sponsor_id, person_id, org_id, org_path, name, relation, born_on, school)
SELECT file.sponsor_id, file.person_id, file.org_id, file.org_path,
       substr(:surnames, 1 + (file.id % 20)::int, 1) || substr(:first, 1 + (file.id / 20 % 20)::int, 1)
           || substr(:last, 1 + ((file.id + place) % 20)::int, 1),
       CASE place WHEN 1 THEN 'spouse' WHEN 2 THEN 'child' ELSE 'parent' END,
       CAST(:day AS date) - (CASE place WHEN 1 THEN 15000 WHEN 2 THEN 6600 ELSE 25000 END + file.id % 1500)::int,
       CASE place WHEN 2 THEN '高中' ELSE '' END
  FROM hardship_aid_file file CROSS JOIN LATERAL generate_series(1, file.household_size - 1) place
 WHERE file.sponsor_id = :sponsor AND file.applied_on = :day
ON CONFLICT DO NOTHING
""")
#: Signs of fictional names, twenty each.
NAMES = {
    "surnames": "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "first": "建国文志明晓春海新宏振学庆世德光立仁义忠",
    "last": "军伟勇刚涛斌辉鹏峰磊平波宁宇浩华生民成山",
}


def make_files(program_year: ProgramYear) -> int:
    """A file, on file since the first Monday of the year's second week, for everybody active below the sponsor who has
    none, with the household; returns how many are new. In the caller's transaction.

    Incomes fit the line of the settings: categories come out in equal parts wherever the number goes.
    """
    day = date.fromisocalendar(program_year.year, 2, 1)
    values = {"sponsor": program_year.org_id, "path": program_year.org_path, "day": day}
    connection, options = db.session.connection(), {"preserve_rowcount": True}
    made = connection.execute(_FILES, values | {"line": program_year.settings["line"]}, execution_options=options)
    connection.execute(_MEMBERS, values | NAMES)
    for table in ("hardship_aid_file", "hardship_aid_member"):
        db.session.execute(text(f"ANALYZE {table}"))  # what reads them comes before autovacuum does
    return int(made.rowcount)
