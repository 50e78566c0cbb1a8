"""Features are computed once for a key, and anew for another encoder."""

from __future__ import annotations

import torch

from train.common.feature_cache import cached_features, cached_parts, module_fingerprint


def test_a_second_call_with_the_same_key_computes_nothing(tmp_path):
    calls = []

    def make() -> dict[str, torch.Tensor]:
        calls.append(1)
        return {"rows": torch.arange(6.0).reshape(2, 3).T, "half": torch.ones(2).half()}

    for key in (["a", 1], ["a", 1], ["a", 2]):
        found = cached_features(tmp_path / "cache", key, make)
        assert torch.equal(found["rows"], torch.arange(6.0).reshape(2, 3).T)
        assert found["half"].dtype == torch.float16
    assert len(calls) == 2
    assert {file.suffix for file in (tmp_path / "cache").iterdir()} == {".safetensors"}


def test_parts_that_are_missing_are_computed_together_and_the_others_are_left(tmp_path):
    asked = []

    def make(missing: frozenset[str]) -> dict[str, dict[str, torch.Tensor]]:
        asked.append(missing)
        return {part: {"row": torch.tensor([float(len(asked))])} for part in ("a", "b", "c")}

    for keys in ({"a": [1]}, {"a": [1], "b": [2], "c": [3]}, {"b": [2], "a": [1]}):
        found = cached_parts(tmp_path, keys, make)
        assert found.keys() == keys.keys() and found["a"]["row"] == 1
    assert found["b"]["row"] == 2 and asked == [{"a"}, {"b", "c"}]


def test_a_fingerprint_is_that_of_names_and_weights():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 2))
    before = module_fingerprint(network)
    assert before == module_fingerprint(network)
    assert before != module_fingerprint(torch.nn.ModuleDict({"a": network}))
    half = module_fingerprint(network.to(torch.bfloat16))
    assert half != before
    network[1].bias.data[0] += 1
    assert module_fingerprint(network) != half
