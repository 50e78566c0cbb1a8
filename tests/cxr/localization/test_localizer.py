"""Locating: contracts of shape and range, sides and zones on maps whose truth is known, loading."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from mask_files import ellipse
from PIL import Image
from tiny import tiny_dual_encoder
from tiny_localizer import CONFIG, SIZE, save_localizer

from cxr.anatomy import TARGETS
from cxr.checkpoints.encoders import load_text_encoder, save_dual_encoder
from cxr.checkpoints.io import load_checkpoint, save_checkpoint
from cxr.localization.localizer import Localizer
from cxr.localization.mirrored import mirror_warning
from cxr.localization.targets import Target
from cxr.models.unet import LocalizerConfig, TextGuidedUNet


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    retrieval = save_dual_encoder(tiny_dual_encoder(), root / "retrieval")
    about = {"weights": "retrieval", "sha256": load_text_encoder(retrieval).fingerprint}
    return save_localizer(root, text_encoder=about)


@pytest.fixture(scope="module")
def localizer(weights):
    return Localizer.load(weights)


class Knowing(Localizer):
    """A localizer whose model has seen the truth: `truth` gives the map of a query on a square."""

    def __init__(self, truth):
        super().__init__(TextGuidedUNet(CONFIG), None, torch.device("cpu"))
        self.truth = truth

    def _raw(self, square, queries):
        return np.stack([self.truth(query) for query in queries]).astype(np.float32)


def truth(query: Target) -> np.ndarray:
    """A square picture; both lungs are shaded, and the opacities fill both lungs."""
    right, left = (ellipse(lung, (SIZE, SIZE)) * 0.9 for lung in ("right lung", "left lung"))
    maps = {
        "right lung": right,
        "left lung": left,
        "heart and mediastinum": ellipse("heart and mediastinum", (SIZE, SIZE)) * 1.0,
    }
    return maps.get(query.target, np.maximum(right, left))


@pytest.mark.parametrize("size", [(64, 64), (96, 80), (50, 200), (300, 70)])
@pytest.mark.parametrize("text", ["right lung", "opacity in the left lower zone", "heart"])
def test_shape_type_and_range(localizer, film, size, text):
    heat = localizer.locate(film(1, size), text)
    assert heat.shape == size[::-1] and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() <= 1 and np.isfinite(heat).all()


def test_the_same_picture_gives_the_same_mask_whatever_its_size(localizer, film):
    small = film(3, (160, 192))
    large = small.resize((640, 768), Image.Resampling.BICUBIC)
    one = localizer.locate(small, "right lung")
    other = localizer.locate(large, "right lung")
    assert other.shape == (768, 640)
    shrunk = np.asarray(Image.fromarray(other).resize((160, 192), Image.Resampling.BOX))
    assert np.abs(shrunk - one).mean() < 0.02
    assert one.max() - one.min() > 0.05  # not the same because it is flat


def test_a_picture_is_padded_never_squashed():
    """A mask over the middle of the square is the middle third of a film three times as high."""
    middle = np.zeros((SIZE, SIZE))
    middle[:, SIZE // 2 - 4 : SIZE // 2 + 4] = 1
    wide = Knowing(lambda query: middle).locate(Image.new("L", (64, 192), 90), "heart")
    assert wide.shape == (192, 64)
    share = (wide >= 0.5).mean()
    assert abs(share - 8 / (64 / 3)) < 0.05


@pytest.mark.parametrize(
    "target",
    [
        "{} lung",
        "opacity in the {} lung",
        "{} consolidation",
        "ground-glass opacity in the {} lower zone",
    ],
)
def test_a_side_is_the_patients_side(target):
    """The patient's right is on the left of the picture; nothing of the other side is marked."""
    locate = Knowing(truth).locate
    picture = Image.new("L", (128, 128), 90)
    for side, half in (("right", slice(0, 64)), ("left", slice(64, 128))):
        marked = locate(picture, target.format(side)) >= 0.5
        assert marked.any() and marked[:, half].sum() == marked.sum()


def test_what_both_sides_claim_is_on_one_side_alone():
    def confused(query):
        return np.full((SIZE, SIZE), 0.8) if "lung" in query.target else truth(query)

    locate = Knowing(confused).locate
    picture = Image.new("L", (64, 64), 90)
    right, left = (locate(picture, f"{side} lung") >= 0.5 for side in ("right", "left"))
    assert not (right & left).any()
    for side, marked in (("right", right), ("left", left)):
        halves = marked[:, :32].sum(), marked[:, 32:].sum()
        assert halves[0] >= halves[1] if side == "right" else halves[1] >= halves[0]


def test_a_model_that_mistakes_sides_cannot_mark_the_wrong_one():
    swapped = {"right lung": "left lung", "left lung": "right lung"}
    locate = Knowing(lambda q: truth(Target(swapped.get(q.target, q.target)))).locate
    picture = Image.new("L", (64, 64), 90)
    for text in ("left lung", "opacity in the left lung", "left lower zone"):
        marked = locate(picture, text) >= 0.5
        assert marked[:, :32].sum() <= marked[:, 32:].sum()


def test_zones_are_thirds_of_the_lung():
    locate = Knowing(truth).locate
    picture = Image.new("L", (64, 64), 90)
    whole = locate(picture, "opacity") >= 0.5
    zones = [
        locate(picture, f"opacity in the {zone} zone") >= 0.5
        for zone in ("upper", "middle", "lower")
    ]
    assert (np.sum(zones, 0) == whole).all()
    rows = [np.nonzero(zone.any(1))[0] for zone in zones]
    assert rows[0][-1] < rows[1][0] and rows[1][-1] < rows[2][0]
    assert max(len(r) for r in rows) - min(len(r) for r in rows) <= 2


