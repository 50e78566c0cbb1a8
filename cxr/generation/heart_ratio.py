"""The cardiothoracic ratio that a text asks for: "CTR 0.6", "heart ratio below 50%"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CARDIOMEGALY = "cardiomegaly"
HEART_RATIOS = (0.35, 0.75)  # cardiothoracic ratios that are drawn
ENLARGED = 0.5  # the ratio above which a heart is large
NORMAL_RATIO, RATIO_OF_SEVERITY, RATIO_SPREAD = 0.46, 0.09, 0.02
BEYOND = 0.03  # from a bound that a text names; films come about as near to what is asked for
FORMS = '"heart ratio 0.55", "CTR above 0.55", "CTR < 50%" or "CTR 0.5 to 0.6"'

_NAME = (
    r"\b(?:(?:(?:cardio[- ]?thoracic|cardiac|heart(?:[- ](?:to[- ])?(?:chest|thorax|lung))?|c/?t)"
    r"[- ])?ratio|cardio[- ]?thoracic[- ]index|ctr)\b"
)
_NUMBER = r"(?:\d*[.,]\d+|\d+(?![.,]?\d|[- ]?(?:years?|yrs?|y/?o|y|m|f)\b))"
_ABOVE = (
    "not (?:below|under)|no less than|at least|above|over|beyond|exceeding|exceeds|"
    "(?:more|greater|larger|higher|bigger) than|>=|=>|≥|>"
)
_BELOW = (
    "not (?:above|over)|no more than|at most|up to|below|under|within|"
    "(?:less|lower|smaller) than|<=|=<|≤|<"
)
_RATIO = re.compile(
    rf"(?P<denied>\b(?:no|not|without) (?:an? )?)?{_NAME}"
    r"(?:[ :=~(]|\b(?:of|is|at|about|around|a|the|between|from)\b(?! (?:least|most)))*"
    rf"(?:(?P<above>{_ABOVE})|(?P<below>{_BELOW}))? ?"
    rf"(?P<number>{_NUMBER})(?P<percent> ?(?:%|percent\b))?"
    r"(?: ?(?:to|and|-|–) ?(?P<last>\d?[.,]\d+|\d\d(?= ?(?:%|percent\b)))"
    r"(?P<last_percent> ?(?:%|percent\b))?)?\)?"
    r"(?: (?:or|and) (?:(?P<more>more|above|over|higher|larger|greater)"
    r"|(?P<less>less|below|under|lower|smaller))\b)?",
    re.IGNORECASE,
)
_NAMED = re.compile(_NAME, re.IGNORECASE)


@dataclass(frozen=True)
class AskedRatio:
    """What a text says of the heart ratio.

    Attributes:
        value: the ratio to draw; None where none is asked for, or none in HEART_RATIOS is meant.
        words: how the text says it; "" where it says nothing.
        rest: the text without it.
    """

    value: float | None
    words: str
    rest: str


def usual_heart_ratio(severities: Mapping[str, float], deviation: float = 0.0) -> float:
    """The heart ratio that goes with findings, `deviation` standard deviations from the mean."""
    mean = NORMAL_RATIO + RATIO_OF_SEVERITY * severities.get(CARDIOMEGALY, 0.0)
    return mean + RATIO_SPREAD * deviation


def read_heart_ratio(text: str) -> AskedRatio:
    """Read the cardiothoracic ratio that a text asks for.

    A ratio above or below a bound is the usual one where that lies there, else BEYOND the bound;
    one between two is their mean. A number above 1 is a percentage.

    Args:
        text: as typed.
    """
    match = _RATIO.search(text)
    if match is None:
        return AskedRatio(None, "", text)
    words = match[0].strip()
    rest = f"{text[: match.start()]},{text[match.end() :]}"
    first = _number(match["number"], bool(match["percent"] or match["last_percent"]))
    numbers = [first] if match["last"] is None else [first, _number(match["last"], False)]
    above, below = match["above"] or match["more"], match["below"] or match["less"]
    if match["denied"]:
        above, below = below, above
    if not all(HEART_RATIOS[0] <= number <= HEART_RATIOS[1] for number in numbers):
        drawn = None
    elif above:
        drawn = max(NORMAL_RATIO, min(numbers[0] + BEYOND, HEART_RATIOS[1]))
    elif below:
        drawn = min(NORMAL_RATIO, max(numbers[0] - BEYOND, HEART_RATIOS[0]))
    else:
        drawn = None if match["denied"] else sum(numbers) / len(numbers)
    return AskedRatio(None if drawn is None else round(drawn, 4), words, rest)


def names_heart_ratio(text: str) -> bool:
    """Whether a text speaks of the heart ratio, with a number or without."""
    return _NAMED.search(text) is not None


def _number(digits: str, percent: bool) -> float:
    value = float(digits.replace(",", "."))
    return value / 100 if percent or value > 1 else value
