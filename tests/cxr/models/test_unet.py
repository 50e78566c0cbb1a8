"""The U-Nets: shapes, how text enters, and that the shortcut over prompts changes no number."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import segmentation_models_pytorch as smp
import torch

from cxr.images.load import Preprocess
from cxr.models.text_fusion import KernelFusion
from cxr.models.unet import AutoencoderUNet, LocalizerConfig, TextGuidedUNet

TINY = LocalizerConfig(
    "resnet18", Preprocess(64, 0.5, 0.25, 1), text_dimension=8, hidden=4, decoder=(16, 8, 8, 8, 4)
)


def build(fusion: str, **changes) -> TextGuidedUNet:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return TextGuidedUNet(replace(TINY, fusion=fusion, **changes)).eval()


def texts(films: int, prompts: int, seed: int = 0) -> torch.Tensor:
    rows = torch.randn(films, prompts, 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(rows, dim=-1)


@pytest.fixture
def pixels():
    return torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("fusion", ["bottleneck", "film", "kernel"])
def test_one_mask_a_prompt(fusion, pixels):
    model = build(fusion)
    assert model(pixels, texts(2, 3)).shape == (2, 3, 64, 64)
    alone = model(pixels[1:], texts(2, 3)[1:, 2:])
    torch.testing.assert_close(alone[0, 0], model(pixels, texts(2, 3))[1, 2], atol=1e-4, rtol=1e-3)


def test_text_reads_the_features_of_a_frozen_encoder_cell_by_cell(pixels):
    """Two texts learn to read two features apart, and a feature's place stays its own."""
    model = build("kernel", grid_channels=6)
    assert (
        model(pixels, texts(2, 3)).shape
        == model.probe(torch.randn(2, 6, 5, 5), texts(2, 3)).shape
        == (2, 3, 64, 64)
    )
    grid = torch.zeros(1, 6, 4, 4)
    grid[0, 0, 0, 1], grid[0, 1, 3, 2] = 5, 5
    wanted = torch.stack([grid[0, 0], grid[0, 1]]) / 5
    optimizer = torch.optim.Adam(model.reading.parameters(), 1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        logits = model.reading(grid, texts(1, 2))[0]
        torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted).backward()
        optimizer.step()
    assert ((logits > 0) == (wanted > 0)).all()
    read = model.probe(grid, texts(1, 2))[0]
    assert read[0, 8, 24] > 0 > read[0, 56, 40] and read[1, 56, 40] > 0 > read[1, 8, 24]


@pytest.mark.parametrize("fusion", ["bottleneck", "film"])
def test_text_enters_as_the_identity_and_learns_at_once(fusion, pixels):
    """At the start every text gives the same mask, that of a U-Net that sees no text."""
    model = build(fusion)
    logits = model(pixels, texts(2, 2))
    torch.testing.assert_close(logits[:, 0], logits[:, 1])
    unet = smp.Unet("resnet18", encoder_weights=None, in_channels=1, decoder_channels=TINY.decoder)
    unet.encoder, unet.decoder.blocks = model.encoder, model.blocks
    plain = model.head(unet.eval().decoder(unet.encoder(pixels)))
    torch.testing.assert_close(logits[:, 0], plain[:, 0], atol=1e-4, rtol=1e-3)
    optimizer = torch.optim.Adam(model.fusion.parameters(), 1e-2)
    for _ in range(4):  # mark all for one text, nothing for the other
        optimizer.zero_grad()
        logits = model(pixels, texts(2, 2))
        (logits[:, 1].mean() - logits[:, 0].mean()).backward()
        optimizer.step()
    assert (logits[:, 0] - logits[:, 1]).abs().max() > 1e-4


def test_kernels_start_alike_and_read_every_level():
    torch.manual_seed(0)
    fusion = KernelFusion((8, 4), 6, 5)
    grids = [torch.randn(2, 8, 4, 4), torch.randn(2, 4, 8, 8)]
    text = torch.nn.functional.normalize(torch.randn(2, 3, 6), dim=-1)
    logits = fusion(grids, text)
    assert logits.shape == (2, 3, 8, 8)
    torch.testing.assert_close(logits[:, 0], logits[:, 2])
    coarse, fine = (
        torch.einsum("bchw,c->bhw", grid, level.bias)[:, None]
        for grid, level in zip(grids, fusion.levels)
    )
    wide = torch.nn.functional.interpolate(coarse, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(logits[:, :1], wide + fine - 2)
    for level in fusion.levels:
        torch.nn.init.normal_(level.weight)
    logits = fusion(grids, text)
    assert (logits[:, 0] - logits[:, 2]).abs().max() > 0.1
    torch.testing.assert_close(fusion(grids, text[:, 1:2]), logits[:, 1:2])


def test_without_text_every_output_has_a_mask(pixels):
    model = build("none", outputs=("lungs", "heart", "airways"))
    assert model.fusion is None
    logits = model(pixels, texts(2, 1))
    assert logits.shape == (2, 3, 64, 64)
    torch.testing.assert_close(logits, model(pixels, texts(2, 1, seed=5)))


def test_autoencoder_redraws_and_hands_its_encoder_on(pixels):
    torch.manual_seed(0)
    model = AutoencoderUNet(TINY).eval()
    assert model(pixels).shape == pixels.shape
    other = build("film")
    other.encoder.load_state_dict(model.encoder.state_dict())
    torch.testing.assert_close(other.encode(pixels)[-1], model.encoder(pixels)[-1])


def test_the_model_that_ships_fits_its_budget():
    with torch.device("meta"):
        model = TextGuidedUNet(LocalizerConfig(fusion="film"))
    values = sum(value.numel() for value in model.state_dict().values())
    assert model.encoder.out_channels[-1] == 512 and values * 2 < 50_000_000


def test_configuration_travels_as_json():
    for config in (TINY, replace(TINY, fusion="none", outputs=("lungs",))):
        assert LocalizerConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fusion": "attention"}, "expected a fusion out of"),
        ({"fusion": "none"}, "expected outputs"),
        ({"outputs": ("lungs",)}, "expected outputs"),
        ({"preprocess": Preprocess(100, 0.5, 0.25, 1)}, "a side that 32 divides"),
    ],
)
def test_configurations_that_cannot_be(changes, says):
    with pytest.raises(ValueError, match=says):
        replace(TINY, **changes)


def test_a_configuration_of_another_version_is_refused():
    values = TINY.to_dict()
    with pytest.raises(ValueError, match="wrong key"):
        LocalizerConfig.from_dict({**values, "depth": 5})
    with pytest.raises(ValueError, match="wrong key"):
        LocalizerConfig.from_dict({key: v for key, v in values.items() if key != "decoder"})
