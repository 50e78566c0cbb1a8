"""Which findings a query asks for by name, to mark them on the films found.

Negation as in NegEx (Chapman et al. 2001): a word such as "no" speaks of what follows it in its
clause, one such as "ruled out" of what stands before it. In doubt a finding is not marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_CLAUSE = re.compile(r"[.;:!?\n]|\b(?:but|however|although|except|yet|though)\b")
_NOT_NEGATED = re.compile(r"\b(?:not only|no (?:change|increase|interval change) in)\b")
_BEFORE = re.compile(
    r"\b(?:no|not|non|nor|never|neither|without|w/o|denies|lacks?|lacking|free of|clear of"
    r"|negative for|absence of|absent|rules? out|ruling out|r/o|excludes?|excluding|isn't|aren't)\b"
)
_AFTER = re.compile(
    r"\b(?:absent|none|negative|excluded|ruled out|resolved|gone|not (?:seen|present|there|visible)"
    r"|free)\b"
)


def asked_for(query: str, findings: Iterable[str]) -> set[str]:
    """Those of `findings` that `query` names as whole words, in singular or plural, not negated."""
    clauses = [part for clause in _CLAUSE.split(query.lower()) for part in _parts(clause)]
    return {name for name in findings if any(_affirms(clause, name) for clause in clauses)}


def _parts(clause: str) -> list[str]:
    """A clause at its commas, unless "or" makes it one list: "no edema, effusion or mass"."""
    clause = _NOT_NEGATED.sub(" ", clause)
    return [clause] if re.search(r"\b(?:or|nor)\b", clause) else clause.split(",")


def _affirms(clause: str, name: str) -> bool:
    found = re.search(rf"\b{re.escape(name)}(?:s|es)?\b", clause)
    return bool(found) and not (
        _BEFORE.search(clause, 0, found.start()) or _AFTER.search(clause, found.end())
    )
