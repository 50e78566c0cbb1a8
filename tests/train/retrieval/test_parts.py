"""Parts of the retrieval training: texts, rows of an epoch, negatives over processes."""

from __future__ import annotations

import os
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp

from cxr.findings import FINDINGS, Study
from cxr.models.losses import contrastive_loss
from train.retrieval.objective import equal_keys, findings_key, gather_with_gradient
from train.retrieval.paraphrases import SYNONYMS, imagined_study, paraphrase, text_pair
from train.retrieval.train import epoch_rows


def study(findings=None, **more):
    return Study(id="s", source="drawn", patient="p", findings=findings or {}, **more)


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
