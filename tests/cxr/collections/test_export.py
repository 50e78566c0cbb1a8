"""Collections as PDF and slides: pages, captions, marks, licence, and what is refused."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cxr.collections import Collection, export_collection
from cxr.collections.pages import MARGIN, NOTE, Handout, draw_handout
from cxr.findings import Study

WIDTH, HEIGHT = 800.0, 500.0


@pytest.fixture
def gallery(tmp_path, film):
    film(1, (120, 90)).save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    person = {"view": "PA", "sex": "F", "age": 64}
    studies = [
        Study(
            "a", "a hospital", "p", tmp_path / "a.png", **person, findings={"cardiomegaly": 1},
            report="Heart large. " * 400, licence="CC0",
        ),
        Study("b", "synthetic: ours", "q", tmp_path / "a.png", licence="CC BY 4.0"),
        Study("c", "a hospital", "r", tmp_path / "broken.png", findings={"mass": -1}),
    ]  # fmt: skip
    return SimpleNamespace(studies=studies, header={"source": "two places"})


class Recorder:
    """A surface that keeps what is drawn on each page; every letter is half as wide as high."""

    width, height = WIDTH, HEIGHT
    ground, ink, muted = 1.0, 0.0, 0.5

    def __init__(self):
        self.pages = [[]]
        self.images = [[]]

    def page(self):
        self.pages.append([])
        self.images.append([])

    def measure(self, text, size, bold=False):
        return len(text) * size / 2

    def text(self, x, y, text, size, grey, bold):
        assert 0 <= x and x + self.measure(text, size) <= WIDTH and 0 <= y <= HEIGHT - size
        self.pages[-1].append(text)

    def box(self, x, y, width, height, grey):
        assert min(x, y) >= 0

    def image(self, image, x, y, width, height):
        assert image.mode == "L"
        self.images[-1].append((x, y, width, height))


def drawn(gallery, ids="abc", captions=True) -> Recorder:
    surface = Recorder()
    draw_handout(Handout.of(Collection(tuple(ids), "Round 1"), gallery, captions), surface)
    return surface


def test_a_title_then_one_study_a_page(gallery):
    surface = drawn(gallery, [*"cba", "gone"])
    title, *studies = (" ".join(page) for page in surface.pages)
    assert len(studies) == 3 and "Round 1" in title and "3 films" in title and NOTE in title
    assert "1 of 3 is synthetic" in title and "lacks them: 1 film" in title
    assert "CC BY 4.0; CC0" in title and "two places" in title
    assert "This film cannot be read." in studies[0] and "3 / 3" in studies[2]
    assert all(NOTE in page for page in studies)


def test_synthetic_images_are_marked_with_or_without_captions(gallery):
    for captions in (True, False):
        _, *studies = drawn(gallery, captions=captions).pages
        assert ["SYNTHETIC" in page for page in studies] == [False, True, False]


def test_captions_can_be_left_out_and_source_and_licence_stay(gallery):
    _, with_words, *_ = drawn(gallery).pages
    _, without, unread, _ = drawn(gallery, captions=False).pages
    said = " ".join(with_words)
    assert "64-year-old female, frontal PA view. Findings: cardiomegaly." in said
    assert "Heart large." in said and "…" in said and "Film a" in said
    assert sorted(without) == sorted(["1 / 3", "Round 1", "a hospital. CC0", NOTE])
    assert "synthetic: ours. CC BY 4.0" in unread


def test_an_image_keeps_its_aspect_and_stays_on_the_page(gallery):
    (x, y, width, height), *_ = drawn(gallery).images[1]
    assert width / height == pytest.approx(120 / 90)
    assert x >= MARGIN and y >= MARGIN and x + width < WIDTH and y + height < HEIGHT - MARGIN


def test_a_word_wider_than_a_line_is_broken(gallery):
    surface = Recorder()
    collection = Collection(("a",), "x" * 80)
    draw_handout(Handout.of(collection, gallery), surface)
    assert "".join(surface.pages[0]).count("x") == 80


def test_a_pdf_has_its_pages_whatever_its_name(gallery):
    data = export_collection(Collection((*"abc", "gone"), "Ärzte 日本"), gallery)
    assert data.startswith(b"%PDF-") and data.count(b"/Type /Page\n") == 4


def test_slides_are_png_in_their_order(gallery):
    data = export_collection(Collection(tuple("ab"), "Round"), gallery, "slides")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["00-title.png", "01.png", "02.png"]
        sheets = [np.asarray(Image.open(archive.open(name))) for name in archive.namelist()]
    assert {sheet.shape for sheet in sheets} == {(1080, 1920)}
    assert all(sheet[0, 0] == 0 and sheet.max() > 200 for sheet in sheets)


@pytest.mark.parametrize(
    ("ids", "format", "words"),
    [
        ("a", "docx", "pdf or slides"),
        (["gone"], "pdf", "none of them"),
        ([str(n) for n in range(61)], "pdf", "at most 60 studies to export, got 61"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(gallery, ids, format, words):
    with pytest.raises(ValueError, match=words):
        export_collection(Collection(tuple(ids)), gallery, format)
