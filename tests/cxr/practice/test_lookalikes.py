import pytest

from cxr.findings import FINDINGS
from cxr.practice.lookalikes import SIGNS, rivals


def test_every_finding_has_two_lines_and_something_it_is_confused_with():
    assert set(SIGNS) == set(FINDINGS)
    for name, signs in SIGNS.items():
        assert 20 < len(signs.look) < 170 and 20 < len(signs.apart) < 170
        assert set(signs.rivals) <= set(FINDINGS) - {name, "no finding"}
        assert name == "no finding" or rivals(name)


def test_an_unknown_finding_is_refused():
    with pytest.raises(ValueError, match="expected a finding"):
        rivals("cat")
