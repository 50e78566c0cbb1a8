"""Sentences of a report corpus that the user holds, for retrieval beside our own phrases.

A corpus on disk is a folder with `sentences.json`. It never ships: a report's text stays under the
terms of the data set that it came with.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cxr.data import holds_openi, load_reports, load_studies
from cxr.files import read_json, replace_folder, write_json
from cxr.findings import Study
from cxr.reporting.claims import ABSENT, claims_of, sentences
from cxr.reporting.phrases import SIDES, Phrase

FORMAT_VERSION = 1
SENTENCES = "sentences.json"
LONGEST = 160  # characters
# Words that speak of what no single image shows: earlier images, advice, the person, removed names.
_ELSEWHERE = re.compile(
    r"xxxx|\b(?:stable|unchanged|change[ds]?|prior|previous\w*|interval|compar\w+|again|since"
    r"|new|newly|now|persist\w*|resol\w+|improv\w+|worsen\w*|increas\w+|decreas\w+|recommend\w*"
    r"|follow\w*|correlat\w+|clinical\w*|patient\w*|history|lateral|ct|mri|tomograph\w+|known"
    r"|post\w*|status|remov\w+|surg\w+|recent\w*|age|year\w*|month\w*|given|continu\w+"
    r"|otherwise|acute\w*|mediast\w+|cardiomediast\w+|contour\w*|bon[ey]\w*|osseous|spin\w+|rib\w*"
    r"|aort\w+|hil\w+|skelet\w+|soft tissues?|device\w*|lines?|tubes?|catheter\w*|infect\w+"
    r"|inflam\w+|differential|process\w*|disease|consistent|concern\w*|represent\w*|technique"
    r"|limited)\b|\d",
    re.I,
)
_SIDE = {
    "left": r"\bleft\b",
    "right": r"\bright\b",
    "bilateral": r"\b(?:bilateral\w*|both|bibasilar|bibasal)\b",
}
_SEVERITY = re.compile(
    r"\b(mild|minimal|tiny|small|slight|minor|subtle|trace|moderate|large|severe|extensive|marked"
    r"|massive|borderline|patchy|focal|diffuse|linear|streaky|scattered|basilar|basal|apical"
    r"|(?:upper|middle|lower) (?:lobe|lung))\w*\b",
    re.I,
)


def build_corpus(root: str | Path, out: str | Path, overwrite: bool = False) -> dict:
    """Read the reports of a data set and write their usable sentences to the folder `out`.

    Args:
        root: Open-I with or without its images, or any data set whose studies carry reports.
        out: where the corpus is written.
        overwrite: replace what lies at `out`.

    Returns:
        JSON-able counts: reports, sentences, out, licence.

    Raises:
        ValueError: `out` is taken, or no report holds a usable sentence.
    """
    root, out = Path(root).expanduser(), Path(out).expanduser().absolute()
    if out.exists() and not (overwrite and (out / SENTENCES).exists()):
        raise ValueError(
            f"expected no folder yet at {out}; there is one. Name another, or replace an earlier "
            "corpus with --overwrite"
        )
    if not root.is_dir():
        raise ValueError(f"expected a data set's folder at {root}; there is none. Check the path")
    studies = load_reports(root) if holds_openi(root) else load_studies(root)
    reported = [study for study in studies if study.report]
    phrases = corpus_phrases(reported)
    if not phrases:
        raise ValueError(
            f"expected reports in {root}; got {len(reported)} of {len(studies)} studies with one, "
            "and no usable sentence. Give a data set with reports, such as Open-I"
        )
    licence = "; ".join(sorted({study.licence for study in reported if study.licence}))
    rows = [
        {
            "text": phrase.text,
            "claims": dict(phrase.claims),
            "side": phrase.side,
            "severity": phrase.severity,
            "source": phrase.source,
            "origin": phrase.origin,
        }
        for phrase in phrases
    ]
    document = {
        "format_version": FORMAT_VERSION,
        "licence": licence,
        "reports": len(reported),
        "sentences": rows,
    }
    _write(out, document)
    return {"out": str(out), "reports": len(reported), "sentences": len(rows), "licence": licence}


def _write(out: Path, document: dict) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        new.chmod(0o755)
        write_json(new / SENTENCES, document)
        replace_folder(new, out)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def load_corpus(folder: str | Path) -> tuple[Phrase, ...]:
    """Read the sentences that build_corpus wrote.

    Raises:
        ValueError: missing, damaged or newer.
    """
    folder = Path(folder).expanduser()
    build = "build it: python -m cxr reports build ROOT --out DIR"
    try:
        document = read_json(folder / SENTENCES, "a report corpus")
    except ValueError as error:
        raise ValueError(f"{error}; {build}") from None
    try:
        if document["format_version"] != FORMAT_VERSION:
            raise ValueError(
                f"expected report corpus format {FORMAT_VERSION} in {folder}, got "
                f"{document['format_version']!r}; {build} --overwrite"
            )
        return tuple(
            Phrase(
                row["text"],
                tuple(row["claims"].items()),
                row["side"],
                row["severity"],
                row["source"],
                row["origin"],
            )
            for row in document["sentences"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"expected a report corpus in {folder}, its sentences are damaged ({error}); {build} "
            "--overwrite"
        ) from error


def corpus_phrases(studies: Sequence[Study]) -> list[Phrase]:
    """The sentences that one image can bear out, each once, with what they say.

    Those that speak of earlier images, advice, the person or a removed name are left out, as are
    those that say nothing about a finding, or raise one thing while denying another.
    """
    found: dict[str, Phrase] = {}
    for study in studies:
        for text in sentences(study.report or ""):
            key = " ".join(text.lower().split())
            if key in found or len(text) > LONGEST or _ELSEWHERE.search(text):
                continue
            claims = claims_of(text)
            if not claims or len({state == ABSENT for state in claims.values()}) > 1:
                continue
            sides = [side for side in SIDES if re.search(_SIDE[side], text, re.I)]
            side = "bilateral" if len(sides) > 1 else (sides or [""])[0]
            severity = _SEVERITY.search(text)
            found[key] = Phrase(
                text,
                tuple(sorted(claims.items())),
                side,
                severity[1].lower() if severity else "",
                study.source,
                study.id,
            )
    return list(found.values())
