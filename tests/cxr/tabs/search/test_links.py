"""An address of the Search tab, written and read."""

from __future__ import annotations

import pytest
from app_gallery import NO_FILTER, event, opened, shown

from cxr.tabs.search.links import read_place, write_place
from cxr.tabs.search.state import PAGE_SIZE, SearchState


def go(desk, address, state=None):
    return desk.go_to(state or SearchState(), event(place=address))


def states(desk):
    """What a visitor may look at, by name."""
    chosen = (["PA", "AP"], "F", "20", "60", ["cardiomegaly"], ["pneumothorax"], True)
    room = opened(desk, "big heart")
    return {
        "first page": SearchState(),
        "text": desk.search(SearchState(), "mass & 100% + edema? #1 🫁", *NO_FILTER),
        "filters": desk.search(SearchState(), "big heart", *chosen),
        "browsing": desk.filter(SearchState(), ["PA"], "", "", "", [], []),
        "open film": room,
        "more like this": desk.more_like_this(room, *NO_FILTER),
        "matched": desk.match(desk.more_like_this(room, *NO_FILTER), event(name="sex")),
    }


def test_a_link_opens_what_was_on_the_page(desk):
    for name, state in states(desk).items():
        address = write_place(state)
        again = go(desk, address)
        assert again.query == state.query, name
        assert again.matches == state.matches and again.selected == state.selected, name
        assert write_place(again) == address and again.link == address, name
        assert again.controls == state.controls, name


def test_a_link_to_a_film_alone_opens_it(desk):
    state = go(desk, "film=big%20heart")
    assert [match.study.id for match in state.matches] == ["big heart"] and state.selected == 0
    assert "Film big heart" in shown(desk, state) and write_place(state) == "film=big%20heart"


def test_a_film_further_down_is_found(desk):
    last = opened(desk, "big heart").matches[-1].study.id
    state = go(desk, f"q=heart&film={last.replace(' ', '+')}")
    assert state.open.study.id == last and state.query.k == 2 * PAGE_SIZE


def test_a_link_within_a_search_keeps_it(desk):
    state = opened(desk, "big heart")
    closed = go(desk, write_place(desk.close_film(state)), state)
    assert closed.matches is state.matches and closed.open is None


def test_an_unknown_film_is_said_beside_what_was_asked(desk):
    state = go(desk, "q=mass&film=gone")
    assert state.matches and state.open is None
    assert "the gallery has changed since the link was copied" in shown(desk, state)
    assert desk.open_film(state, event(index=0)).note == ""


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("film=gone", "not in this gallery"),
        ("like=gone", "not in this gallery"),
        ("view=sideways", "expected a view"),
        ("with=warts", "expected a finding"),
        ("sex=X", "expected a sex"),
        ("q=a&from=old", "an age in years in the link"),
        ("q=a&from=70&to=30", "age_min <= age_max"),
        ("q=" + "x" * 2001, "at most 2,?000 characters"),
        ("q=" + "x" * 20_000, "expected a link of at most"),
    ],
)
def test_a_link_that_cannot_be_says_so(desk, address, said):
    with pytest.raises(ValueError, match=said):
        go(desk, address)


def test_an_upload_has_no_address(desk, tmp_path, film):
    film(1, (300, 240)).save(tmp_path / "mine.png")
    state = desk.search_by_film(SearchState(), str(tmp_path / "mine.png"), *NO_FILTER)
    assert write_place(state) == ""


def test_what_is_not_known_in_a_link_is_left_out():
    place = read_place("q=mass&n=many&by=name&other=1&n=3")
    assert place.query.k == PAGE_SIZE and place.query.evidence == "all" and place.film == ""
    assert read_place("by=look").query is None and read_place("").query is None
