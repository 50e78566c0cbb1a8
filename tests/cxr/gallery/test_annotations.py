import pytest
from gallery_helpers import ENCODER, encode, make_studies

from cxr.data.annotations import Annotation, Outline
from cxr.gallery.annotations import read_annotations, write_annotations
from cxr.gallery.check import check_gallery
from cxr.gallery.format import ANNOTATIONS
from cxr.gallery.gallery import Gallery, build_gallery

DRAWN = Annotation(
    (Outline("mass", ((0.25, 0.5), (0.5, 0.5), (0.5, 0.75)), "ChestX-Det"),),
    {"mass": 1, "edema": 0, "nodule": -1},
)


def test_what_was_drawn_and_said_comes_back(tmp_path):
    write_annotations(tmp_path, {3: DRAWN})
    assert read_annotations(tmp_path, 4) == {3: DRAWN}
    write_annotations(tmp_path, {})
    assert read_annotations(tmp_path, 4) == {} and not (tmp_path / ANNOTATIONS).exists()


def test_a_damaged_file_and_a_foreign_one_are_refused(tmp_path):
    write_annotations(tmp_path, {3: DRAWN})
    with pytest.raises(ValueError, match="annotations of 3 studies"):
        read_annotations(tmp_path, 3)
    (tmp_path / ANNOTATIONS).write_bytes(b"junk")
    with pytest.raises(ValueError, match="build the gallery again"):
        read_annotations(tmp_path, 4)


def test_a_gallery_carries_them_past_an_unreadable_image(tmp_path, film):
    studies = make_studies(tmp_path / "films", 4, film)
    studies[1].image.write_bytes(b"no image")
    out = tmp_path / "gallery"
    gallery = build_gallery(
        studies, encode, out, ENCODER, progress=False, annotations={"s2": DRAWN, "s1": DRAWN}
    )
    assert gallery.annotations == {1: DRAWN} and gallery.studies[1].id == "s2"
    assert gallery.info()["annotated"] == 1 and check_gallery(out) == []
    (out / ANNOTATIONS).write_bytes(b"junk")
    assert any("annotations" in problem for problem in check_gallery(out))


def test_a_gallery_without_them_opens_as_ever(tmp_path, film):
    studies = make_studies(tmp_path / "films", 2, film)
    gallery = build_gallery(studies, encode, tmp_path / "gallery", ENCODER, progress=False)
    assert gallery.annotations == {} and not (gallery.folder / ANNOTATIONS).exists()
    assert isinstance(Gallery.open(gallery.folder).annotations, dict)
