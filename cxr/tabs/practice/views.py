"""What the Practice tab shows, as HTML from its templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cxr.findings import FINDINGS, Study
from cxr.localization import parse as parse_target
from cxr.practice import (
    CALIBRATION,
    FALSE_ALARM,
    HIT,
    LENGTHS,
    LONGEST_NOTE,
    MISS,
    NORMAL,
    OPEN,
    ORIGIN,
    REASONS,
    SIDE,
    SIGNS,
    SILENT,
    TIER_WORDS,
    TIERS,
    UNSURE,
    VERIFIED,
    Commitment,
    Contrast,
    Grade,
    Judgement,
    Pool,
    Profile,
    Session,
)
from cxr.tabs.localize.outlines import not_assessed
from cxr.tabs.shared.image_urls import ImageUrls
from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.study_text import badge, is_synthetic, person, summary
from cxr.tabs.shared.viewer import stage, tools

render = renderer(Path(__file__).parent)

LOADING = "Practice opens once the gallery is loaded…"
MODES = {
    "calibration": "First films",
    "practice": "Practice",
    "set": "Fixed set",
    "exam": "Exam",
    ORIGIN: "Real or generated?",
}
SAYS = (("normal", "Normal"), ("abnormal", "Abnormal"))  # their first letters are keys
ORIGINS = (("real", "Real"), ("generated", "Generated"))
# A verdict in words: what radiologists say, what a label says, what a generator was asked for.
VERDICTS = {
    HIT: ("right", "the label says so too", "so it was generated"),
    MISS: ("missed", "the label says it is there", "it was generated to show this"),
    FALSE_ALARM: ("a false alarm", "the label says it is absent", "it was generated without this"),
    UNSURE: ("uncertain to the readers, too", "the label leaves it open", "left open"),
    OPEN: ("not known", "no label speaks of it", "nobody asked for it: not known"),
}


@dataclass(frozen=True)
class Opinion:
    """What the model says of a study. words: finding -> (word, probability), if assessed."""

    words: Mapping[str, tuple[str, float]]

    @classmethod
    def of(cls, findings: Iterable[Any]) -> Opinion:
        """Read it from the findings of a ReportSuggester."""
        return cls({one.name: (one.word, one.probability) for one in findings if one.assessed})

    def raised(self) -> list[str]:
        """What the model holds for likely or possible."""
        return [n for n, (word, _) in self.words.items() if word in ("likely", "possible")]


def start(pool: Pool, profile: Profile, paused: bool) -> Markup:
    """Return what the tab shows before a session."""
    rehearsal = pool.courses == ("synthetic",)
    calibrated = any(one.mode != "exam" for one in profile.records)
    return render(
        "start.html",
        tiers=[(TIER_WORDS[tier], count) for tier, count in pool.tiers.items()],
        rehearsal=rehearsal,
        both=len(pool.courses) > 1,
        calibrated=calibrated,
        calibration=CALIBRATION,
        lengths=LENGTHS,
        answers=len(profile.records) + len(profile.judged),
        mixed=all(pool.origins),
        paused=paused,
        empty=not pool.courses,
    )


def question(pool: Pool, row: int, session: Session) -> Markup:
    """Return the image and the form to commit to an answer; it says nothing of the truth."""
    study, place = pool.studies[row], _place_in(session)
    return _question(
        session,
        stage(_film(pool, row), f"{place}. {person(study)}", person(study), badge(study)),
        SAYS,
        FINDINGS[1:],
        is_synthetic(study),
    )


def origin_question(key: str, session: Session) -> Markup:
    """Return an image and the form to call it real or generated; nothing else of it is shown."""
    film = stage(f"practice/origins/{key}.png", _place_in(session))
    return _question(session, film, ORIGINS)


def _place_in(session: Session) -> str:
    return f"Film {session.position + 1} of {session.length}"


def _question(
    session: Session,
    film: Markup,
    says: Sequence[tuple[str, str]],
    findings: Sequence[str] = (),
    synthetic: bool = False,
) -> Markup:
    return render(
        "question.html",
        stage=film,
        says=says,
        tools=tools(heat_map=False),
        place=_place_in(session),
        mode=MODES[session.mode],
        silent=session.mode in SILENT,
        synthetic=synthetic,
        findings=findings,
        origin=session.mode == ORIGIN,
        side=SIDE,
        done=session.position,
        length=session.length,
    )


def origin_feedback(one: Judgement, study: Study) -> Markup:
    """Return whether an image was told apart, and what is known of it."""
    return render(
        "origin.html",
        right=one.right,
        generated=one.generated,
        study=study.id,
        source=study.source,
        shows=summary(study),
        labelled=study.labelled,
    )


def _film(pool: Pool, row: int) -> str:
    return f"practice/films/{pool.keys[row]}.png"


def feedback(
    pool: Pool,
    row: int,
    commitment: Commitment,
    grade: Grade,
    beside: Contrast,
    images: ImageUrls,
    opinion: Opinion | None,
) -> Markup:
    """Return what there is to learn from an answer, the model's opinion last."""
    truth, study = pool.truths[row], pool.studies[row]
    about = beside.finding
    return render(
        "feedback.html",
        headline=headline(commitment, grade, truth.abnormal, truth.tier),
        right=bool(grade.abnormal_right),
        tier=TIER_WORDS[truth.tier],
        tier_kind=truth.tier,
        verdicts=[
            {
                "finding": one.finding,
                "kind": one.kind.replace(" ", "-"),
                "word": VERDICTS[one.kind][0 if one.verified else TIERS.index(truth.tier) or 1],
                "place": _place(one.located, one.marked),
            }
            for one in grade.verdicts
        ],
        drawn=bool(truth.regions),
        about=about,
        signs=SIGNS[about],
        study=study.id,
        shows=summary(study),
        reasons=REASONS,
        longest_note=LONGEST_NOTE,
        strip=_strip(pool, beside, images),
        transfer=None
        if beside.transfer is None
        else {
            "key": pool.keys[beside.transfer],
            "pair": sorted((about, beside.rival)),
            "film": _film(pool, beside.transfer),
        },
        heat=about if locatable(about) else "",
        opinion=_opinion(opinion, truth, about),
    )


