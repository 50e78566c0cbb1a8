"""A session of practice: how many studies, chosen how; and the link that makes it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from cxr.findings import FINDINGS
from cxr.practice.grading import number
from cxr.practice.profile import COURSES, MODES

LENGTHS = (5, 15, 30)
CALIBRATION = 12  # studies before the first session, graded at its end
LONGEST_SET = 200
LARGEST_SEED = 2**31 - 1
SILENT = ("calibration", "exam")  # modes without feedback before the end
ORIGIN = "origin"  # the mode of a set on which images are real and which generated


@dataclass(frozen=True)
class Session:
    """What is being practised.

    Attributes:
        mode: "calibration", "practice", "set" (studies given, with feedback), "exam" or ORIGIN.
        length: how many studies.
        seed: the same seed, profile and gallery give the same studies.
        position: of the study that is asked for, from 0.
        course: one of COURSES; "" for the gallery's own.
        pair: (finding, look-alike) of a lesson on one confusion; empty for mixed practice.
        keys: the studies of a session whose studies stand from the beginning.
    """

    mode: str = "practice"
    length: int = 15
    seed: int = 0
    position: int = 0
    course: str = ""
    pair: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: object) -> Session:
        """Read and check what the page sends.

        Raises:
            ValueError: a part that is missing or out of its range.
        """
        if not isinstance(values, Mapping) or values.get("mode") not in (*MODES, ORIGIN):
            raise ValueError(f"expected a session with a mode among {', '.join((*MODES, ORIGIN))}")
        pair = tuple(str(name) for name in values.get("pair") or ())
        if pair and (len(pair) != 2 or pair[0] not in FINDINGS):
            raise ValueError(f"expected a pair of a finding and its look-alike, got {pair}")
        course = str(values.get("course") or "")
        if course and course not in COURSES:
            raise ValueError(f"expected a course among {', '.join(COURSES)}, got {course[:40]!r}")
        keys = values.get("keys") or []
        if not isinstance(keys, Sequence) or isinstance(keys, str) or len(keys) > LONGEST_SET:
            raise ValueError(f"expected at most {LONGEST_SET} studies in a set")
        length = int(number(values.get("length"), "a session's length", 1, LONGEST_SET))
        return cls(
            mode=values["mode"],
            length=length,
            seed=int(number(values.get("seed"), "a seed", 0, LARGEST_SEED)),
            position=int(number(values.get("position", 0), "a position", 0, LONGEST_SET)),
            course=course,
            pair=pair,
            keys=tuple(str(key) for key in keys),
        )

    def with_keys(self, keys: Sequence[str]) -> Session:
        """The session with its studies fixed."""
        return replace(self, keys=tuple(keys), length=len(keys))


def set_link(ids: Sequence[str], mode: str = "set", seed: int = 0) -> str:
    """The end of an address that opens a fixed set: "#practice?set=a,b&mode=exam&seed=7".

    Args:
        ids: of the studies, in the order in which they are asked.
        mode: "set" for feedback after each, "exam" for none before the end.
        seed: what the set was drawn with, so that it can be named.
    """
    listed = ",".join(quote(one, safe="") for one in ids)
    exam = "&mode=exam" if mode == "exam" else ""
    return f"#practice?set={listed}{exam}&seed={seed}"


def read_link(query: str) -> dict[str, Any]:
    """What stands behind "#practice?": {"ids": [...], "mode": "set" or "exam", "seed": 0}.

    Raises:
        ValueError: no study, too many, or another mode.
    """
    # Commas part the ids; one inside an id is escaped, so they are parted before unescaping.
    raw = next((p[4:] for p in query.lstrip("?").split("&") if p.startswith("set=")), "")
    ids = [unquote(part) for part in raw.split(",") if part]
    values = parse_qs(query.lstrip("?"))
    mode = values.get("mode", ["set"])[0]
    if not ids or len(ids) > LONGEST_SET:
        raise ValueError(f"expected 1 to {LONGEST_SET} studies in a set's link, got {len(ids)}")
    if mode not in ("set", "exam"):
        raise ValueError(f"expected mode set or exam in a set's link, got {mode[:40]!r}")
    seed = values.get("seed", ["0"])[0]
    return {"ids": ids, "mode": mode, "seed": int(seed) if seed.isdigit() else 0}
