"""Sex and age that a text asks for: "women over 60", "64-year-old", "in his thirties"."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

YOUNGEST, OLDEST = 10, 120  # years that a bare number may mean
ELDERLY, ADULT = 65, 18
ABOUT = 5  # years to both sides of "about 60"
_TENS = {
    "twent": 20,
    "thirt": 30,
    "fort": 40,
    "fourt": 40,
    "fift": 50,
    "sixt": 60,
    "sevent": 70,
    "eight": 80,
    "ninet": 90,
}
_UNITS = {w: n for n, w in enumerate("one two three four five six seven eight nine".split(), 1)}
_TENS_WORD = "(?:twent|thirt|fort|fourt|fift|sixt|sevent|eight|ninet)"
_UNIT_WORD = "(?:one|two|three|four|five|six|seven|eight|nine)"
_TEENS = {
    w: n
    for n, w in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        10,
    )
}
_NUMBER = rf"(?:\d{{1,3}}|{_TENS_WORD}y(?:[- ]{_UNIT_WORD})?|{'|'.join(_TEENS)})"
_NO_SIZE = r"(?![\d.]| ?(?:mm|cm|%))"  # "over 30 mm" is no age
_YEARS = r"(?:[- ]?(?:years?|yrs?|y)(?:[- ]?(?:old|of age|o))?\b\.?|[- ]?y ?/ ?o\b)?"
_DECADES = rf"(?:\d0'?s|{_TENS_WORD}ies)"
_SEX = r"(?: ?(?P<sex>f|m|female|male|woman|man|w)\b)?"

_SEXES = {
    "F": "f female females woman women lady ladies girl girls she her hers mother pregnant wife "
    "grandmother schoolgirl granny mum mom daughter sister aunt nun housewife grandma gal lass "
    "nan nana grandmom auntie widow girlfriend",
    "M": "m male males man men gentleman gentlemen guy guys boy boys he his him father husband "
    "grandfather schoolboy grandpa dad son brother uncle bloke chap chaps gent gents fella fellow "
    "dude lad grandad granddad husband widower boyfriend",
}
_SEX_OF = {word: sex for sex, words in _SEXES.items() for word in words.split()}
_OTHER_SEX = {"F": "M", "M": "F"}
_ALONE = {word for word in _SEX_OF if len(word) > 1}
_AGE_WORDS: tuple[tuple[str, int | None, int | None], ...] = (
    (r"newborns?|neonat(?:e|es|al)|infants?|bab(?:y|ies)|bub|prem(?:ie|ature)", 0, 1),
    (r"toddlers?", 1, 3),
    (r"teen(?:age)?(?:rs?|s)?|adolescents?", 13, 19),
    (
        r"child(?:ren|hood)?|kids?|p(?:a)?ediatrics?|boys?|girls?|school ?(?:girl|boy|kid|child)s?"
        r"|schoolchildren|minors?|youngsters?|little ones?|juveniles?",
        0,
        17,
    ),
    (r"young adults?", ADULT, 39),
    (r"middle[- ]?aged?|mid(?:dle)?[- ]?life", 40, 64),
    (
        r"elderly|geriatrics?|seniors?(?: citizens?)?|pensioners?"
        r"|retire(?:d|es?)|oap|oldies?|aged patients?|very old|old age"
        r"|old(?:er)? (?:(?:wo)?m[ae]n|lad(?:y|ies)|gentlem[ae]n|guys?|females?|males?|adults?"
        r"|patients?|persons?|people|folks?)|grand(?:mother|father|ma|pa|mom|dad)s?|granddad|granny|nana?",
        ELDERLY,
        None,
    ),
    (r"octogenarians?", 80, 89),
    (r"nonagenarians?", 90, 99),
    (r"septuagenarians?", 70, 79),
    (r"centenarians?", 100, None),
    (r"young(?:er)?|youth", None, 39),
    (r"adults?|grown[- ]?ups?|grown (?=(?:wo)?m[ae]n)", ADULT, None),
)
_AGE_WORD = [(re.compile(rf"\b(?:{words})\b"), low, high) for words, low, high in _AGE_WORDS]

_RANGE = re.compile(
    rf"\b(?:between |from |aged? |ages )*(?P<n>{_NUMBER}){_YEARS} ?(?:and|to|-|until|through) ?"
    rf"(?P<n2>{_NUMBER}){_NO_SIZE}(?P<years>{_YEARS}){_SEX}"
)
_OVER = re.compile(
    r"(?:\b(?:over|older than|above|beyond|more than|greater than|past)(?: the)?(?: age of| age)?"
    rf"|>) ?(?:= ?)?(?P<n>{_NUMBER}){_NO_SIZE}{_YEARS}"
    rf"|\b(?:at least|not younger than) (?P<n3>{_NUMBER}){_NO_SIZE}{_YEARS}"
    rf"|\b(?P<n2>{_NUMBER}){_YEARS} ?(?:\+|plus\b|(?:and|or) (?:over|older|above|up|upwards|more)\b"
    rf"|upwards?\b)"
)
_UNDER = re.compile(
    r"(?:\b(?:under|younger than|below|less than)(?: the)?(?: age of| age)?|<(?! ?=)) ?"
    rf"(?P<n>{_NUMBER}){_NO_SIZE}{_YEARS}"
    r"|(?:\b(?:up to|at most|(?:not|no) older than)(?: age)?|<=|\u2264) ?"
    rf"(?P<n2>{_NUMBER}){_NO_SIZE}{_YEARS}"
    rf"|\b(?P<n3>{_NUMBER}){_YEARS} ?(?:and|or) (?:under|younger|below|less)\b"
)
_DECADE = re.compile(
    r"\b(?:in )?(?:(?:his|her|their|the|your|my) )?(?:(?P<part>early|mid|late)[- ])?"
    rf"(?P<decade>{_DECADES})\b|\b(?P<n>{_NUMBER})[- ]?(?:something|ish)\b"
)
_EXACT = re.compile(
    rf"\b(?:age|aged|ages)(?: of| is|:)? ?(?P<n>{_NUMBER})\b{_YEARS}{_SEX}"
    rf"|\b(?P<n2>{_NUMBER})(?:[- ]?(?:years?|yrs?)(?:[- ]?olds?|[- ]of[- ]age)?"
    r"|[- ]?y\.?[ /]?o\.?|[- ]?y)(?![\w/])(?: ?(?P<sex2>f|m|w)\b)?"
    r"|\b(?P<n3>\d{1,3}) ?(?P<sex3>f|m)\b"
    rf"|\b(?P<sex4>f|m|female|male|woman|man|lady),?(?: of)?[ /]?(?P<n4>\d{{2}}){_NO_SIZE}\b"
    r"|\b(?P<n5>\d{2}) ?/ ?(?P<sex5>f|m)\b"
    rf"|\b(?:person|patient|someone|somebody) of (?P<n6>{_NUMBER}){_NO_SIZE}\b"
)
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|approximately|approx\.?|circa|nearly|almost|some|say|c\.)"
    rf"(?: age[d]?| the age of)? (?P<n>{_NUMBER})\b{_NO_SIZE}{_YEARS}{_SEX}"
)
# Before a sex or an age group that is not wanted: "no women", "but not in children".
_NOT_WANTED = re.compile(
    r"(?:\b(?:no|not|non|without|excluding|except(?: for)?|exclude|never|other than|leave out)"
    r"(?: (?:in|of|for|an?|any|the))*[ -]|n't (?:an? )?)$"
)
# "f with", or "m pt" anywhere.
_INITIAL = re.compile(
    r"^ *([fm])(?= with\b| w/|,|;| \+)|(?<![\w'-])([fm])(?= (?:pts?|patients?)\b)"
)
_MONTHS = re.compile(r"\b(?P<n>\d{1,2})[- ]?(?:months?|weeks?|days?)(?:[- ]olds?| of age)\b")


class Person(NamedTuple):
    """Sex "F" or "M", and ages in whole years, both ends included; None where left open."""

    sex: str | None = None
    age_min: int | None = None
    age_max: int | None = None


def number_of(word: str) -> int:
    """The number that "64", "sixty" or "sixty-four" stands for."""
    if word.isdigit():
        return int(word)
    if word in _TEENS:
        return _TEENS[word]
    tens, _, unit = word.replace("-", " ").partition(" ")
    return _TENS[tens[:-1]] + _UNITS.get(unit, 0)


def find_person(text: str) -> tuple[Person, list[tuple[int, int]]]:
    """The person that a lower-case text asks for, and the [start, end) that say so.

    Ages are in whole years, as data sets give them: who has turned 60 is over 60 from that birthday
    on, so "over 60" includes 60, and "under 40" ends at 39. A sex or an open age band that is
    denied ("no women", "not in children") asks for the other.
    """
    spans: list[tuple[int, int]] = []
    sexes: set[str] = set()
    ages = _ages(text, spans, sexes)
    rest = _blanked(text, spans)
    for match in re.finditer(r"[^\W\d_]+", rest):
        if match[0] in _ALONE:
            said = _SEX_OF[match[0]]
            sexes.add(_OTHER_SEX[said] if _NOT_WANTED.search(text[: match.start()]) else said)
            spans.append(match.span())
    if initial := _INITIAL.search(rest):
        letter = 1 if initial[1] else 2
        sexes.add(_SEX_OF[initial[letter]])
        spans.append(initial.span(letter))
    sex = sexes.pop() if len(sexes) == 1 else None
    return Person(sex, *ages), spans


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _ages(
    text: str, spans: list[tuple[int, int]], sexes: set[str]
) -> tuple[int | None, int | None]:
    low: int | None = None
    high: int | None = None
    for rule, bounds in _RULES:
        for match in rule.finditer(_blanked(text, spans)):
            found = bounds(match)
            if found is None:
                continue
            low = found[0] if low is None else low
            high = found[1] if high is None else high
            sexes.update(_SEX_OF.get(word, "F") for word in _named(match, "sex"))
            sexes.update(_SEX_OF[word] for word in ("his", "her") if f"{word} " in match[0])
            spans.append(match.span())
    if low is None and high is None:
        low, high = _age_in_words(text, spans, sexes)
    return (high, low) if low is not None and high is not None and low > high else (low, high)


def _age_in_words(
    text: str, spans: list[tuple[int, int]], sexes: set[str]
) -> tuple[int | None, int | None]:
    rest = _blanked(text, spans)
    for words, low, high in _AGE_WORD:
        if match := words.search(rest):
            spans.append(match.span())
            if _NOT_WANTED.search(text[: match.start()]):
                return _outside(low, high)
            sexes.update(_SEX_OF[word] for word in match[0].split() if word in _ALONE)
            return low, high
    return None, None


def _outside(low: int | None, high: int | None) -> tuple[int | None, int | None]:
    """The ages outside a band that is open at one end; both open where it is not."""
    if not low and high is not None:
        return high + 1, None
    return (None, low - 1) if low and high is None else (None, None)


def _named(match: re.Match[str], name: str) -> list[str]:
    return [v for k, v in match.groupdict().items() if k.rstrip("123456") == name and v]


def _age(word: str, said: str) -> int | None:
    """A number as an age; None for one that is none, as in "at least 3 nodules"."""
    age = number_of(word)
    years = "y" in said or said.startswith("age")
    return age if (age >= YOUNGEST or years) and age <= OLDEST else None


def _range_of(match: re.Match[str]) -> tuple[int | None, int | None] | None:
    low, high = _age(match["n"], match["years"]), _age(match["n2"], match["years"])
    said = re.match(r"between|from|age", match[0]) or match["years"] or match["sex"]
    if low is None or high is None or not (said or low < high and " and " not in match[0]):
        return None
    return low, high


def _over_of(match: re.Match[str]) -> tuple[int | None, int | None] | None:
    age = _age(_named(match, "n")[0], match[0])
    return None if age is None else (age, None)


def _under_of(match: re.Match[str]) -> tuple[int | None, int | None] | None:
    age = _age(_named(match, "n")[0], match[0])
    return None if age is None else (None, age - (match["n2"] is None))


def _decade_of(match: re.Match[str]) -> tuple[int | None, int | None]:
    if match["n"]:
        first = number_of(match["n"]) // 10 * 10
        return first, first + 9
    word = match["decade"]
    first = int(word[:2]) if word[0].isdigit() else _TENS[word.removesuffix("ies")]
    start, end = {"early": (0, 3), "mid": (4, 6), "late": (7, 9), None: (0, 9)}[match["part"]]
    return first + start, first + end


def _months_of(match: re.Match[str]) -> tuple[int | None, int | None]:
    return 0, int(match["n"]) // 12 + 1 if "month" in match[0] else 1


def _exact_of(match: re.Match[str]) -> tuple[int | None, int | None] | None:
    age = _age(_named(match, "n")[0], match[0])
    return None if age is None else (age, age)


def _about_of(match: re.Match[str]) -> tuple[int | None, int | None] | None:
    age = _age(_named(match, "n")[0], match[0])
    return None if age is None else (max(0, age - ABOUT), age + ABOUT)


_RULES: tuple[tuple[re.Pattern[str], Callable], ...] = (
    (_RANGE, _range_of),
    (_OVER, _over_of),
    (_UNDER, _under_of),
    (_DECADE, _decade_of),
    (_MONTHS, _months_of),
    (_ABOUT, _about_of),
    (_EXACT, _exact_of),
)