def locatable(finding: str) -> bool:
    """Whether the localizer has a target of its own for a finding."""
    target = parse_target(finding)
    return target is not None and not not_assessed(finding, target)


def headline(commitment: Commitment, grade: Grade, abnormal: bool | None, tier: str) -> str:
    """Say in a line how normal or abnormal came out."""
    said = "abnormal" if commitment.abnormal else "normal"
    if abnormal is None:
        return f"You said {said}. Whether the film is normal is not known."
    truly = "abnormal" if abnormal else "normal"
    if tier == TIERS[-1]:
        return f"You said {said}; the film was generated as {truly}."
    if tier != VERIFIED:
        agrees = "agrees" if grade.abnormal_right else "disagrees"
        return f"You said {said}; the label {agrees}: {truly}."
    return f"{'Right' if grade.abnormal_right else 'Wrong'}: the film is {truly}."


def _place(located: bool | None, marked: bool) -> str:
    if located is None:
        return ""
    if not marked:
        return "no place given"
    return "in the right place" if located else "but elsewhere than radiologists drew it"


def _strip(pool: Pool, beside: Contrast, images: ImageUrls) -> list[dict[str, str]]:
    """The images of the contrast strip, each with what it is."""
    about = beside.finding
    rows = [(row, f"also {about}" if about != NORMAL else "also normal") for row in beside.same]
    rows += [(row, f"look-alike: {name}") for row, name in beside.alike]
    if beside.normal is not None:
        rows.append((beside.normal, "normal, matched"))
    return [
        {
            "film": images.address(pool.studies[row]),
            "words": words,
            "person": person(pool.studies[row]),
            "labels": summary(pool.studies[row]),
        }
        for row, words in rows
    ]


def _opinion(opinion: Opinion | None, truth: Any, about: str) -> dict[str, Any] | None:
    """What the model says, and of which findings it is wrong."""
    if opinion is None:
        return None
    raised = opinion.raised()
    known = {name: truth.value(name) for name in opinion.words}
    missed = [n for n in truth.positive if n in opinion.words and n not in raised]
    wrong = [n for n in raised if known[n] == 0]
    word = opinion.words.get(about)
    return {
        "raised": raised,
        "missed": missed,
        "wrong": wrong,
        "verified": truth.tier == VERIFIED,
        "about": f"{about}: {word[0]} ({word[1]:.0%})" if word and about != NORMAL else "",
    }


def transfer(shown: list[str], choice: str, tier: str) -> Markup:
    """Return what the one more film shows."""
    return render(
        "transfer.html",
        right=choice in shown,
        shown=", ".join(shown) or "neither",
        verified=tier == VERIFIED,
    )


def progress(found: Mapping[str, Any], profile: Profile, link: str, session: bool) -> Markup:
    """Return measures, learning curve, confusions and what can be taken home.

    Args:
        found: as measure_progress gives it.
        profile: whose answers they are.
        link: of a set with the same films; "" for none.
        session: whether these are the answers of one session.
    """
    exam = bool(profile.records) and profile.records[-1].mode == "exam"
    return render(
        "progress.html",
        tiers=[(tier, TIER_WORDS[tier], one) for tier, one in found["tiers"].items()],
        records=[_line(one) for one in profile.records[::-1]] if session else [],
        missed=sum({one.study: bool(one.grade.missed) for one in profile.records}.values()),
        origin=found["origin"],
        judged=profile.judged[::-1] if session else [],
        link=link,
        session=session,
        exam=exam,
        normal=NORMAL,
        curve=curve,
    )


def _line(record: Any) -> dict[str, Any]:
    """One answer in the list at a session's end."""
    truly = {True: "abnormal", False: "normal", None: "not known"}[record.truly_abnormal]
    shown = [name for name, value in record.values.items() if value == 1 and name != NORMAL]
    return {
        "study": record.study,
        "said": ", ".join(record.findings) or ("abnormal" if record.abnormal else "normal"),
        "truth": ", ".join(shown) or truly,
        "score": round(record.grade.score, 2),
        "verified": record.tier == VERIFIED,
    }


def curve(points: list[dict[str, float]]) -> str:
    """The learning curve as points of an SVG polyline, 200 wide and 60 high."""
    if len(points) < 2:
        return ""
    last = points[-1]["answers"]
    return " ".join(f"{200 * p['answers'] / last:.1f},{58 - 56 * p['score']:.1f}" for p in points)
