"""The retriever: what it encodes, finds and refuses, alone and from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from gallery_helpers import make_studies, telling_dual_encoder
from tiny import tiny_dual_encoder

from cxr import devices
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.gallery.gallery import Where, build_gallery
from cxr.images.load import load_image
from cxr.retrieval.retriever import Match, Retriever
from cxr.retrieval.similarity import similarity_word

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(film, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    bands = {"similarity_bands": [0.9, 0.5, 0.1]}
    return save_dual_encoder(telling_dual_encoder(film), folder, bands)


@pytest.fixture(scope="module")
def encoder(weights) -> Retriever:
    return Retriever.load(weights, gallery=None)


@pytest.fixture(scope="module")
def retriever(encoder, weights, film, tmp_path_factory) -> Retriever:
    folder = tmp_path_factory.mktemp("retrieval")
    build_gallery(
        make_studies(folder / "films", 12, film),
        encoder.encode_prepared,
        folder / "gallery",
        fingerprint(weights),
        batch_size=5,
        progress=False,
        prepare=encoder.prepare,
    )
    return Retriever.load(weights, folder / "gallery")


def assert_unit_rows(rows: np.ndarray, count: int) -> None:
    assert rows.shape == (count, 512) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2, 33])
def test_images_become_unit_rows(encoder, film, count):
    assert_unit_rows(encoder.encode_images([film(i) for i in range(count)]), count)


@pytest.mark.parametrize("count", [0, 1, 2, 70])
def test_texts_become_unit_rows(encoder, count):
    assert_unit_rows(encoder.encode_text([f"mass {i}" for i in range(count)]), count)


def test_rows_keep_their_order_and_do_not_depend_on_the_batch(encoder, film):
    films = [film(i, (60 + 10 * (i % 5), 80)) for i in range(40)]
    together = encoder.encode_images(films)
    for i in (0, 31, 32, 39):
        assert together[i] @ encoder.encode_images([films[i]])[0] > 0.999
    texts = ["mass", "a much longer text about pleural effusion and edema"]
    np.testing.assert_allclose(
        encoder.encode_text(texts)[:1], encoder.encode_text(texts[:1]), atol=0.02
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1", "LA"])
def test_images_of_any_mode(encoder, film, mode):
    assert_unit_rows(encoder.encode_images([film(0).convert(mode)]), 1)


def test_images_go_through_the_preprocessing_of_the_checkpoint(encoder, film):
    model = telling_dual_encoder(film)
    with torch.inference_mode():
        expected = model.encode_image(model.preprocess(film(1))[None]).numpy()
    assert (encoder.encode_images([film(1)]) @ expected.T).item() > 0.999


def test_a_film_of_the_gallery_finds_itself_first(retriever):
    for study in retriever.gallery.studies:
        best = retriever.search(load_image(study.image), k=3)[0]
        assert isinstance(best, Match) and best.study == study
        assert best.score == pytest.approx(1, abs=2e-3)


def test_a_region_is_compared_where_the_gallery_holds_its_places(
    encoder, weights, film, tmp_path_factory, retriever
):
    folder = tmp_path_factory.mktemp("places")
    studies = make_studies(folder / "films", 12, film)
    build_gallery(
        studies,
        encoder.encode_for_gallery,
        folder / "gallery",
        fingerprint(weights),
        batch_size=5,
        progress=False,
        prepare=encoder.prepare,
    )
    placed = Retriever.load(weights, folder / "gallery")
    assert placed.gallery.places.shape[:2] == (12, 9)
    assert placed.gallery.places.dtype == np.float16
    found = placed.similar(film(3, (40, 48)), k=2, region="heart")
    assert found[0].study.id == "s3" and found[0].evidence[0].text == "alike in the heart"
    study = found[0].study
    assert study not in [match.study for match in placed.similar(study, region="0,0,0.5,1")]
    with pytest.raises(ValueError, match="this one was built without"):
        retriever.similar(film(3), region="heart")


def test_text_finds_studies_by_cosine(retriever):
    matches = retriever.search("pleural effusion", k=5)
    text = retriever.encode_text(["pleural effusion"])[0]
    expected = np.sort(retriever.gallery.embeddings.astype(np.float32) @ text)[::-1][:5]
    np.testing.assert_allclose([match.score for match in matches], expected, atol=1e-5)


def test_filters_reach_the_gallery(retriever):
    assert {m.study.sex for m in retriever.search("mass", where=Where(sex="M"))} == {"M"}
    found = retriever.search("mass", k=50, where={"present": ["Mass"]})
    assert {match.study.id for match in found} == {"s2", "s5", "s8", "s11"}


QUERIES = ["肺炎", "воспаление лёгких", "التهاب رئوي", "a\0b", "x" * 2000]
SIGNS = ["🫁", "\u200b", "\ud83d", "?!"]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_any_language_gets_an_answer(retriever, query):
    assert len(retriever.search(query, k=4)) == 4


@pytest.mark.parametrize("query", SIGNS, ids=range(len(SIGNS)))
def test_signs_without_a_word_are_refused(retriever, query):
    with pytest.raises(ValueError) as refused:
        retriever.search(query, k=4)
    assert str(refused.value).encode()  # so that it can be sent
    assert len(retriever.search(query, k=4, evidence="image")) == 4


@pytest.mark.parametrize(
    "query, says",
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("x" * 2001, "at most 2000 characters, got 2001"),
        (None, "a text or a PIL image.*NoneType"),
        (b"mass", "a text or a PIL image.*bytes"),
        (["mass"], "a text or a PIL image.*list"),
        (np.zeros((8, 8)), "a text or a PIL image.*ndarray"),
    ],
)
def test_bad_queries(retriever, film, query, says):
    with pytest.raises(ValueError, match=says):
        retriever.search(query)
    with pytest.raises(ValueError, match=says):
        retriever.heat_map(film(0), query)


@pytest.mark.parametrize("k", [0, -3, 1.5])
def test_bad_k(retriever, k):
    with pytest.raises(ValueError, match="1 or more"):
        retriever.search("mass", k=k)


def test_bad_batches(encoder, film):
    for images in (film(0), ["a.png"], [np.zeros((8, 8))]):
        with pytest.raises(ValueError, match="list of PIL images"):
            encoder.encode_images(images)
    for texts in ("mass", [1], [None]):
        with pytest.raises(ValueError, match="list of texts"):
            encoder.encode_text(texts)
    with pytest.raises(ValueError, match="empty"):
        encoder.encode_text(["mass", " "])


def test_no_gallery_to_search(encoder):
    with pytest.raises(ValueError, match="gallery build ROOT"):
        encoder.search("mass")


def test_milvus_is_refused(weights):
    with pytest.raises(ValueError, match="no Milvus"):
        Retriever.load(weights, "milvus:http://localhost:19530")


def test_a_gallery_of_another_encoder_is_refused(retriever, tmp_path):
    other = save_dual_encoder(tiny_dual_encoder(seed=1), tmp_path / "other")
    with pytest.raises(ValueError, match=f"--overwrite --weights {other}"):
        Retriever.load(other, retriever.gallery.folder)


@pytest.mark.parametrize("size", [(96, 112), (113, 64), (32, 32), (700, 640)])
def test_heat_map_has_the_size_of_the_image(retriever, film, size):
    heat = retriever.heat_map(film(0, size), "cardiomegaly")
    assert heat.shape == size[::-1] and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() == pytest.approx(1)


def test_heat_map_depends_on_the_query(retriever, film):
    one, other = (retriever.heat_map(film(0), text) for text in ("mass", "hernia at the left"))
    assert np.abs(one - other).max() > 0.01


def test_threads_do_not_disturb_each_other(retriever, film):
    texts = [f"mass {'a' * (i % 7)}" for i in range(30)]
    tasks = [lambda t=t: retriever.search(t, 8) for t in texts]
    tasks += [lambda i=i: retriever.search(film(i % 8), 8) for i in range(30)]
    tasks += [lambda i=i: retriever.heat_map(film(i), "edema").tolist() for i in range(6)]
    alone = [task() for task in tasks]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda task: task(), tasks)) == alone


def test_float32_and_bf16_agree(weights, film, monkeypatch):
    rows = {}
    for bf16 in (False, True):
        monkeypatch.setattr("cxr.retrieval.encoder.has_bf16", lambda device, bf16=bf16: bf16)
        rows[bf16] = Retriever.load(weights, None).encode_images([film(0), film(1)])
        assert_unit_rows(rows[bf16], 2)
    assert ((rows[False] * rows[True]).sum(1) > 0.999).all()
    assert not np.array_equal(rows[False], rows[True])


@pytest.mark.parametrize(
    "has, expected",
    [
        ({"amx_bf16": True}, True),
        ({"avx512_bf16": True}, True),
        ({"avx2": True}, False),
        ({}, False),
    ],
)
def test_bf16_only_where_the_processor_has_it(monkeypatch, has, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert devices.has_bf16(torch.device("cpu")) is expected


def test_similarity_words(encoder):
    words = [similarity_word(score, (0.9, 0.5, 0.1)) for score in (1, 0.9, 0.89, 0.5, 0.1, 0, -1)]
    assert words == [
        "very similar",
        "very similar",
        "similar",
        "similar",
        "somewhat similar",
        "weak match",
        "weak match",
    ]
    with pytest.raises(ValueError, match="NaN"):
        similarity_word(float("nan"))


def test_words_differ_for_texts_and_for_films(retriever):
    by_bands = Retriever(retriever.model, retriever.gallery, (-1, -1, -1), image_bands=(2, 2, 2))
    assert by_bands.search("mass", k=1)[0].similarity == "very similar"
    film = load_image(by_bands.gallery.studies[0].image)
    assert by_bands.search(film, k=1)[0].similarity == "weak match"


@pytest.mark.parametrize(
    "bands",
    [
        [0.1, 0.5, 0.9],
        [0.5],
        [0.9, 0.5, float("nan")],
        None,
        3,
        "abc",
        {},
        ["0.9", "0.5", "0.1"],
        [0.9, None, 0.1],
        [True, False, False],
        [[0.9], [0.5], [0.1]],
    ],
)
def test_bad_bands(bands):
    with pytest.raises(ValueError, match="three falling cosines"):
        Retriever(tiny_dual_encoder(), bands=bands)
