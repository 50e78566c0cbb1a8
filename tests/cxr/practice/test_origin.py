from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from practice_pool import NOW, make_pool, study

from cxr.images import corner_mark
from cxr.practice.origin import MARKED, SIDE, judge, origin_keys, origin_link, same_look
from cxr.practice.pool import Pool
from cxr.practice.profile import Profile
from cxr.practice.schedule.selection import choose
from cxr.practice.sets import ORIGIN, Session

ANSWER = {"generated": True, "confidence": 0.8, "seconds": 9}


@pytest.fixture(scope="module")
def pool():
    """30 real and 30 generated studies, and one of each that is seen from the side."""
    studies = [study(i, "mass", ("drawn", "synthetic, drawn")[i % 2]) for i in range(60)]
    aside = [replace(one, id=f"{one.id} aside", view="lateral") for one in studies[:2]]
    return Pool.of([*studies, *aside], np.zeros((62, 512), np.float16), "salt")


def made(pool, keys):
    return [pool.origin_row(key) % 2 for key in keys]


def test_a_set_is_drawn_from_both_kinds_and_the_same_for_everyone(pool):
    sets = [origin_keys(pool, Session(ORIGIN, 15, seed)) for seed in range(200)]
    assert sets[3] == origin_keys(pool, Session(ORIGIN, 15, 3)) != sets[4]
    assert all(len(set(keys)) == 15 and pool.origin_row(keys[0]) < 60 for keys in sets)
    shares = np.array([np.mean(made(pool, keys)) for keys in sets])
    assert 0.45 < shares.mean() < 0.55 and len(set(shares)) > 5  # its end does not follow
    assert all(0 < share < 1 for share in shares)
    first = np.mean([made(pool, keys)[0] for keys in sets])
    assert 0.4 < first < 0.6  # nor does it follow from the place


def test_its_names_are_no_names_of_practice(pool):
    keys = origin_keys(pool, Session(ORIGIN, 30, 1))
    assert not set(keys) & set(pool.keys)
    with pytest.raises(ValueError, match="study of this gallery"):
        judge(pool, pool.keys[0], ANSWER, NOW)


def test_a_gallery_of_one_kind_has_no_such_set():
    for source in ("drawn", "synthetic, drawn"):
        with pytest.raises(ValueError, match="real and generated"):
            origin_keys(make_pool(source=source), Session(ORIGIN, 15, 1))


def test_a_judgement_holds_what_was_said_against_what_is_known(pool):
    right = judge(pool, pool.origin_keys[1], ANSWER, NOW)
    wrong = judge(pool, pool.origin_keys[0], ANSWER, NOW)
    assert right.right and right.generated and not wrong.right and wrong.study == pool.studies[0].id
    for junk in (None, {}, {"generated": "yes"}, {"generated": True, "confidence": 2}):
        with pytest.raises(ValueError, match="expected"):
            judge(pool, pool.origin_keys[0], junk, NOW)


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (96, 96), (1024, 1024)])
def test_every_image_looks_alike_and_bears_no_mark(size, film):
    image = film(3, size)
    shown = same_look(image)
    assert shown.size == (SIDE, SIDE) and shown.mode == "L"
    marked = same_look(corner_mark(image, "SYNTHETIC"))
    assert np.abs(np.int16(marked) - np.int16(shown)).max() <= 1  # but for resampling above it
    assert not np.array(shown)[-round(MARKED * SIDE) :].any() and np.array(shown).any()


def test_a_wide_image_is_cut_to_its_middle():
    wide = Image.new("L", (300, 100), 255)
    wide.paste(50, (100, 0, 200, 100))
    assert set(np.unique(same_look(wide))) == {0, 50}


def test_a_link_names_no_study():
    assert origin_link(15, 7) == "#practice?origin=15&seed=7"


def test_a_film_met_there_is_no_fresh_one_elsewhere():
    pool = make_pool()
    usable = [row for row in range(len(pool.studies)) if pool.usable(row)]
    met = usable[::2]
    judged = tuple(judge(pool, pool.origin_keys[row], ANSWER, NOW) for row in met)
    profile = replace(Profile(), judged=judged)
    assert pool.met(profile) == [pool.keys[row] for row in met]
    sessions = [Session("practice", 15, seed) for seed in range(20)]
    assert set(met) & {choose(pool, Profile(), one, NOW) for one in sessions}
    assert not set(met) & {choose(pool, profile, one, NOW) for one in sessions}
