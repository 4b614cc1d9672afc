"""Files that no honest clerk uploads, and some that honest clerks do: each with its name, made by parameters.

``CASES`` is name -> (file name, what makes its content). A file is either refused with one sentence, or its rows are
marked, or it is in order: never an error of the program, never half of it in the register.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence

import xlsxwriter

from tests.imports.conftest import HEADINGS, good_row, xlsx

Case = tuple[str, Callable[[], bytes]]
CASES: dict[str, Case] = {}
SHEET = "xl/worksheets/sheet1.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def case(name: str, file_name: str, make: Callable[[], bytes]) -> None:
    """Take a case in."""
    assert name not in CASES, name
    CASES[name] = (file_name, make)


def text(rows: Sequence[Sequence[object]], sign: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows as CSV under the headings, with nothing quoted."""
    return "".join(sign.join(map(str, row)) + "\n" for row in [HEADINGS, *rows]).encode(encoding, "replace")


def repacked(changes: dict[str, bytes | None], content: bytes | None = None) -> bytes:
    """A good workbook with some of its parts replaced, or left out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content or xlsx([good_row(1)]))) as old, zipfile.ZipFile(target, "w", 8) as new:
        for name in {*old.namelist(), *changes}:
            part = changes.get(name, old.read(name) if name in old.namelist() else b"")
            if part is not None:
                new.writestr(name, part)
    return target.getvalue()


def sheet_xml(rows: str) -> bytes:
    """A sheet of these rows."""
    return f'<?xml version="1.0"?><worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>'.encode()


def cells(*values: str, line: int = 1) -> str:
    """A row of text cells."""
    inner = "".join(f'<c r="{chr(65 + at)}{line}" t="inlineStr"><is><t>{value}</t></is></c>'
                    for at, value in enumerate(values))  # fmt: skip
    return f'<row r="{line}">{inner}</row>'


def lying(size: int) -> bytes:
    """A workbook whose sheet says that it is small, and unpacks to ``size`` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b" " * size) + packer.flush()
    name = SHEET.encode()
    said = struct.pack("<IIIHH", 0, len(packed), 10, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + said + name + packed
    central = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + said + struct.pack("<HHHII", 0, 0, 0, 0, 0)
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central) + len(name), len(local), 0)
    return local + central + name + b"PK\x05\x06" + end


