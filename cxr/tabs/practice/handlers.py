"""What the page asks of practice: each handler takes a JSON document and returns another.

Nothing of a learner stays here: the profile comes with each request and goes back with the answer.
A study is called by its opaque key until it is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from PIL import Image

from cxr.defaults import find_shipped
from cxr.findings import FINDINGS, Study
from cxr.gallery import Gallery, is_gallery
from cxr.language import parse
from cxr.practice import (
    ORIGIN,
    SILENT,
    Commitment,
    Pool,
    Profile,
    Readers,
    Region,
    Session,
    anki_deck,
    answered,
    calibration_keys,
    choose,
    contrast_of,
    fixed_keys,
    judge,
    measure_progress,
    moment,
    origin_csv,
    origin_keys,
    origin_link,
    results_csv,
    results_json,
    same_look,
    set_link,
)
from cxr.tabs.localize.outlines import not_assessed
from cxr.tabs.practice import views
from cxr.tabs.practice.opinions import Opinions
from cxr.tabs.services import Services
from cxr.tabs.shared.image_urls import inline, png, study_image

HEAT_SIDE = 512  # pixels of a model's map, longer side
MOST_CARDS = 200  # in an Anki deck
# Modes whose studies stand from the beginning -> what draws them.
SET_OUT = {"calibration": calibration_keys, "exam": fixed_keys, ORIGIN: origin_keys}
Document = Mapping[str, Any]


class PracticeHandlers:
    """The handlers; they keep the gallery's pool, and what the model says of its images."""

    def __init__(self, services: Services) -> None:
        """Load nothing yet. services: gives the gallery, and models for what is shown after."""
        self.services = services
        self._opinions = Opinions(services)
        self._lock = threading.Lock()
        self._pool: Pool | None = None

    @property
    def pool(self) -> Pool:
        """The gallery's studies. Raises ValueError, with the remedy, where there is no gallery.

        It needs no model: how hard a study is goes by what the gallery's building read of it.
        """
        with self._lock:
            if self._pool is None:
                gallery = self._gallery()
                salt = str(gallery.header.get("build", gallery.folder.name))
                self._pool = Pool.of(
                    gallery.studies, gallery.embeddings, salt, _readers(gallery), _read(gallery)
                )
        return self._pool

    def _gallery(self) -> Gallery:
        """The gallery, without its encoder where that is not loaded and the folder is here."""
        folder = find_shipped(self.services.gallery)
        if not self.services.ready and is_gallery(folder):
            return Gallery.open(folder)
        return self.services.retriever().gallery

    def routes(self) -> dict[str, Callable[[Document], Document]]:
        """The handlers under the names by which the page calls them."""
        return {
            "start": self.start,
            "next": self.next,
            "grade": self.grade,
            "judge": self.judge,
            "finish": self.finish,
            "find": self.find,
            "transfer": self.transfer,
            "heat": self.heat,
            "progress": self.progress,
            "check": self.check,
            "set": self.open_set,
            "compose": self.compose,
            "results": self.results,
        }

    def start(self, asked: Document) -> Document:
        """What the tab shows first: what there is to practise on, and what was done so far."""
        profile = Profile.from_dict(asked.get("profile"))
        return {"html": views.start(self.pool, profile, bool(asked.get("paused")))}

    def next(self, asked: Document) -> Document:
        """The study that comes next: its image's address and the form, nothing of what it shows."""
        profile, session = (
            Profile.from_dict(asked.get("profile")),
            Session.from_dict(asked["session"]),
        )
        now, pool = moment(asked.get("now")), self.pool
        if session.mode in SET_OUT and not session.keys:
            session = session.with_keys(SET_OUT[session.mode](pool, session))
        if session.mode == ORIGIN:
            return self._next_origin(session, asked.get("key"))
        row = pool.row(asked["key"]) if asked.get("key") else choose(pool, profile, session, now)
        if session.mode not in SILENT:
            self._opinions.begin(pool.keys[row], pool.studies[row])
        return {
            "key": pool.keys[row],
            "keys": list(session.keys),
            "length": session.length,
            "html": views.question(pool, row, session),
        }

    def _next_origin(self, session: Session, asked_for: object) -> Document:
        """An image to be called real or generated."""
        if not asked_for and session.position >= len(session.keys):
            raise ValueError("expected a film of the set, its end is reached; end the session")
        row = self.pool.origin_row(asked_for or session.keys[session.position])
        return {
            "key": self.pool.origin_keys[row],
            "keys": list(session.keys),
            "length": session.length,
            "html": views.origin_question(self.pool.origin_keys[row], session),
        }

    def judge(self, asked: Document) -> Document:
        """Take in whether an image was called real or generated, and say which it is."""
        one = judge(self.pool, asked.get("key"), asked.get("answer"), moment(asked.get("now")))
        study = self.pool.studies[self.pool.origin_row(one.key)]
        return {"judged": [asdict(one)], "html": views.origin_feedback(one, study)}

    def grade(self, asked: Document) -> Document:
        """Take one answer in, and say what there is to learn from it."""
        profile, session = (
            Profile.from_dict(asked.get("profile")),
            Session.from_dict(asked["session"]),
        )
        if session.mode in (*SILENT, ORIGIN):
            raise ValueError("expected a session with feedback, got a silent one; finish it first")
        row, pool = self.pool.row(asked.get("key")), self.pool
        commitment = Commitment.from_dict(asked.get("answer"))
        now = moment(asked.get("now"))
        after, record, grade = answered(pool, profile, row, commitment, now, session.mode)
        met = pool.met(after)
        beside = contrast_of(pool, row, grade, met, session.seed + session.position)
        opinion = self._opinions.of(pool.keys[row], pool.studies[row])
        html = views.feedback(pool, row, commitment, grade, beside, self.services.images, opinion)
        return {**_changes(after, [record]), "html": html, "shapes": _shapes(pool, row, commitment)}

    def finish(self, asked: Document) -> Document:
        """Grade a silent session as a whole, in the order in which it was answered."""
        profile, session = (
            Profile.from_dict(asked.get("profile")),
            Session.from_dict(asked["session"]),
        )
        records = []
        for one in list(asked.get("answers") or [])[: session.length]:
            row, commitment = self.pool.row(one.get("key")), Commitment.from_dict(one.get("answer"))
            at = moment(one.get("at"))
            profile, record, _ = answered(self.pool, profile, row, commitment, at, session.mode)
            records.append(record)
        return _changes(profile, records)

    def find(self, asked: Document) -> Document:
        """The findings that a learner typed, in any words."""
        query = parse(str(asked.get("text", "")))
        named = [name for name in (*query.present, *query.uncertain) if name in FINDINGS[1:]]
        return {"findings": named, "unknown": list(query.unknown)}

    def transfer(self, asked: Document) -> Document:
        """Whether the one more study shows the finding or its look-alike; it is not counted."""
        truth = self.pool.truths[self.pool.row(asked.get("key"))]
        pair = [str(name) for name in asked.get("pair") or ()]
        shown = [name for name in pair if truth.value(name) == 1]
        return {"html": views.transfer(shown, str(asked.get("choice")), truth.tier)}

    def heat(self, asked: Document) -> Document:
        """Where the localizer marks a finding on a study that was answered."""
        finding = str(asked.get("finding"))
        image = study_image(self.pool.studies[self.pool.row(asked.get("key"))])
        found = self.services.localizer.get().find(image, finding)
        if said := not_assessed(finding, found.query):
            raise ValueError(said)
        map_ = Image.fromarray((255 * found.heat).round().astype("uint8"))
        return {"map": inline(map_, HEAT_SIDE), "taken": found.query.prompt}

    def progress(self, asked: Document) -> Document:
        """What the answers of a profile, or those of the session that ended last, come to."""
        profile, last = Profile.from_dict(asked.get("profile")), asked.get("last")
        link = ""
        if isinstance(last, int) and last > 0:
            if asked.get("session"):
                session = Session.from_dict(asked["session"])
                profile = replace(profile, records=(), judged=profile.judged[-last:])
                link = origin_link(session.length, session.seed)
            else:
                profile = replace(profile, records=profile.records[-last:], judged=())
                link = set_link([one.study for one in profile.records][-200:])
        return {"html": views.progress(measure_progress(profile), profile, link, bool(last))}

    def check(self, asked: Document) -> Document:
        """A profile that is imported, checked and as this version writes it."""
        return {"profile": Profile.from_dict(asked.get("profile")).to_dict()}

    def open_set(self, asked: Document) -> Document:
        """The keys of studies by their ids, as a link or a collection names them."""
        ids = [str(one) for one in list(asked.get("ids") or [])[:200]]
        rows = [self.pool.row_of_id[one] for one in ids if one in self.pool.row_of_id]
        keys = [self.pool.keys[row] for row in rows if self.pool.usable(row)]
        if not keys:
            raise ValueError(
                "expected films of this gallery with labels, the set names none; open it beside "
                "the gallery that it was made with"
            )
        return {"keys": keys, "left_out": len(ids) - len(keys)}

    def compose(self, asked: Document) -> Document:
        """A fixed set for a class: drawn once, the same for everyone who has its link."""
        session = Session.from_dict({**asked, "keys": []})
        if session.mode == ORIGIN:
            films = len(origin_keys(self.pool, session))
            return {"link": origin_link(session.length, session.seed), "films": films}
        rows = [self.pool.row(key) for key in fixed_keys(self.pool, session)]
        ids = [self.pool.studies[row].id for row in rows]
        return {"link": set_link(ids, session.mode, session.seed), "films": len(ids)}

    def results(self, asked: Document) -> Document:
        """The results as text, for the page to save: "csv", "origin" (as CSV too) or "json"."""
        profile = Profile.from_dict(asked.get("profile"))
        if asked.get("kind") == ORIGIN:
            return {"text": origin_csv(profile.judged)}
        if asked.get("kind") == "json":
            return {"document": results_json(profile)}
        return {"text": results_csv(profile.records)}

    def deck(self, asked: Document) -> bytes:
        """An Anki deck of the studies that were answered last."""
        profile = Profile.from_dict(asked.get("profile"))
        known = [one for one in profile.records if one.key in self.pool.row_of_key]
        return anki_deck(known[-MOST_CARDS:], self.film, "Chest X-rays that I practised")

    def film(self, key: str) -> bytes:
        """The image behind a key as PNG, without a word of metadata. ValueError for no key."""
        return png(study_image(self._study(key)))

    def origin_film(self, key: str) -> bytes:
        """The image behind a key of a set on origins, as all of them are shown there."""
        return png(same_look(study_image(self.pool.studies[self.pool.origin_row(key)])))

    def _study(self, key: str) -> Study:
        return self.pool.studies[self.pool.row(key)]


