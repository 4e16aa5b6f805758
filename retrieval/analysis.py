"""Terms of texts in any script: what the index of words holds of a text, and where in the text each of them stands.

Words with blanks between them are terms as they are. Scripts without blanks are cut into overlapping pairs of
characters, as in Lucene's CJKAnalyzer, Thai and its neighbours too; single characters are terms beside them. Forms that
readers take for the same are the same term: full and half width (NFKC), simplified and traditional Chinese (OpenCC),
hiragana and katakana, letters of Arabic and Persian (Lucene's ArabicNormalizer and PersianNormalizer), pointed and
unpointed Hebrew, accents of Greek, ё and е, ß and ss.

Texts of Latin and Cyrillic letters alone need none of this: they are left as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

_UNSPACED: Final = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001b000-\U0001b16f"
    "\u3105-\u312f\u31a0-\u31bf"
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff\uffa1-\uffdc"
    "\ua000-\ua48c"
    "\u0e01-\u0e4f\u0e80-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u109f\ua9e0-\ua9ef\uaa60-\uaa7f\u1780-\u17d3\u17dc"
)
"""Scripts that are read in pairs of characters: Han, kana, bopomofo, hangul, Yi; Thai, Lao, Burmese and Khmer."""
_JOINERS: Final = "\u00ad\u200d\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""What stands within a word and is none of its letters: soft hyphens, joiners, variation selectors."""
_DROPPED: Final = (
    (0x0300, 0x036F),  # accents that no letter has of its own
    (0x0483, 0x0487),
    (0x0591, 0x05BD),  # points and accents of Hebrew
    (0x05BF, 0x05BF),
    (0x05C1, 0x05C2),
    (0x05C4, 0x05C5),
    (0x05C7, 0x05C7),
    (0x0610, 0x061A),  # vowels and other signs above Arabic letters, and tatweel
    (0x0640, 0x0640),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06DC),
    (0x06DF, 0x06E4),
    (0x06E7, 0x06E8),
    (0x06EA, 0x06ED),
    (0x093C, 0x093C),  # nukta
    (0x00AD, 0x00AD),
    (0x200D, 0x200D),
    (0x2060, 0x2060),
    (0xFE00, 0xFE0F),
    (0xE0100, 0xE01EF),
)
_SAME: Final = dict(
    pair.split("/")
    for pair in """
    ß/ss ẞ/SS æ/ae Æ/AE œ/oe Œ/OE ø/o Ø/O đ/d Đ/D ð/d Ð/D þ/th Þ/TH ł/l Ł/L ħ/h Ħ/H ŧ/t Ŧ/T ı/i ŋ/n Ŋ/N ĸ/q
    ё/е Ё/Е ς/σ
    أ/ا إ/ا آ/ا ٱ/ا ى/ي ة/ه ی/ي ے/ي ک/ك ۀ/ه ہ/ه ۂ/ه ە/ه
    """.split()
)
_HAN: Final = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x32000))
_HAN_CHARACTER: Final = re.compile("[\u3400-\u9fff\U00020000-\U00031fff]")
_ENCODED: Final = 0xF0000
"""Where in the private use area marks stand for the local index, whose tokenizer would end words at them."""


class Token(NamedTuple):
    """A term and its span in the text, in characters."""

    term: str
    start: int
    end: int


def _accented_latin() -> Iterator[str]:
    """Latin letters that are one of ASCII with accents: the index's tokenizer takes those off."""
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and parts[0].isascii() and parts[0].isalpha():
            yield chr(code)


_PLAIN: Final = (
    "\\x00-\u00a9\u00ab\u00ac\u00ae-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
    + "".join(_accented_latin())
    + "\u0400\u0402-\u0450\u0452-\u0482\u048a-\u052f\u2000-\u200b\u200e-\u202e\u2030-\u205f\u20a0-\u20bf\u2190-\u21ff"
)
_UNLIKE_PLAIN: Final = re.compile(f"[^{_PLAIN}]")
_UNSPACED_START: Final = re.compile(f"[{_UNSPACED}]")
_NO_BLANK: Final = re.compile(
    f"(?![\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff\uffa1-\uffdc])[{_UNSPACED}、。！？，：；]"
)
_LETTERS: Final = re.compile(r"[^\W_]+")
_PLAIN_WORD: Final = re.compile(r"\w+")
_BLANKS: Final = re.compile(r"\S+")