def written(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    """A workbook that ``fill`` writes."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False}) as book:
        fill(book)
    return target.getvalue()


def several_sheets(book: xlsxwriter.Workbook) -> None:
    """Two lists in one file."""
    for title in ("一月", "二月"):
        page = book.add_worksheet(title)
        page.write_row(0, 0, HEADINGS)
        page.write_row(1, 0, good_row(1))


def sheet_beside(book: xlsxwriter.Workbook) -> None:
    """A list beside a sheet of notes."""
    book.add_worksheet("填表说明").write(0, 0, "请按模板填写")
    page = book.add_worksheet("名单")
    page.write_row(0, 0, HEADINGS)
    page.write_row(1, 0, good_row(1))


def merged_cells(book: xlsxwriter.Workbook) -> None:
    """Cells merged in the list."""
    page = book.add_worksheet()
    page.write_row(0, 0, HEADINGS)
    page.write_row(1, 0, good_row(1))
    page.merge_range(1, 2, 4, 2, "610102001")


def merged_title(book: xlsxwriter.Workbook) -> None:
    """A title over the whole list, merged, which is no harm."""
    page = book.add_worksheet()
    page.merge_range(0, 0, 0, 9, "2014年会员名册")
    page.write_row(2, 0, HEADINGS)
    page.write_row(3, 0, good_row(1))


def formulas(book: xlsxwriter.Workbook) -> None:
    """Formulas with and without a value, and one that calls a program."""
    page = book.add_worksheet()
    page.write_row(0, 0, HEADINGS)
    page.write_row(1, 0, good_row(1))
    page.write_formula(1, 7, "=1+1", value="2")
    page.write_formula(1, 8, "=1/0", value="#DIV/0!")
    page.write_formula(1, 9, '=HYPERLINK("http://x","y")', value="y")
    page.write_row(2, 0, good_row(2, note="=cmd|' /C calc'!A0"))


def a_cell_far_away(line: int, column: int) -> bytes:
    """The list, and one cell far below or far to the right."""

    def fill(book: xlsxwriter.Workbook) -> None:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADINGS)
        page.write_row(1, 0, good_row(1))
        page.write(line, column, "x")

    return written(fill)


GOOD = xlsx([good_row(1), good_row(2)])
for ending in ("xlsx", "csv"):
    case(f"empty {ending}", f"a.{ending}", lambda: b"")
    case(f"one byte {ending}", f"a.{ending}", lambda: b"x")
    case(f"NULs {ending}", f"a.{ending}", lambda: b"\0" * 5000)
    case(f"html {ending}", f"a.{ending}", lambda: b"<html><table><tr><td>\xe5\xa7\x93\xe5\x90\x8d</td></tr></table>")
    case(f"xls {ending}", f"a.{ending}", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)
    case(f"pdf {ending}", f"a.{ending}", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj")
    case(f"noise {ending}", f"a.{ending}", lambda: random.Random(1).randbytes(4000))  # noqa: S311  # not for secrets
for number, name in enumerate(("a.xls", "a.docx", "a", "", "a.xlsx.exe", "..", "a.CSV%00.txt", "名单.ods", "x" * 300)):
    case(f"name {number}", name or " ", lambda: GOOD)
for part in range(1, 40):
    case(f"cut at {part}/40", "a.xlsx", lambda part=part: GOOD[: len(GOOD) * part // 40])  # type: ignore[misc]
for seed in range(40):

    def flipped(seed: int = seed) -> bytes:
        """The good workbook with some bytes changed."""
        chance, content = random.Random(seed), bytearray(GOOD)  # noqa: S311  # not for secrets
        for _change in range(1 + seed % 5):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        return bytes(content)

    case(f"flipped {seed}", "a.xlsx", flipped)
for name in ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET,
             "xl/sharedStrings.xml", "xl/styles.xml"):  # fmt: skip
    case(f"without {name}", "a.xlsx", lambda name=name: repacked({name: None}))  # type: ignore[misc]
    case(f"empty {name}", "a.xlsx", lambda name=name: repacked({name: b""}))  # type: ignore[misc]
    case(f"no xml {name}", "a.xlsx", lambda name=name: repacked({name: b"<a><b></a>\0"}))  # type: ignore[misc]
BOMB = 210 * 1024 * 1024
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)
case("zip bomb", "a.xlsx", lambda: repacked({SHEET: b" " * BOMB}))
case("zip bomb beside", "a.xlsx", lambda: repacked({"xl/media/x.png": b" " * BOMB}))
case("lying zip bomb", "a.xlsx", lambda: lying(BOMB))
case("billion laughs", "a.xlsx", lambda: repacked({
    SHEET: f"{LAUGHS}]>".encode() + sheet_xml(cells("&j;", "姓名"))}))  # fmt: skip
case("outside entity", "a.xlsx", lambda: repacked({
    SHEET: b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + sheet_xml(cells("&a;", "姓名"))}))  # fmt: skip
case("huge shared string", "a.xlsx", lambda: repacked({
    "xl/sharedStrings.xml": f"<sst {MAIN}><si><t>{'x' * 50_000_000}</t></si></sst>".encode()}))  # fmt: skip
case("shared string that is not there", "a.xlsx", lambda: repacked({
    SHEET: sheet_xml('<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>')}))  # fmt: skip
case("negative shared string", "a.xlsx", lambda: repacked({
    SHEET: sheet_xml('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>')}))  # fmt: skip
for place in ("XFD1048576", "A1048576", "A300000", "AAA1", "XFD1", "ZZ10000", "A0", "0", "A", "a1", "A99999999999999",
              "AAAAAAA1", "一1", ""):  # fmt: skip
    case(f"cell at {place}", "a.xlsx", lambda place=place: repacked({  # type: ignore[misc]
        SHEET: sheet_xml(
            cells("姓名") + f'<row><c r="{place}" t="inlineStr"><is><t>x</t></is></c></row>')}))  # fmt: skip
case("row far below", "a.xlsx", lambda: repacked({SHEET: sheet_xml('<row r="1048576"><c><v>1</v></c></row>')}))
case("a million empty rows", "a.xlsx", lambda: repacked({
    SHEET: sheet_xml("".join(f'<row r="{line}"/>' for line in range(1, 1_048_577)))}))  # fmt: skip
case("a cell far below", "a.xlsx", lambda: a_cell_far_away(1_048_575, 0))
case("a cell far to the right", "a.xlsx", lambda: a_cell_far_away(0, 16_383))
case("a cell 50,000 lines below", "a.xlsx", lambda: a_cell_far_away(50_000, 0))
case("300 columns", "a.xlsx", lambda: xlsx([good_row(1)], [*HEADINGS, *(f"列{n}" for n in range(287))]))
case("300 columns csv", "a.csv", lambda: (",".join([*HEADINGS, *(f"列{n}" for n in range(287))]) + "\n").encode())
case("two lists", "a.xlsx", lambda: written(several_sheets))
case("notes beside", "a.xlsx", lambda: written(sheet_beside))
case("merged cells", "a.xlsx", lambda: written(merged_cells))
case("merged title", "a.xlsx", lambda: written(merged_title))
case("formulas", "a.xlsx", lambda: written(formulas))
case("no sheet", "a.xlsx", lambda: written(lambda _book: None))
case("heading twice", "a.xlsx", lambda: xlsx([good_row(1)], [*HEADINGS[:-1], "姓 名"]))
case("heading in both languages", "a.xlsx", lambda: xlsx([good_row(1)], [*HEADINGS[:-1], "Name"]))
case("no headings", "a.xlsx", lambda: xlsx([], good_row(1)))
case("only headings", "a.xlsx", lambda: xlsx([]))
case("headings in line 11", "a.xlsx", lambda: xlsx([*([n, "x"] for n in range(10)), HEADINGS, good_row(1)], ["x"]))
case("headings in line 10", "a.xlsx", lambda: xlsx([*([n, "x"] for n in range(8)), HEADINGS, good_row(1)], ["x"]))
VALUES: dict[str, object] = {
    "long": "长" * 32_767, "emoji": "😀" * 9, "rtl": "\u202e\u05d0\u05d1", "lone surrogate": "x", "nbsp": "\xa0",
    "control": "a\x01b\x07", "newline": "a\nb\r\nc", "quote": "'\"\\;--", "json": '{"a": ["}',
    "percent": "%s%n{0}{line}",
    "html": "<script>alert(1)</script>", "jinja": "{{ 7 * 7 }}", "zero width": "\u200b", "bom": "\ufeffx",
    "combining": "e\u0301" * 9, "infinity": "inf", "nan": "NaN", "exponent": "1e308",
    "negative": "-1", "octal": "0o17",
    "underscore": "1_000", "arabic digits": "\u0661\u0662", "half": "0.5", "many digits": "9" * 400,
    "date": "9999-12-31",
    "year 0": "0000-01-01", "year 10000": "10000-01-01", "day 32": "2014年13月32日", "time": "2014-01-05 12:30:00",
    "true": "TRUE", "error": "#N/A", "slash": "1/2/3",
}  # fmt: skip
for name, value in VALUES.items():
    everywhere = {"name": value, "note": value, "kind": value, "books": value, "fee_fen": value, "joined_on": value,
                  "active": value, "org_code": value, "bank_name": value, "phone": value}  # fmt: skip
    case(f"{name} everywhere", "a.xlsx", lambda values=everywhere: xlsx([good_row(1, **values)]))  # type: ignore[misc]
    case(f"{name} as number csv", "a.csv", lambda value=value: text([  # type: ignore[misc]
        [value, "王芳", "610102001", *good_row(1)[3:]]]))  # fmt: skip
case("real number 1e300", "a.xlsx", lambda: xlsx([good_row(1, books=1e300, fee_fen=1e300, note=1e300)]))
case("number as identity", "a.xlsx", lambda: xlsx([good_row(1, id_number=610102198505050024)]))
case("15 digits", "a.xlsx", lambda: xlsx([good_row(1, id_number="610102850505002")]))
for encoding in ("gb18030", "utf-16", "utf-16-le", "utf-8-sig", "big5hkscs", "utf-32", "utf-7"):
    case(f"csv in {encoding}", "a.csv", lambda encoding=encoding: text(  # type: ignore[misc]
        [["1", "王芳", "61"]], encoding=encoding))  # fmt: skip
for sign in (";", "\t", "|", " "):
    case(f"csv divided by {sign!r}", "a.csv", lambda sign=sign: text([good_row(1)], sign))  # type: ignore[misc]
case("csv with a NUL", "a.csv", lambda: text([good_row(1, note="a\0b")]))
case("csv cut in a sign", "a.csv", lambda: text([good_row(1)])[:-8] + b"\xe6\x98")
case("csv with an open quote", "a.csv", lambda: text([good_row(1, note='"open')]) * 3)
case("csv with a huge cell", "a.csv", lambda: text([good_row(1, note="x" * 200_000)]))
case("csv of one line without an end", "a.csv", lambda: b"a," * 200_000)
case("csv with old ends of lines", "a.csv", lambda: text([good_row(1)]).replace(b"\n", b"\r"))
case("csv with too many cells", "a.csv", lambda: text([[*good_row(1), *["x"] * 5000]]))
case("csv with too few cells", "a.csv", lambda: text([good_row(1)[:2]]))