def test_opacities_stay_inside_the_lungs():
    everywhere = Knowing(lambda q: np.ones((SIZE, SIZE)) if "opacity" in q.target else truth(q))
    marked = everywhere.locate(Image.new("L", (64, 64), 90), "opacity") >= 0.5
    lungs = ellipse("right lung", (64, 64)) | ellipse("left lung", (64, 64))
    assert marked.any() and not (marked & ~lungs).any()


def test_area_and_side_in_words():
    found = Knowing(truth).find(Image.new("L", (64, 64), 90), "opacity in the left lung")
    assert found.query == Target("opacity", "left")
    measured = found.measure(0.5)
    assert (measured.words, measured.found) == ("left lung", True)
    assert (measured.left, measured.right) == (100.0, 0.0)
    assert abs(measured.lungs - 50) < 3
    assert found.measure(0.95).words == "not found" and not found.measure(0.95).found


@pytest.mark.parametrize("text", ["no pneumonia", "???", "🫁"])
def test_what_names_nothing_is_an_error(localizer, film, text):
    for call in (localizer.find, localizer.locate):
        with pytest.raises(ValueError, match=r"got '.+'; name one such as lungs, right lung"):
            call(film(1), text)
    with pytest.raises(ValueError, match="got 'banana'"):
        Knowing(truth).find_all(film(1), ["heart", "banana"])


def test_several_texts_about_a_film_are_answered_as_each_alone(film):
    calls = []

    class Counting(Knowing):
        def _raw(self, square, queries):
            calls.append(len(queries))
            return super()._raw(square, queries)

    texts = ["opacity in the left lung", "heart", "left lung", "cardiac silhouette"]
    together = Counting(truth).find_all(film(1), texts)
    assert calls == [5]
    for text, found in zip(texts, together):
        alone = Knowing(truth).find(film(1), text)
        assert found.query == alone.query and np.array_equal(found.maps, alone.maps)
    assert together[0].maps.any()


def test_unknown_words_take_the_nearest_target_and_only_a_near_one(localizer, monkeypatch):
    rows = torch.eye(len(TARGETS))
    monkeypatch.setattr(
        localizer,
        "_embedding",
        lambda texts: (
            rows
            if len(texts) > 1
            else (rows[3:4] if texts == ("the pump",) else torch.full((1, len(TARGETS)), 0.3))
        ),
    )
    assert localizer.understand("the pump") == Target(TARGETS[3])
    assert localizer.understand("the sea") is None


def test_text_matters(localizer, film):
    assert not np.array_equal(
        localizer.locate(film(1), "heart"), localizer.locate(film(1), "airways")
    )


def test_threads_get_what_one_gets(localizer, film):
    texts = ["right lung", "heart", "opacity"]
    alone = [localizer.locate(film(n), text) for n, text in enumerate(texts)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: localizer.locate(film(n % 3), texts[n % 3]), range(12)))
    for n, heat in enumerate(found):
        np.testing.assert_allclose(heat, alone[n % 3], atol=1e-5)


@pytest.mark.parametrize("text", ["", "  ", None, 3, "lung " * 500])
def test_texts_that_are_refused(localizer, film, text):
    with pytest.raises(ValueError, match="expected a text"):
        localizer.locate(film(1), text)


@pytest.mark.parametrize("image", [b"", b"%PDF-1.4", np.full((64, 64), np.nan), "nowhere.png"])
def test_pictures_that_are_refused(localizer, image):
    with pytest.raises(ValueError, match="expected"):
        localizer.locate(image, "heart")


def test_another_text_encoder_is_refused(weights, tmp_path):
    other = save_dual_encoder(tiny_dual_encoder(seed=1), tmp_path / "other")
    with pytest.raises(ValueError, match="trained with"):
        Localizer.load(weights, other)
    lonely = save_localizer(tmp_path, text_encoder={"weights": "retrieval", "sha256": "0" * 64})
    with pytest.raises(ValueError, match="no folder"):
        Localizer.load(lonely)


def test_weights_that_do_not_fit_are_refused(weights, tmp_path):
    config, state = load_checkpoint(weights)
    state.pop("head.bias")
    save_checkpoint(tmp_path / "broken", state, config)
    with pytest.raises(ValueError, match="fit its architecture"):
        Localizer.load(tmp_path / "broken")
    with pytest.raises(ValueError, match="architecture of a localizer"):
        Localizer.load(save_checkpoint(tmp_path / "none", state, {}))


def test_a_plain_net_knows_its_targets_without_a_text_encoder(tmp_path, film):
    plain = LocalizerConfig("resnet18", CONFIG.preprocess, "none", TARGETS, decoder=CONFIG.decoder)
    localizer = Localizer.load(save_localizer(tmp_path, plain))
    assert localizer.text_encoder is None
    assert localizer.locate(film(1), "opacity in the left lung").shape == (112, 96)
    assert localizer.understand("the pump") is None


def test_a_mirrored_image_is_known_by_its_heart():
    def placed(center):
        heart = np.zeros((SIZE, SIZE))
        heart[SIZE // 3 :, SIZE // 2 - 2 : SIZE // 2 + 2] = 1  # the great vessels above it
        heart[2 * SIZE // 3 :, int(center * SIZE) - 4 : int(center * SIZE) + 4] = 1
        heart_at = lambda query: heart if query.target.startswith("heart") else truth(query)  # noqa: E731
        return mirror_warning(Knowing(heart_at), Image.new("L", (64, 64), 90))

    assert placed(0.6) == ""
    assert "seems to be mirrored" in placed(0.4)
    empty = Knowing(lambda query: np.zeros((SIZE, SIZE)))
    assert mirror_warning(empty, Image.new("L", (64, 64), 90)) == ""  # no heart, nothing to tell
