"""Parts of training: packed films, augmentation, texts, negatives over processes."""

from __future__ import annotations

import os
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from drawn_films import draw_film

from cxr.findings import FINDINGS, Study
from cxr.images.load import Preprocess, load_image
from cxr.models.losses import contrastive_loss
from train.common.augment import augment
from train.common.image_cache import pack, pack_studies
from train.common.studies import Attributes, labels_of
from train.retrieval.objective import equal_keys, findings_key, gather_with_gradient
from train.retrieval.paraphrases import SYNONYMS, imagined_study, paraphrase, text_pair
from train.retrieval.train import epoch_rows


def study(findings=None, **more):
    return Study(id="s", source="drawn", patient="p", findings=findings or {}, **more)


def test_films_are_decoded_once_and_broken_ones_left_out(tmp_path, caplog):
    paths = [tmp_path / f"{row}.png" for row in range(4)]
    for row in (0, 2):
        draw_film(row).save(paths[row])
    paths[1].write_bytes(b"no picture")  # and 3.png does not exist
    films, readable = pack(paths, Preprocess(32), tmp_path / "cache")
    assert films.shape == (2, 32, 32) and films.dtype == np.uint8
    assert readable.tolist() == [True, False, True, False]
    for row, path in zip(films, (paths[0], paths[2])):
        assert np.array_equal(row, Preprocess(32).square(load_image(path)))
    assert "2 of 4 images" in caplog.text and "1.png" in caplog.text
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(written) == 2
    again, _ = pack(paths, Preprocess(32), tmp_path / "cache")
    assert np.array_equal(films, again)
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    draw_film(7, (50, 50)).save(paths[0])
    changed, _ = pack(paths, Preprocess(32), tmp_path / "cache")
    assert not np.array_equal(films[0], changed[0])


def test_studies_without_a_readable_film_are_not_trained_on(tmp_path):
    studies = []
    for row in range(3):
        path = tmp_path / f"{row}.png"
        draw_film(row).save(path)
        studies.append(Study(id=str(row), source="drawn", patient=str(row), image=path))
    studies[0].image.write_bytes(b"no picture")
    kept, films, readable = pack_studies(studies, Preprocess(32), tmp_path / "cache")
    assert [s.id for s in kept] == ["1", "2"] and len(films) == 2
    assert films.reshape(2, -1).any(1).all() and readable.tolist() == [False, True, True]
    for study in studies:
        study.image.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="all 3 failed"):
        pack_studies(studies, Preprocess(32), tmp_path / "cache")
    assert pack_studies([], Preprocess(32), tmp_path / "cache")[0] == []


def test_augmentation_keeps_range_and_side_and_never_mirrors():
    films = torch.zeros(8, 40, 40, dtype=torch.uint8)
    films[:, 16:24, :12] = 255  # a mark on the left
    out = augment(films, torch.Generator().manual_seed(0))
    assert out.shape == (8, 1, 40, 40) and out.min() >= 0 and out.max() <= 1
    left, right = out[..., :20].mean((1, 2, 3)), out[..., 20:].mean((1, 2, 3))
    assert (left > right).all()
    assert torch.equal(augment(films, torch.Generator(), 0.0)[:, 0], films.float() / 255)
    again = augment(films, torch.Generator().manual_seed(0))
    assert torch.equal(out, again)


def test_every_finding_has_other_words_and_every_study_a_text():
    assert set(SYNONYMS) == set(FINDINGS)
    rng = random.Random(0)
    texts = {paraphrase(imagined_study(rng), rng) for _ in range(300)}
    assert len(texts) > 250 and all(text.strip() for text in texts)


def test_texts_repeat_with_the_seed_and_unread_films_get_no_findings():
    assert text_pair(random.Random(3)) == text_pair(random.Random(3))
    words = {word for names in SYNONYMS.values() for word in names} | set(FINDINGS)
    for seed in range(60):
        text = paraphrase(study(age=50, sex="F", view="PA"), random.Random(seed))
        assert not any(f" {word}" in text for word in words if len(word) > 8), text


def test_equal_findings_are_no_negatives_whatever_the_person():
    one = study({"mass": 1, "edema": 0}, age=30)
    other = study({"mass": 1}, age=80)
    unsure = study({"mass": -1})
    unread = study({}, age=30)
    keys = [findings_key(s) for s in (one, other, unsure, unread, unread)]
    same = equal_keys(keys)
    assert same[0, 1] and not same[0, 2]
    assert keys[3] is None and not same[3, 4]  # nothing is known to be equal


def test_labels_of_uncertain_and_unread_findings_are_unknown():
    rows = labels_of([study({"mass": 1, "edema": 0, "hernia": -1})], ("mass", "edema", "hernia"))
    assert rows[0, :2].tolist() == [1, 0] and rows[0, 2].isnan()
    known = Attributes.of([study(age=70, sex="F", view="AP"), study(view="frontal")])
    assert known.age[0] == 2 and known.female[0] == 1 and known.ap[0] == 1
    assert known.age[1].isnan() and known.female[1].isnan() and known.ap[1].isnan()


def test_an_epoch_takes_its_share_and_repeats_nothing_before_all_were_seen():
    options = SimpleNamespace(seed=0, epoch_images=40, share=0.5)
    rows = epoch_rows(20, 100, options, 0)
    assert len(rows) == 40 and sorted(rows[rows < 20]) == list(range(20))
    assert len(set(rows.tolist())) == 40
    assert np.array_equal(rows, epoch_rows(20, 100, options, 0))
    assert not np.array_equal(rows, epoch_rows(20, 100, options, 1))


def loss_of(image, text):
    unit = torch.nn.functional.normalize
    return contrastive_loss(unit(image, dim=1), unit(text, dim=1), 0.2)


def gathered_gradient(rank, port, image, text, expected):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    mine = image[rank * 3 : rank * 3 + 3].clone().requires_grad_()
    both = gather_with_gradient(mine), gather_with_gradient(text[rank * 3 : rank * 3 + 3])
    loss_of(*both).backward()
    torch.distributed.destroy_process_group()
    # Each process back-propagates the whole loss; a distributed wrapper averages over them.
    torch.testing.assert_close(mine.grad / 2, expected[rank * 3 : rank * 3 + 3])


def test_negatives_of_another_process_bring_their_gradient(free_port):
    image, text = torch.randn(6, 8), torch.randn(6, 8)
    whole = image.clone().requires_grad_()
    loss_of(whole, text).backward()
    mp.spawn(gathered_gradient, (free_port, image, text, whole.grad), nprocs=2)


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
