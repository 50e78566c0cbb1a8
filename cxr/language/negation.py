"""Whether a text affirms, doubts or denies what it mentions.

Rules by scope, in the manner of NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009): a
word such as "no" speaks of what follows in its clause, one such as "ruled out" of what stands
before it. Search, highlights, report claims and localization targets all use these rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

PRESENT, POSSIBLE, ABSENT = "present", "possible", "absent"

_SEEN = (
    "seen|identified|present|evident|visible|visuali[sz]ed|noted|found|demonstrated|detected|shown"
    "|appreciated|apparent|observed|there|suspected|recogni[sz]ed|depicted|included|wanted"
)
_IS = "is|are|was|were|be|been|has been|have been"
_NO_CHANGE = (
    r"(?:significant |interval |marked |definite |appreciable |relevant )*(?:changes?|increase"
    r"|decrease|progression|worsening|improvement|difference)(?: (?:in|of|to|from)\b)?"
)
_GONE = r"gone(?! (?:stiff|hard|solid|white|cloudy|hazy|flat|soft|bad|wrong|big|dull|down)\b)"
# Kind of cue -> pattern. Order matters: at one place the first kind that matches wins.
_WORD_CUES = {
    "pseudo": rf"not only|not just|not (?:\w+ )?changed|no {_NO_CHANGE}|without {_NO_CHANGE}"
    r"|no more than|not necessarily|no doubt|without (?:any )?doubt|not without|if not"
    r"|whether or not|(?:consistent|compatible|in keeping|associated) with",
    "doubt": r"(?:can ?not|can't|could not|couldn't|not|unable to|difficult to|hard to|never) "
    r"(?:be )?(?:\w+ly )?(?:exclude|rule (?:it )?out)(?!d)|rule[- ]out|ruling out|r ?/ ?o|r\.o\."
    r"|possibl[ey]|possibility(?: of)?|probabl[ey]|probability of|likely|maybe|perhaps"
    r"|(?:may|might|could)(?: also)?(?: be| represent| reflect| have| indicate)?|to exclude"
    r"|presum(?:ed|ably)"
    r"|suggest(?:s|ed|ing|ive|ion)?(?: of)?|suspicious(?: for| of)?|suspicion(?: of| for)?"
    r"|suspect(?:ed|ing)?|question(?:able|ed)?(?: of| about)?|uncertain|unsure"
    r"|unclear(?: if| whether)?|concern(?:s|ed|ing)?(?: for| of| about)?|potential(?:ly)?"
    r"|worr(?:y|ied|isome)(?: about| for)?|equivocal(?: for)?|indeterminate(?: for)?"
    r"|differential(?: diagnosis)?(?: of| includes?)?|ddx|versus|vs|quer(?:y|ied)"
    r"|(?:evaluate|evaluation|assess|assessment|check) for",
    "doubt_after": r"(?:can ?not|can't|could not|not) (?:be )?(?:\w+ly )?(?:excluded|ruled out)"
    rf"|(?:{_IS}) (?:\w+ly )?(?:possible|suspected|questioned|questionable|likely|probable"
    r"|uncertain|considered)|in question|should be considered|to be (?:excluded|ruled out)",
    "deny_after": rf"(?:(?:{_IS}|has|have|does|do|can|could) ?)?(?:not|no longer|never)"
    rf"(?: be| been)?(?: \w+ly| yet| well)?(?: be| been)? (?:{_SEEN})"
    rf"|(?:is|are|was|were|ca|could|has|have)n't (?:be |been )?(?:{_SEEN})|nowhere"
    rf"|(?:(?:{_IS}) )?(?:ruled out|excluded|resolved|{_GONE}|unlikely|cleared|disproved)"
    rf"|(?:has|have) (?:completely |fully )?(?:resolved|cleared|{_GONE}|disappeared)"
    rf"|(?:{_IS}) (?:absent|none|negative|lacking|missing)|no(?= ?$)",
    "either": r"absent|none|negative|resolved",
    "deny": r"(?:nothing|not anything|no hint|not a trace|no trace|no hints?)"
    r" (?:in the way of|like|to suggest|suggesting|suggestive of|of)"
    r"|no evidence (?:of|for|to suggest)|no signs? of|no|not|non|nor|neither|never|without"
    r"|w/o|w/out|den(?:ies|ied|ying)|lack(?:s|ing)?(?: of)?|free (?:of|from)|clear (?:of|from)"
    r"|negative for|absence of|absent of|devoid of|rules out|ruled out|exclud(?:ing|es?)|minus"
    r"|(?:is|are|was|were|does|do|did|has|have)n'?t|(?:cannot|can't|cant|do not) see|do not"
    r"|rather than|instead of|avoid(?:ing)?|leav(?:e|ing) out|omit(?:ting)?|ignore|skip|sans|nil"
    r"|(?:anything|everything|all) but",
    "break": r"but|however|although|though|except(?:ing)?(?: for)?|yet|whereas|while|apart from"
    r"|aside from|other than|besides|still|nevertheless|otherwise|save for|which may|only|now"
    r"|with the exception of|in (?:an? |the )?patients?|despite"
    r"|plus|also|instead|then|as well as",
    "with": r"with|has|have|having|shows?|showing|there (?:is|are)|demonstrates?|containing"
    r"|presence of|positive for",
    "or": r"or|nor|and ?/ ?or",
    "and": r"and",
}
_MARK_CUES = {
    "free": r"[- ]free(?! (?:of|from))(?= |$|[.,;])",
    "or": r"/",
    "and": r"[&+]",
    "comma": r",| - ",
    "stop": r"(?<!\bpleural)(?<!\bpt)[.](?= |$)|[;!\n]|:(?! ?(?:none|absent|negative|no\b|nil|not))"
    r"|[?](?= |$)",
}


def _compiled() -> re.Pattern[str]:
    words = [rf"(?P<{kind}>(?<![\w'])(?:{rule})(?![\w']))" for kind, rule in _WORD_CUES.items()]
    marks = [rf"(?P<{kind}_mark>{rule})" for kind, rule in _MARK_CUES.items()]
    return re.compile("|".join(words + marks))


_CUE = _compiled()
_ASKED = re.compile(r"[?] ?(?=\w)|(?:^|(?<=\s))-(?=\w)")  # "?pneumonia", "-effusion"
_FRESH = re.compile(  # after "and": a thing of its own, not one more that is denied
    r" ?(?:an?|the|some|there|with|also|then|only|has|have|shows?|is|are|small|tiny"
    r"|minimal|mild|slight|large|big|huge|massive|severe|moderate|marked"
    r"|extensive|enlarged|increased|bilateral|obvious|clear|normal|new|possible)\b"
)


class Cue(NamedTuple):
    """A word that denies, doubts, joins or separates, at [start, end) of the text."""

    start: int
    end: int
    kind: str


def find_cues(text: str) -> list[Cue]:
    """The cues of a lower-case text, in order."""
    cues = [
        Cue(match.start(), match.end(), (match.lastgroup or "").removesuffix("_mark"))
        for match in _CUE.finditer(text)
    ]
    asked = {"?": "doubt", "-": "deny"}
    cues += [Cue(m.start(), m.end(), asked[m[0].strip()]) for m in _ASKED.finditer(text)]
    return sorted(cues)


def states_of(
    text: str,
    spans: Sequence[tuple[int, int]],
    cues: Sequence[Cue] | None = None,
    report: bool = False,
) -> list[str]:
    """Whether each mention of a text is affirmed, doubted or denied.

    Args:
        text: in lower case.
        spans: [start, end) of each mention, in order and apart from each other.
        cues: those of the text, if they are known.
        report: commas do not end a denial, as in "no effusion, pneumothorax"; in a query they do
            ("no edema, cardiomegaly") unless "or" makes one list.

    Returns:
        PRESENT, POSSIBLE or ABSENT, one a mention.
    """
    found = find_cues(text) if cues is None else cues
    inside = [cue for cue in found if not any(s < cue.end and cue.start < e for s, e in spans)]
    items: list[tuple[int, int, str, int]] = [(c.start, c.end, c.kind, -1) for c in inside]
    items += [(start, end, "mention", spot) for spot, (start, end) in enumerate(spans)]
    return _Walk(text, sorted(items), len(spans), report).states


class _Walk:
    """One pass over the cues and mentions of a text."""

    def __init__(self, text: str, items: list, count: int, report: bool) -> None:
        self.text, self.items, self.report = text, items, report
        self.states = [PRESENT] * count
        self.segment: list[int] = []  # mentions that a word after them may speak of
        self.active = ""  # what is said of the mentions that follow
        self.used = False  # whether a mention has followed since
        self.passed = False  # whether a "pseudo" cue came last
        for spot, item in enumerate(items):
            self._step(spot, *item)

    def _step(self, spot: int, start: int, end: int, kind: str, mention: int) -> None:
        if kind == "mention":
            if self.active:
                self.states[mention] = self.active
                self.used = True
            self.segment.append(mention)
        elif kind in ("deny_after", "free", "doubt_after"):
            self._after(POSSIBLE if kind == "doubt_after" else ABSENT)
            if kind == "deny_after" and not self.segment:
                self._open(ABSENT)
        elif kind == "either":
            self._after(ABSENT) if self.segment else self._open(ABSENT)
        elif kind == "deny":
            self._open(ABSENT)
        elif kind == "doubt":
            self._doubt(start, end)
        elif kind in ("break", "stop"):
            self._close()
        elif kind == "with" and self.used or kind == "and" and self._ends_here(end):
            self._close()
        elif kind == "comma" and not self._continues(spot):
            self._close()

    def _open(self, state: str) -> None:
        self.active, self.used, self.segment = state, False, []

    def _close(self) -> None:
        self._open("")

    def _doubt(self, start: int, end: int) -> None:
        word = self.text[start:end]
        if word in ("versus", "vs") and self.segment and self.active != ABSENT:
            self.states[self.segment[-1]] = POSSIBLE
        if re.match(r" ?(?:[.,;!]|$)", self.text[end:]) and self.segment:
            self._after(POSSIBLE)
        elif not (self.active == ABSENT and (not self.used or word.startswith("su"))):
            self._open(POSSIBLE)

    def _after(self, state: str) -> None:
        for mention in self.segment:
            if self.states[mention] != ABSENT or state == POSSIBLE:
                self.states[mention] = state
        self._close()

    def _ends_here(self, end: int) -> bool:
        """Whether "and" begins a thing of its own: "no effusion and a big heart"."""
        return bool(self.active) and self.used and bool(_FRESH.match(self.text, end))

    def _continues(self, spot: int) -> bool:
        """Whether a comma stands inside one list."""
        if not self.active:
            return False
        if self.report or not self.used:
            return self.used or self.report
        joined = False
        for _, end, kind, _ in self.items[spot + 1 :]:
            if kind in ("or", "and") and not (kind == "and" and _FRESH.match(self.text, end)):
                joined = True
            elif kind == "mention":
                if joined:
                    return True
            elif kind != "comma":
                return False
        return False
