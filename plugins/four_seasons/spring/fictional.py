"""A fictional spring: employers of every city, and workers placed. For demonstrations."""

from datetime import date

from sqlalchemy import text

from core.api import Actor, ProgramYear, db, record

#: Of the year 2014 (facts.csv, spring.*): more than 2,000 employers, 22,194 workers placed.
EMPLOYERS, PLACED = 2_046, 22_194
_KINDS = "机械制造 纺织印染 电子信息 建筑安装 物流运输 餐饮服务 食品加工 商贸零售 物业管理 能源化工"

_EMPLOYERS = text("""
INSERT INTO four_seasons_employer (program_year_id, org_id, org_path, name, posts, form, offered_on)
SELECT :year, city.id, city.path,
       city.short_name || (string_to_array(:kinds, ' '))[1 + number % 10] || '虚构第' || number || '公司',
       5 + number * 7 % 60, (ARRAY['fair', 'fair', 'visit', 'live'])[1 + number % 4], :day
  FROM generate_series(1, :count) number
  JOIN (SELECT id, path, short_name, row_number() OVER (ORDER BY code) AS place, count(*) OVER () AS places
          FROM core_org WHERE level = 'city' AND active AND starts_with(path, :path)) city
    ON city.place = 1 + number % city.places
 ORDER BY city.path, number
ON CONFLICT DO NOTHING
""")
_PLACED = text("""
INSERT INTO four_seasons_placement (program_year_id, org_id, org_path, person_id, employer, way, placed_on)
SELECT :year, org_id, org_path, id, '虚构第' || 1 + id % 2000 || '公司',
       CASE id % 3 WHEN 0 THEN 'trained' ELSE 'introduced' END, CAST(:day AS date) + (id % 20)::int
  FROM (SELECT id, org_id, org_path FROM core_person
         WHERE active AND starts_with(org_path, :path) ORDER BY id LIMIT :count) worker
 ORDER BY org_path, id
ON CONFLICT DO NOTHING
""")


def make_year(actor: Actor, program_year: ProgramYear) -> dict[str, int]:
    """Employers at the cities below the sponsor, and the first of the people on file placed; returns how many are new.

    Fewer are placed where fewer are on file. Again it adds nothing.
    """
    values = {"year": program_year.id, "path": program_year.org_path, "day": date(program_year.year, 2, 8)}
    connection, options = db.session.connection(), {"preserve_rowcount": True}
    brought = connection.execute(_EMPLOYERS, values | {"kinds": _KINDS, "count": EMPLOYERS}, execution_options=options)
    placed = connection.execute(_PLACED, values | {"count": PLACED}, execution_options=options)
    added = {"employers": int(brought.rowcount), "placed": int(placed.rowcount)}
    record(actor, "register.make", f"program_year:{program_year.id}", program_year.org_path, **added)
    db.session.commit()
    return added
