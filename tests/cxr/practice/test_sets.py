import pytest

from cxr.practice.sets import Session, read_link, set_link


@pytest.mark.parametrize("ids", [["00000013_005"], ["a,b", "c d&e=f", "ä/#?%2C"]])
@pytest.mark.parametrize("mode", ["set", "exam"])
def test_a_link_gives_back_its_studies(ids, mode):
    link = set_link(ids, mode, 7)
    assert link.startswith("#practice?set=")
    assert read_link(link.partition("?")[2]) == {"ids": ids, "mode": mode, "seed": 7}


@pytest.mark.parametrize("query", ["", "set=", "set=a&mode=free", "set=" + ",".join("a" * 201)])
def test_links_without_a_set_are_refused(query):
    with pytest.raises(ValueError, match="expected"):
        read_link(query)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "cheat"},
        {"length": 0},
        {"length": 1e9},
        {"seed": -1},
        {"seed": "x"},
        {"course": "gold"},
        {"pair": ["cat", "dog"]},
        {"keys": ["a"] * 300},
        {"keys": "abc"},
    ],
)
def test_sessions_are_checked(change):
    plain = {"mode": "practice", "length": 15, "seed": 1}
    assert Session.from_dict(plain).length == 15
    with pytest.raises(ValueError, match="expected"):
        Session.from_dict(plain | change)
