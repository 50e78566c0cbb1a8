"""Search measured: on galleries whose answers are known, and from the command line to the card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_dual_encoder
from training_data import make_nih

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.push import OWN
from cxr.data.load import load_studies
from cxr.findings import Study
from cxr.language.query import Query
from cxr.retrieval.ranking import LabelTable
from cxr.retrieval.retriever import Retriever
from train.cards.retrieval import search_section
from train.cards.tables import percent
from train.common.studies import frontal
from train.evaluate import main as evaluate
from train.evaluate.search import on_studies
from train.evaluate.search_queries import (
    AskedQuery,
    label_hits,
    measured,
    read_queries,
    relevance,
)
from train.evaluate.search_regions import SIDE, box_of, region_hits

HEADER = "kind\ttext\tpresent\tabsent\tsex\tage_min\tage_max\tview\n"
ROWS = (
    "name\tcardiomegaly\tcardiomegaly\t\t\t\t\t\n"
    "lay\tfluid around the lung\tpleural effusion\t\t\t\t\t\n"
    "person\tedema in a woman\tedema\t\tF\t\t\t\n"
    "name\thernia\thernia\t\t\t\t\t\n"  # no drawn study has one
)
TRAINING = {"data": [], "films": 1, "minutes": 2, "hardware": "a processor", "command": "train"}


def study(row: int, **findings: int) -> Study:
    return Study(f"{row}", "drawn", f"{row}", sex="FM"[row % 2], findings=findings)


def make_openi(root: Path) -> None:
    """Fourteen reports, of which the first, the seventh and the thirteenth are searched."""
    root.mkdir()
    said = {
        0: ("Cardiomegaly", "The heart is enlarged. No pleural effusion."),
        6: ("Pleural Effusion/left", "There is a small left effusion. Heart size is normal."),
        12: ("normal", "Clear lungs. Normal heart."),
    }
    lines = ["uid,MeSH,Problems,image,indication,comparison,findings,impression"]
    for uid in range(14):
        terms, text = said.get(uid, ("normal", "Normal chest."))
        lines.append(f"{uid},{terms},{terms},,,,{text},")
    (root / "indiana_reports.csv").write_text("\n".join(lines) + "\n", "utf-8")


def make_outlined(root: Path) -> None:
    """Six films of the test split, of which three show a mass in the same quarter."""
    make_nih(root, 6)
    names = sorted(path.name for path in root.rglob("*.png"))
    square = [[100, 100], [400, 100], [400, 400], [100, 400]]
    listed = [
        {
            "image": name,
            "syms": ["Mass"] * (row % 2),
            "boxes": [[100, 100, 400, 400]] * (row % 2),
            "polygons": [square] * (row % 2),
        }
        for row, name in enumerate(names)
    ]
    (root / "chestxdet.json").write_text(json.dumps(listed), "utf-8")
    rows = "".join(f"{name},test\n" for name in names)
    (root / "split.csv").write_text("Image Index,split\n" + rows, "utf-8")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    root = tmp_path_factory.mktemp("search")
    save_dual_encoder(tiny_dual_encoder(), root / "weights", {"training": TRAINING})
    data = make_nih(root / "nih", 72)
    studies = frontal(load_studies(data))[:24]
    on_studies(str(root / "weights"), studies, root / "gallery")
    (root / "queries.tsv").write_text(HEADER + ROWS, "utf-8")
    first = {"shipped": {"all": {"all": {"queries": 3, "precision_at_5": 0.8125}}}}
    (root / "first.json").write_text(json.dumps(first), "utf-8")
    time = {"p50_ms": 25.2, "p95_ms": 40.0, "p50_cpu_ms": 20.1}
    speed = {"studies": 9_000, "queries": 3, "hardware": "a processor"}
    speed |= dict.fromkeys(("all", "image", "cosine"), time)
    (root / "speed.json").write_text(json.dumps(speed), "utf-8")
    make_openi(root / "openi")
    make_outlined(root / "drawn")
    words = ["retrieval", "--weights", "weights", "--data", "nih", "--rounds", "20", "--write"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert evaluate.main(words) == 0
        assert "Not measured yet" in (root / "weights" / "README.md").read_text("utf-8")
        words = ["search", "--weights", "weights", "--gallery", "gallery", "--data", "nih"]
        words += ["--queries", "queries.tsv", "--reports", "openi", "--outlines", "drawn"]
        words += ["--first-look", "first.json", "--speed", "speed.json", "--write"]
        assert evaluate.main(words) == 0
    return root


def test_both_galleries_and_every_way_to_search_are_in_one_json(workplace):
    found = json.loads((workplace / "weights" / "search.json").read_text("utf-8"))
    assert found["queries"] == ["queries.tsv"] and len(found["weights_sha256"]) == 64
    for key, studies in (("shipped", 24), ("labelled", 12)):
        entry = found[key]
        assert entry["studies"] == studies and entry["all"]["without_a_right_study"] == 1
        for way in ("all", "image", "cosine", "bm25_on_captions", "text_to_caption"):
            assert entry[way]["all"]["queries"] == 3
        # Labels answer a query that is understood, whatever a random encoder makes of images.
        assert entry["all"]["all"]["precision_at_5"] == 1
        assert entry["ablation"]["all"]["without_none"]["precision_at_5"] == 1
        look = entry["ablation"]["image"]["without_none"]["precision_at_5"]
        assert look == entry["image"]["all"]["precision_at_5"]
    assert set(found["labelled"]["similar_images"]) == {"cosine"}  # no probes beside these weights
    assert found["labelled"]["split"] == "test" and "similar_images" not in found["shipped"]


def test_regions_reports_and_the_first_look_stand_beside(workplace):
    found = json.loads((workplace / "weights" / "search.json").read_text("utf-8"))
    assert found["regions"]["films"] == 6 and found["regions"]["queries"] == 3
    assert set(found["regions"]["by_finding"]) == {"mass"}
    reports = found["reports"]
    assert reports["reports"] == 3 and reports["bm25"]["precision_at_5"] == 1
    card = (workplace / "weights" / "README.md").read_text("utf-8")
    assert "A typed query over 9,000 studies" in card and "all evidence 25 and 20 ms" in card
    assert "P@5 by all evidence 81.2% on the shipped gallery, where it is 100.0% now." in card
    random = percent(found["regions"]["random_at_1"])
    assert f"{random} |" in card[card.index("| mass | 3 |") :].splitlines()[0]


def test_a_region_hits_where_the_nearest_film_has_the_finding_there():
    there = np.zeros((SIDE, SIDE), bool)
    there[10:20, 30:50] = True
    assert box_of(there) == (30, 10, 50, 20)
    elsewhere = np.roll(there, 40, 0)
    shown = [{"mass": there}, {"mass": there}, {"mass": elsewhere}, {}]
    near = {"right": 1, "wrong": 2, "own patient": 3}
    ways = {name: (lambda _, box, best=row: np.eye(4)[best]) for name, row in near.items()}
    hits = region_hits(shown, ["a", "b", "c", "a"], [0], ways)
    assert hits["queries"] == 1 and hits["random_at_1"] == 0.5
    assert (hits["right"], hits["wrong"]) == (1, 0)
    assert hits["own patient"] == 1  # films of the same patient are left out: the first other one
    assert region_hits(shown, list("abcd"), [3], ways)["queries"] == 0


def test_the_card_shows_what_was_measured(workplace):
    found = json.loads((workplace / "weights" / "search.json").read_text("utf-8"))
    card = (workplace / "weights" / "README.md").read_text("utf-8")
    section = card[card.index("## Search") : card.index("## Findings")]
    assert search_section(found) in section and "Not measured yet" not in section
    image = found["shipped"]["image"]["lay"]
    cell = f"{percent(image['precision_at_5'])} / {percent(image['ndcg_at_10'])}"
    assert f"| lay | 1 | 100.0 / 100.0 | {cell} |" in section
    hits = found["labelled"]["similar_images"]["cosine"]
    assert f"| cosine of embeddings | 12 | {percent(hits['label_hit_at_1'])} |" in section


def test_numbers_of_search_travel_to_the_hub_with_the_weights():
    assert "search.json" in OWN


@pytest.mark.parametrize(
    ("text", "error"),
    [(None, "expected a table of queries"), ("kind\ttext\nname\tedema\n", "expected the columns")],
)
def test_a_table_that_cannot_be_read_is_refused(workplace, tmp_path, capsys, text, error):
    path = tmp_path / "queries.tsv"
    if text is not None:
        path.write_text(text, "utf-8")
    folders = ["--weights", str(workplace / "weights"), "--gallery", str(workplace / "gallery")]
    assert evaluate.main(["search", *folders, "--queries", str(path)]) == 2
    assert error in capsys.readouterr().err


def test_a_split_with_too_few_images_is_refused(workplace, tmp_path, capsys):
    few = make_nih(tmp_path / "few", 24)
    folders = ["--weights", str(workplace / "weights"), "--gallery", str(workplace / "gallery")]
    queries = ["--queries", str(workplace / "queries.tsv")]
    assert evaluate.main(["search", *folders, "--data", str(few), *queries]) == 2
    assert "more than 10 images" in capsys.readouterr().err


def test_a_table_tells_what_its_queries_mean(workplace):
    queries = read_queries(workplace / "queries.tsv")
    assert [query.kind for query in queries] == ["name", "lay", "person", "name"]
    assert queries[2].meaning.present == ("edema",) and queries[2].meaning.sex == "F"


def test_a_right_study_holds_what_was_asked_and_nothing_excluded():
    studies = [study(0, edema=1), study(1, edema=1), study(2, edema=1, mass=1), study(3, mass=0)]
    table = LabelTable(studies)
    woman = Query("", present=("edema",), sex="F")
    assert relevance(table, woman).tolist() == [True, False, True, False]
    assert relevance(table, Query("", absent=("mass",))).tolist() == [False, False, False, True]


def test_a_perfect_a_wrong_and_a_half_right_order():
    table = LabelTable([study(row, edema=int(row < 2)) for row in range(20)])
    asked = [AskedQuery("name", "edema", Query("edema", present=("edema",)))]

    def scores(order):
        return measured(asked, table, lambda text, k: order[:k])["name"]

    perfect = scores(list(range(20)))
    assert perfect["precision_at_5"] == perfect["ndcg_at_10"] == 1
    assert perfect["first_five_all_right"] == 1
    wrong = scores(list(range(2, 20)))
    assert wrong["precision_at_10"] == wrong["ndcg_at_10"] == 0
    half = scores([0, *range(2, 20)])
    assert half["precision_at_1"] == 1 and half["precision_at_5"] == 0.5
    assert half["ndcg_at_10"] == pytest.approx(1 / (1 + 1 / np.log2(3)), abs=1e-4)
    assert scores([])["precision_at_1"] == 0


def test_images_hit_others_with_a_common_label():
    studies = [study(row, **{("edema", "mass")[row // 4]: 1}) for row in range(8)]
    shared = np.kron(np.eye(2), np.ones((4, 4)))
    right = label_hits(studies, shared)
    assert right["label_hit_at_1"] == 1 and right["queries"] == 8
    assert right["random_at_1"] == pytest.approx(3 / 7, abs=1e-4)
    wrong = label_hits(studies, 1 - shared)
    assert wrong["label_hit_at_1"] == 0 and wrong["label_hit_at_5"] == 1


def test_a_search_finds_a_study_of_the_temporary_gallery(workplace):
    retriever = Retriever.load(workplace / "weights", workplace / "gallery")
    assert retriever.search("cardiomegaly", 1)[0].study.findings["cardiomegaly"] == 1
