"""Rows that cannot be loaded: each is named with its line, in one sentence."""

from pathlib import Path

import pytest

from core.org.divisions import DATA, BadDivisions, Known, check_tree, read_divisions

HEADER = "code,name,level,parent_code\n"
PROVINCE = "99,某省,province,\n"


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "divisions.csv"
    path.write_bytes(text.encode(encoding))
    return path


def problems_of(path: Path, known: dict[str, Known] | None = None) -> list[str]:
    with pytest.raises(BadDivisions) as refusal:
        check_tree(read_divisions(path), known or {})
    assert str(refusal.value).startswith(refusal.value.problems[0])
    return refusal.value.problems


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("9901,某市,city,98\n", "Line 3: the parent 98 of 9901 is neither in the file nor in the database."),
        ("99,又一省,province,\n", "Line 3: the code 99 is already on line 2."),
        ("9901,某市,city,9901\n", "Line 3: 9901 is above itself."),
        ("9901,某市,town,99\n", "Line 3: the level “town” is unknown; it is one of province, city, county, township, "
         "village, enterprise."),
        ("9901, ,city,99\n", "Line 3: 9901 has no name."),
        ("9901\n", "Line 3: 9901 has no name."),
        ("99/1,某市,city,99\n", "Line 3: the code “99/1” must be 1 to 40 digits, Latin letters or hyphens."),
        (",某市,city,99\n", "Line 3: the code “” must be 1 to 40 digits, Latin letters or hyphens."),
        ("9901,某\x07市,city,99\n", "Line 3: the name of 9901 has characters that cannot be shown, or more than 100."),
        (f"9901,{'某' * 101},city,99\n", "Line 3: the name of 9901 has characters that cannot be shown, "
         "or more than 100."),
        ("9901,某市,province,99\n", "Line 3: 9901 is a province and cannot be below 99, which is a province."),
        ("9901,某市,city,\n", "Line 3: 9901 has no parent; only a province stands at the top."),
        ('9901,"某市,city,99\n', "Line 3: this is not a CSV file (unexpected end of data)."),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, rows: str, sentence: str) -> None:
    assert problems_of(write(tmp_path, HEADER + PROVINCE + rows)) == [sentence]


def test_a_longer_cycle_names_each_of_its_rows(tmp_path: Path) -> None:
    rows = "9901,甲市,city,9902\n9902,乙县,county,9903\n9903,丙镇,township,9901\n"
    assert problems_of(write(tmp_path, HEADER + PROVINCE + rows)) == [
        "Line 3: 9901 is above itself.",
        "Line 4: 9902 is above itself.",
        "Line 5: 9903 is above itself.",
    ]


def test_a_cycle_through_the_database_is_found(tmp_path: Path) -> None:
    known = {"99": Known("province", "regional", "", "某省"), "990101": Known("county", "regional", "9901", "某县")}
    assert problems_of(write(tmp_path, HEADER + "9901,某市,city,990101\n"), known)[0] == "Line 2: 9901 is above itself."


def test_a_row_cannot_sink_below_what_the_database_has_under_it(tmp_path: Path) -> None:
    known = {"99": Known("province", "regional", "", "某省"), "990101": Known("county", "regional", "9901", "某县")}
    assert problems_of(write(tmp_path, HEADER + "9901,某市,county,99\n"), known) == [
        "Line 2: 9901 would no longer rank above 990101, which is below it."
    ]


def test_every_bad_row_is_named_and_a_long_list_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + PROVINCE + "".join(f"99{n:02},某市,city,98\n" for n in range(1, 23)))
    with pytest.raises(BadDivisions) as refusal:
        check_tree(read_divisions(path), {})
    assert len(refusal.value.problems) == 22
    assert str(refusal.value).splitlines()[-1] == "2 more rows are wrong."


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    assert problems_of(write(tmp_path, "code,name,level\n99,某省,province\n")) == [
        "The file has no column parent_code."
    ]
    assert problems_of(write(tmp_path, "")) == ["The file has no column code, name, level, parent_code."]


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    assert problems_of(write(tmp_path, HEADER)) == ["The file has no rows."]


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    assert problems_of(write(tmp_path, HEADER + "61,陕西省,province,\n", "gb18030")) == [
        "The file is not UTF-8 text; save it as “CSV UTF-8” and try again."
    ]


def test_a_byte_order_mark_and_further_columns_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path, "code,name,level,parent_code,note\n99,某省,province,,x\n", "utf-8-sig")
    assert [row.name for row in check_tree(read_divisions(path), {})] == ["某省总工会"]


def test_the_overlay_comes_with_its_province(tmp_path: Path) -> None:
    rows = check_tree(read_divisions(write(tmp_path, HEADER + "61,陕西省,province,\n")), {})
    cities = [row for row in rows if row.level == "city"]
    assert [row.path for row in cities if row.kind == "regional"] == ["/61/6111/"]
    assert {row.kind for row in cities} == {"regional", "industry", "listed"}


def test_a_file_of_some_counties_keeps_the_place_the_overlay_gives_them(tmp_path: Path) -> None:
    known = {code: Known("city", "regional", "61", code) for code in ("6104", "6111")} | {
        "61": Known("province", "regional", "", "陕西省")
    }
    path = write(tmp_path, HEADER + "610403,杨陵区,county,6104\n")
    assert [row.path for row in check_tree(read_divisions(path), known)] == ["/61/6111/610403/"]


def test_the_file_of_shaanxi_has_eleven_cities() -> None:
    rows = check_tree(read_divisions(DATA / "divisions-shaanxi.csv"), {})
    levels = [row.level for row in rows if row.kind == "regional"]
    counts = {level: levels.count(level) for level in ("province", "city", "county", "township", "village")}
    assert counts == {"province": 1, "city": 11, "county": 107, "township": 1335, "village": 20356}
    assert next(row.path for row in rows if row.code == "610102") == "/61/6101/610102/"
    assert len({row.path for row in rows}) == len(rows)


@pytest.mark.parametrize("code", ["61-nowhere", "6111"])
def test_an_unknown_industrial_union_is_named(tmp_path: Path, code: str) -> None:
    rows = f"61,陕西省,province,,\n6101,西安市,city,61,{code}\n"
    assert problems_of(write(tmp_path, "code,name,level,parent_code,industry_code\n" + rows)) == [
        f"Line 3: the industrial union {code} of 6101 is not known."
    ]
