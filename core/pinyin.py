"""Pinyin for search: ``西安市`` is found as ``xianshi`` and as ``xas``.

Lowercase, without tones and spaces; ``lv`` for 绿, as people type it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from pypinyin import lazy_pinyin

_COMPOUND_SURNAME = re.compile(
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|太叔|申屠|公孙|慕容|"
    "仲孙|钟离|长孙|宇文|司徒|鲜于|司空|闾丘|令狐|百里|呼延|东郭|南门|西门|拓跋|轩辕"
)
#: Surnames that are read otherwise than the same character elsewhere.
_SURNAME_READINGS = {
    "单": ("shan",),
    "解": ("xie",),
    "仇": ("qiu",),
    "区": ("ou",),
    "查": ("zha",),
    "曾": ("zeng",),
    "盖": ("ge",),
    "朴": ("piao",),
    "覃": ("qin",),
    "召": ("shao",),
    "洗": ("xian",),
    "缪": ("miao",),
    "乐": ("yue",),
    "秘": ("bi",),
    "黑": ("he",),
    "种": ("chong",),
    "员": ("yun",),
    "折": ("she",),
    "隗": ("wei",),
    "翟": ("zhai",),
    "牟": ("mu",),
}
_NOT_SEARCHED = re.compile(r"[^0-9a-z]+")


class Spelling(NamedTuple):
    """The whole pinyin and the first letters of its syllables."""

    pinyin: str
    initials: str


def spell(text: str) -> Spelling:
    """The pinyin of a place or an organisation; digits and Latin letters stay."""
    return _join(lazy_pinyin(text))


@lru_cache(maxsize=50_000)
def spell_name(name: str) -> Spelling:
    """The pinyin of a person's name, whose first part is read as a surname: 单 is shan, 曾 is zeng."""
    surname = name[:2] if _COMPOUND_SURNAME.match(name) else name[:1]
    return _join([*_read_surname(surname), *_read_given_name(name[len(surname) :])])


def _read_surname(surname: str) -> tuple[str, ...]:
    return _SURNAME_READINGS.get(surname) or tuple(lazy_pinyin(surname))


@lru_cache(maxsize=50_000)
def _read_given_name(given_name: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin(given_name))


def _join(syllables: list[str]) -> Spelling:
    """A piece that is no syllable (``）108``) comes in whole; of it, only what can be typed is kept."""
    plain = [_NOT_SEARCHED.sub("", syllable.lower()) for syllable in syllables]
    return Spelling("".join(plain), "".join(piece if piece.isdigit() else piece[:1] for piece in plain))