def _read(gallery: Gallery) -> dict[str, np.ndarray]:
    """What heads read of the gallery's N images: finding -> probabilities, float [N].

    Nothing of a gallery that was built without, whose studies all count as equally hard.
    """
    if gallery.logits is None:
        return {}
    chances = 1 / (1 + np.exp(-gallery.logits.values.astype(np.float32)))
    return {name: chances[:, place] for place, name in enumerate(gallery.logits.findings)}


def _readers(gallery: Gallery) -> dict[int, Readers]:
    """What the gallery carries of radiologists: row -> their readings, and regions by finding."""
    readers = {}
    for row, one in gallery.annotations.items():
        regions: dict[str, tuple[Region, ...]] = {}
        for outline in one.outlines:
            region = Region(outline.points, outline.source)
            regions[outline.target] = (*regions.get(outline.target, ()), region)
        readers[row] = Readers(one.readings or {}, regions)
    return readers


def _changes(profile: Profile, records: list) -> dict[str, Any]:
    """What the page must keep of a profile after answers: the new records, and the estimates."""
    whole = replace(profile, records=tuple(records)).to_dict()
    return {"records": whole["records"], "courses": whole["courses"]}


def _shapes(pool: Pool, row: int, commitment: Commitment) -> dict[str, Any]:
    """What to draw over the image: radiologists' outlines and the learner's marks."""
    truth = pool.truths[row]
    return {
        "drawn": {
            name: [region.points for region in regions] for name, regions in truth.regions.items()
        },
        "mine": {
            name: [mark.x, mark.y, mark.width, mark.height]
            for name, mark in commitment.marks.items()
            if mark is not None
        },
    }
