"""From findings with words to a report that cannot contradict itself, nor say more than is known.

What is likely or possible is said so, in findings and impression alike. What is unlikely is denied
only where that may be done, and not beside a finding akin to it that is raised. What is "not sure"
is named as open, and what is "not assessed" as such.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cxr.reporting.calibration import (
    LIKELY,
    NOT_ASSESSED,
    NOT_SURE,
    SUGGESTED,
    UNLIKELY,
)
from cxr.reporting.claims import ABSENT, LUNGS, POSSIBLE
from cxr.reporting.measured import HeartRatio, Measurements
from cxr.reporting.overall import LOOKS_ABNORMAL, LOOKS_NORMAL
from cxr.reporting.phrases import WORDINGS, Phrase
from cxr.retrieval import Match

REGIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lungs", LUNGS),
    ("pleura", ("pleural effusion", "pleural thickening", "pneumothorax")),
    ("heart", ("cardiomegaly",)),
    ("diaphragm", ("hernia",)),
)
# Names for much the same shadow: to deny one beside another that is raised would be confusing.
AKIN: tuple[frozenset[str], ...] = (
    frozenset(("consolidation", "pneumonia", "infiltration", "lung opacity")),
    frozenset(("nodule", "mass", "lung lesion")),
    frozenset(("cardiomegaly", "enlarged cardiomediastinum")),
)
# What a missed finding costs the patient, against a chronic one that changes little. A teacher's
# order: it sorts the impression and enters no probability.
WEIGHTS = {
    "pneumothorax": 4.0,
    "mass": 4.0,
    "pneumonia": 3.0,
    "consolidation": 3.0,
    "edema": 3.0,
    "nodule": 3.0,
    "pleural effusion": 2.5,
    "cardiomegaly": 2.0,
    "atelectasis": 1.5,
    "emphysema": 1.5,
    "fibrosis": 1.5,
}  # 1 for every other
SERIOUS = 2.0  # weight of the findings without which no image is called normal
LONGEST_IMPRESSION = 3
NEVER_ASSESSED = ("bones", "devices", "the mediastinum")


@dataclass(frozen=True)
class Sentence:
    """A sentence of the report and what it rests on.

    Attributes:
        text: the sentence.
        section: "findings" or "impression".
        claims: finding -> POSSIBLE (likely ones too, which the text calls so) or ABSENT.
        probability: of the finding, of the likeliest where some are denied; NaN without claims.
        similarity: cosine of sentence and image, NaN for one put together here.
        source, origin: as of a Phrase.
        support: similar studies that bear the claims out.
        prompt: what to ask the heat map for, "" where nothing is shown.
        alternatives: further sentences that say the same with side or severity, best first; the
            model has learned neither, the reader may.
        npv: the least negative predictive value of the findings that are denied, in [0, 1]; NaN
            where nothing is.
    """

    text: str
    section: str
    claims: Mapping[str, str] = field(default_factory=dict)
    probability: float = float("nan")
    similarity: float = float("nan")
    source: str = ""
    origin: str = ""
    support: tuple[Match, ...] = ()
    prompt: str = ""
    alternatives: tuple[str, ...] = ()
    npv: float = float("nan")


# Claims and a word -> the sentence that makes exactly these claims in the mood of the word and fits
# the image best, with its similarity; None if there is none.
Choose = Callable[[Mapping[str, str], str], "tuple[Phrase, float] | None"]


def compose_report(
    words: Mapping[str, str],
    choose: Choose,
    deniable: Collection[str] = (),
    ratios: Mapping[str, float] | None = None,
    measured: Measurements | None = None,
    overall: str = "",
) -> list[Sentence]:
    """Compose the sentences of a report, Findings first, then Impression.

    Args:
        words: finding -> its word.
        choose: finds a sentence for claims and a word.
        deniable: the findings that may be denied if they are unlikely.
        ratios: finding -> probability over prior, which orders the impression; 1 for the others.
        measured: where findings lie and how large the heart is; None where nothing was measured.
        overall: the word for the image as a whole (cxr.reporting.overall); "" where none is known.

    Returns:
        The sentences, without evidence.
    """
    denied = {name for name in deniable if _may_deny(name, words)}
    composed: list[Sentence] = []
    for region, members in REGIONS:
        raised = [name for name in members if words.get(name) in SUGGESTED]
        said = [_raise(name, words[name], choose, measured) for name in raised]
        known = [name for name in members if name in words]
        said += _denials(region, known, denied, choose)
        if region == "heart" and measured is not None and measured.heart is not None:
            said = _with_ratio(said, measured.heart)
        composed += said
    composed += _left_open(words)
    composed.append(_not_assessed(words))
    return composed + _impression(words, denied, ratios or {}, overall)


def _may_deny(name: str, words: Mapping[str, str]) -> bool:
    """Whether a finding is unlikely, and nothing akin to it is raised or open."""
    kin = set().union(*(group for group in AKIN if name in group)) - {name}
    others = (words.get(other, UNLIKELY) for other in kin)
    return words.get(name) == UNLIKELY and all(one in (UNLIKELY, NOT_ASSESSED) for one in others)


def _raise(name: str, word: str, choose: Choose, measured: Measurements | None) -> Sentence:
    """The sentence that raises a finding, with its place where that is known."""
    claims = {name: POSSIBLE}
    place = measured.places.get(name) if measured is not None else None
    if place:
        return Sentence(_capital(f"{word} {_plain(name)} {place}."), "findings", claims)
    found = choose(claims, word)
    if found is None:
        text = _capital(f"{WORDINGS[name].name if name in WORDINGS else name} is {word}.")
        return Sentence(text, "findings", claims)
    return _chosen(*found, claims)


def _with_ratio(said: Sequence[Sentence], heart: HeartRatio) -> list[Sentence]:
    """The sentences on the heart, the first with its measured ratio; that alone without any."""
    if not said:
        return [Sentence(f"{_capital(heart.words)}.", "findings")]
    raised = ABSENT not in said[0].claims.values()
    agrees = heart.borderline or raised is heart.enlarged
    joint = ":" if agrees else ", but with a"
    first = replace(said[0], text=f"{said[0].text.removesuffix('.')}{joint} {heart.words}.")
    return [first, *said[1:]]


def _chosen(phrase: Phrase, similarity: float, claims: Mapping[str, str]) -> Sentence:
    return Sentence(
        phrase.text,
        "findings",
        dict(claims),
        similarity=similarity,
        source=phrase.source,
        origin=phrase.origin,
    )


def _denials(
    region: str, known: Sequence[str], denied: Collection[str], choose: Choose
) -> list[Sentence]:
    """One sentence that calls the region normal where all of it is, else what can be denied."""
    absent = [name for name in known if name in denied]
    if not absent:
        return []
    claims = dict.fromkeys(absent, ABSENT)
    if region in ("lungs", "heart") and len(absent) == len(known):
        found = choose(dict.fromkeys(LUNGS, ABSENT) if region == "lungs" else claims, UNLIKELY)
        if found is not None:
            return [_chosen(*found, claims)]
    return [Sentence(f"No {_listed([_plain(name) for name in absent], 'or')}.", "findings", claims)]


def _named(words: Mapping[str, str], word: str) -> list[str]:
    """The findings of a word by anatomy, the others after them, as they are called in a report."""
    anatomy = [name for _, members in REGIONS for name in members]
    ordered = [*(name for name in anatomy if name in words), *sorted(set(words) - set(anatomy))]
    return [_plain(name) for name in ordered if words[name] == word]


def _left_open(words: Mapping[str, str]) -> list[Sentence]:
    names = _named(words, NOT_SURE)
    return [Sentence(f"Not sure either way: {', '.join(names)}.", "findings")] if names else []


def _not_assessed(words: Mapping[str, str]) -> Sentence:
    """The sentence that says what nobody looked at."""
    text = _listed([*_named(words, NOT_ASSESSED), *NEVER_ASSESSED], "and")
    return Sentence(f"Not assessed by this model: {text}.", "findings")


def _impression(
    words: Mapping[str, str],
    denied: Collection[str],
    ratios: Mapping[str, float],
    overall: str,
) -> list[Sentence]:
    """What matters most of what is raised; else that nothing is, as far as it can be said.

    Where nothing raised is likely, what is merely possible does not explain an abnormal image.
    """
    leading = leading_findings(words, ratios)
    if leading:
        raised = [
            Sentence(_capital(f"{words[name]} {_plain(name)}."), "impression", {name: POSSIBLE})
            for name in leading
        ]
        if overall == LOOKS_ABNORMAL and words[leading[0]] != LIKELY:
            raised.insert(0, Sentence("The image looks abnormal as a whole.", "impression"))
        return raised[:LONGEST_IMPRESSION]
    absent = [] if NOT_SURE in words.values() else [name for name in words if name in denied]
    return [Sentence(_nothing_raised(words, overall), "impression", dict.fromkeys(absent, ABSENT))]


def _nothing_raised(words: Mapping[str, str], overall: str) -> str:
    """How normal an image may be called on which no finding is suggested."""
    missing = [name for name, word in words.items() if word == NOT_ASSESSED]
    count = len(words) - len(missing)
    if not count:
        return "No finding was assessed."
    none = f"none of the {count} findings assessed is suggested"
    if NOT_SURE in words.values():
        none = "no finding is suggested with confidence"
    unassessed = f"{len(missing)} {'is' if len(missing) == 1 else 'are'} not assessed"
    if overall == LOOKS_ABNORMAL:
        further = f", and {unassessed}" if missing else ""
        return f"The image looks abnormal as a whole, but {none}{further}."
    if overall == LOOKS_NORMAL or not (
        overall or NOT_SURE in words.values() or any(map(_serious, missing))
    ):
        return f"Looks normal as a whole: {none}{f'; {unassessed}' if missing else ''}."
    if NOT_SURE not in words.values() and missing:
        none += f"; with {len(missing)} not assessed, the image cannot be called normal"
    return f"{_capital(none)}."


def _serious(name: str) -> bool:
    return WEIGHTS.get(name, 1.0) >= SERIOUS


def leading_findings(words: Mapping[str, str], ratios: Mapping[str, float]) -> list[str]:
    """Choose the findings of the impression.

    Args:
        words: finding -> its word.
        ratios: finding -> probability over prior.

    Returns:
        At most LONGEST_IMPRESSION of the suggested findings, the likely first, then by ratio times
        weight; of findings that are akin only the first.
    """

    def rank(name: str) -> tuple[bool, float]:
        return words[name] != LIKELY, -ratios.get(name, 1.0) * WEIGHTS.get(name, 1.0)

    leading: list[str] = []
    for name in sorted((name for name in words if words[name] in SUGGESTED), key=rank):
        akin = set().union(*(group for group in AKIN if name in group))
        if akin.isdisjoint(leading):
            leading.append(name)
    return leading[:LONGEST_IMPRESSION]


def _plain(name: str) -> str:
    wording = WORDINGS.get(name)
    return wording.name.removeprefix("a ").removeprefix("an ") if wording else name


def _listed(names: Sequence[str], last: str) -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else names[0]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def report_text(sentences: Sequence[Sentence]) -> str:
    """The report as text: "Findings: ..." and, on the next line, "Impression: ..."."""
    findings = " ".join(one.text for one in sentences if one.section == "findings")
    impression = [one.text for one in sentences if one.section == "impression"]
    numbered = (
        impression
        if len(impression) == 1
        else [f"{number}. {text}" for number, text in enumerate(impression, 1)]
    )
    return f"Findings: {findings}\nImpression: {' '.join(numbered)}"