class _Patterns(NamedTuple):
    """What depends on Unicode's list of marks: it takes a moment to make, and many never need it."""

    piece: re.Pattern[str]
    word: re.Pattern[str]
    cluster: re.Pattern[str]
    mark: re.Pattern[str]
    unit: re.Pattern[str]
    encoded: dict[int, int]


@cache
def _patterns() -> _Patterns:
    codes = [code for code in range(0x300, 0xFFFF) if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me")]
    marks = _ranges(codes) + _JOINERS
    held = f"\\U{_ENCODED:08x}-\\U{_ENCODED + 0xFFFF:08x}"
    letter = f"(?:[^\\W_{_UNSPACED}]|[{held}])"
    run = f"[{_UNSPACED}][{_UNSPACED}{marks}]*"
    hangul = "[\u1100-\u115f\ua960-\ua97c]+[\u1160-\u11a7\ud7b0-\ud7c6]*[\u11a8-\u11ff\ud7cb-\ud7fb]*"
    return _Patterns(
        re.compile(f"({run})|{letter}+(?:[{marks}]+{letter}*)*"),
        re.compile(f"({run})|[^\\W{_UNSPACED}]+(?:[{marks}]+[^\\W{_UNSPACED}]*)*"),
        # A vowel of Thai and Lao is a mark and a letter in NFKC, a voicing mark of half-width kana a letter before it.
        re.compile(f"(?:{hangul}|.)[{marks}\uff9e\uff9f\u0e33\u0eb3]*", re.DOTALL),
        re.compile(f"[{marks}]"),
        re.compile(f"(?:[{_UNSPACED}][{marks}]*){{1,2}}[^\\w\\s]*|[^\\s{_UNSPACED}]+"),
        {code: _ENCODED + code for code in codes},
    )


def _ranges(codes: list[int]) -> str:
    """The inside of a character class."""
    written: list[str] = []
    first = last = codes[0]
    for code in [*codes[1:], -1]:
        if code != last + 1:
            written.append(chr(first) + (f"-{chr(last)}" if last > first else ""))
            first = code
        last = code
    return "".join(written)


@cache
def _same() -> dict[int, str | None]:
    """Characters → those that they are taken for; None where they are left out."""
    same: dict[int, str | None] = {code: None for first, last in _DROPPED for code in range(first, last + 1)}
    same |= {ord(character): other for character, other in _SAME.items()}
    for code in (*range(0x370, 0x400), *range(0x1F00, 0x2000)):
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and parts[0].isalpha():
            same[code] = parts[0]
    same |= {code: chr(code - 0x60) for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
    for code in range(0x660, 0xFFFF):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            same[code] = str(digit)
    return same


@cache
def _simplified() -> dict[int, str]:
    """Traditional Chinese characters → simplified ones, by OpenCC's table. Character by character: the other direction
    has choices, this one nearly none."""
    from opencc import OpenCC

    characters = [chr(code) for first, last in _HAN for code in range(first, last)]
    converted = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    table = {traditional: one for traditional, one in zip(characters, converted, strict=True) if traditional != one}
    # A few lead to what leads on.
    return {ord(traditional): table.get(one, one) for traditional, one in table.items()}


def _normal(text: str) -> str:
    alike = unicodedata.normalize("NFKC", text).translate(_same())
    if _HAN_CHARACTER.search(alike):
        alike = alike.translate(_simplified())
    return alike


def is_plain(text: str) -> bool:
    """Whether a text is indexed as it is: `prepared` would change no term of it."""
    return text.isascii() or _UNLIKE_PLAIN.search(text) is None


def is_unspaced(term: str) -> bool:
    """Whether a term is of a script without blanks: a pair of characters, or one."""
    return _UNSPACED_START.match(term) is not None


def needs_blank(before: str, after: str) -> bool:
    """Whether words are written with a blank between them: not where both are of a script without blanks."""
    return not (_NO_BLANK.match(before[-1:]) and _NO_BLANK.match(after[:1]))


def encoded(term: str) -> str:
    """As the local index holds it: SQLite's `unicode61` ends words at marks, but takes private characters for
    letters."""
    return term if term.isascii() else term.translate(_patterns().encoded)


def decoded(term: str) -> str:
    """A term of the local index as it was before `encoded`."""
    if term.isascii():
        return term
    return "".join(chr(ord(c) - _ENCODED) if _ENCODED <= ord(c) <= _ENCODED + 0xFFFF else c for c in term)


def written(text: str) -> list[str]:
    """The words that are indexed of a text, before they are stemmed."""
    prepared_text = prepared(text)
    return _LETTERS.findall(text) if prepared_text is None else prepared_text.split()


def tokens(text: str) -> list[Token]:
    """The terms of a text in their order, as written where the text is plain; overlapping in scripts without blanks."""
    if is_plain(text):
        return [Token(match.group(), match.start(), match.end()) for match in _LETTERS.finditer(text)]
    terms: list[Token] = []
    for match in _patterns().piece.finditer(text):
        start, end = match.span()
        if match.group(1) is None:
            terms += [Token(word, start, end) for word in _words(match.group())]
            continue
        characters, spans = _characters(match.group())
        for n, character in enumerate(characters):
            first, last = spans[n]
            terms.append(Token(character, start + first, start + last))
            if n + 1 < len(characters):
                terms.append(Token(character + characters[n + 1], start + first, start + spans[n + 1][1]))
    return terms


def prepared(text: str) -> str | None:
    """The text that is indexed in place of this one: its terms between blanks, and in the end each single character of
    scripts without blanks, once. None where it is indexed as it is.

    >>> prepared("灯塔停电 Straße"), prepared("lighthouse")
    ('灯塔 塔停 停电 Strasse 灯 塔 停 电', None)
    """
    if is_plain(text):
        return None
    terms: list[str] = []
    alone: set[str] = set()
    characters: dict[str, None] = {}
    for match in _patterns().piece.finditer(text):
        if match.group(1) is None:
            terms += _words(match.group())
            continue
        run, _ = _characters(match.group())
        if len(run) == 1:
            terms += run
            alone.update(run)
        else:
            terms += map("".join, pairwise(run))
            characters |= dict.fromkeys(run)
    return " ".join([*terms, *(one for one in characters if one not in alone)])


def words(text: str) -> Iterator[tuple[str, ...]]:
    """The words of a query as the terms that each is looked up by: itself, or the pairs of characters of a run.

    >>> list(words("灯塔停电 Straße"))
    [('灯塔', '塔停', '停电'), ('Strasse',)]
    """
    composed = unicodedata.normalize("NFC", text)
    if is_plain(composed):
        yield from ((word,) for word in _PLAIN_WORD.findall(composed))
        return
    for match in _patterns().word.finditer(composed):
        if match.group(1) is None:
            yield from ((word,) for word in _words(match.group()))
            continue
        run, _ = _characters(match.group())
        yield tuple(map("".join, pairwise(run))) if len(run) > 1 else tuple(run)


def units(text: str) -> Iterator[re.Match[str]]:
    """What a line is cut between: words with their signs, or two characters of a script without blanks."""
    return (_BLANKS if is_plain(text) else _patterns().unit).finditer(text)


def _words(piece: str) -> list[str]:
    """The words of a piece of a text; some characters stand for several words."""
    normal = _normal(piece)
    return [normal] if normal.isalnum() else [m.group() for m in _patterns().word.finditer(normal)]


def _characters(run: str) -> tuple[list[str], list[tuple[int, int]]]:
    """What a reader takes for the characters of a run: letters with their marks, each with its span in the run."""
    normal = _normal(run)
    if len(normal) == len(run) and not _patterns().mark.search(run):
        return list(normal), [(n, n + 1) for n in range(len(run))]
    characters: list[str] = []
    spans: list[tuple[int, int]] = []
    for match in _patterns().cluster.finditer(run):
        for part in _patterns().cluster.finditer(_normal(match.group())):
            characters.append(part.group())
            spans.append(match.span())
    return characters, spans
