"""python -m cxr collection export: files for a teaching round, one line for bad input."""

from __future__ import annotations

import json

import pytest

from cxr.cli.main import main
from cxr.defaults import GALLERY, find_shipped
from cxr.gallery import Gallery


@pytest.fixture(scope="module")
def ids():
    return [study.id for study in Gallery.open(find_shipped(GALLERY)).studies[:2]]


def test_both_files_are_written_and_missing_studies_named(ids, tmp_path, capsys):
    (tmp_path / "ids.json").write_text(json.dumps([*ids, "gone"]))
    pdf, slides = tmp_path / "new" / "a.pdf", tmp_path / "a.zip"
    words = ["collection", "export", str(tmp_path / "ids.json"), "--json", "--no-captions"]
    assert main([*words, "--pdf", str(pdf), "--slides", str(slides)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"pdf": str(pdf), "slides": str(slides), "missing": ["gone"]}
    assert "1 of 3 studies are not in this gallery: gone" in printed.err
    assert pdf.read_bytes().count(b"/Type /Page\n") == 3 and slides.read_bytes()[:2] == b"PK"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zip", "ids.json", "new"]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ('["a"]', [], "--pdf OUT or --slides OUT"),
        ("junk", ["--pdf", "a.pdf"], "as JSON"),
        ('["gone"]', ["--pdf", "a.pdf"], "none of them"),
        (" " * 1_000_001, ["--pdf", "a.pdf"], "at most 1,000,000 bytes"),
    ],
)
def test_bad_input_is_one_line(text, options, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.json").write_text(text)
    assert main(["collection", "export", "c.json", *options]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert words in said[-1] and not (tmp_path / "a.pdf").exists()
