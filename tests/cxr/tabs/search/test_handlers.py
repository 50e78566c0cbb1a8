"""The handlers of the Search tab, without a browser."""

from __future__ import annotations

import gradio as gr
import numpy as np
import pytest
from app_gallery import NO_FILTER, event, opened, shown

from cxr.reporting.ood_gate import WARNING
from cxr.retrieval import understanding
from cxr.tabs.search.handlers import SearchHandlers, heat_layer, where
from cxr.tabs.search.state import MAX_RESULTS, PAGE_SIZE, SearchState
from cxr.tabs.shared.uploads import read_upload


def test_search_finds_films_and_filters_hold(desk):
    room = desk.search(SearchState(), "  big heart ", ["PA"], "F", "", "60", ["cardiomegaly"], [])
    assert [match.study.id for match in room.matches] == ["generated"]
    assert room.query.text == "big heart"
    wider = desk.filter(room, [], "", "", "", ["cardiomegaly"], [])
    assert {match.study.id for match in wider.matches} == {"generated", "big heart"}


def test_a_finding_that_no_film_is_labelled_with_is_said(desk):
    room = desk.search(SearchState(), "broken rib", *NO_FILTER)
    assert room.matches and "No film here is labelled fracture." in shown(desk, room)
    assert "is labelled" not in shown(desk, desk.search(SearchState(), "big heart", *NO_FILTER))


def test_filters_that_have_not_changed_close_no_film(desk):
    room = desk.search(SearchState(), "big heart", ["PA"], "F", "", "60", ["cardiomegaly"], [])
    assert desk.filter(room, ["PA"], "F", "", "60", ["cardiomegaly"], []) is None
    assert desk.filter(SearchState(), *NO_FILTER) is None
    message, *page = desk.show_filtered(None)
    assert not message.strip() and page == [gr.skip()] * 3  # a film opened meanwhile stays


def test_more_adds_films_to_the_same_search(desk):
    room = desk.search(SearchState(), "heart", *NO_FILTER)
    more = desk.more(room)
    assert len(room.matches) == PAGE_SIZE and len(more.matches) == 16
    assert more.matches[:PAGE_SIZE] == room.matches and more.query.k <= MAX_RESULTS


def test_more_like_this_leaves_the_film_itself_out_and_leads_back(desk):
    room = opened(desk, "big heart")
    alike = desk.more_like_this(room, *NO_FILTER)
    assert len(alike.matches) == PAGE_SIZE
    assert "big heart" not in {match.study.id for match in alike.matches}
    assert alike.query.image is not None and alike.selected is None
    assert desk.back(alike).matches == room.matches
    assert desk.back(SearchState()) == SearchState()


def test_similar_films_are_matched_for_view_sex_and_age_as_wished(desk):
    alike = desk.more_like_this(opened(desk, "big heart"), *NO_FILTER)
    assert 'data-name="age" aria-pressed="false">age: 64 ± 10 years' in shown(desk, alike)
    women = desk.match(alike, event(name="sex"))
    assert {match.study.sex for match in women.matches} == {"F"}
    like = desk.match(women, event(name="age"))
    assert [match.study.id for match in like.matches] == ["generated"]
    assert like.query.matched == ("sex", "age") and 'aria-pressed="true">sex' in shown(desk, like)
    assert desk.match(like, event(name="age")).matches == women.matches
    for wrong, name in ((alike, "weight"), (SearchState(), "sex")):
        with pytest.raises(ValueError, match="no longer on the page"):
            desk.match(wrong, event(name=name))


def test_a_region_needs_a_gallery_with_places(desk):
    alike = desk.more_like_this(opened(desk, "big heart"), *NO_FILTER)
    assert "Regions cannot be compared" in shown(desk, alike)
    assert "Similar in a box" not in shown(desk, opened(desk, "big heart"))
    with pytest.raises(ValueError, match="rebuild it: python -m cxr gallery build"):
        desk.region(alike, event(name="heart"))
    with pytest.raises(ValueError, match="expected a region out of"):
        desk.region(alike, event(name="spleen"))
    with pytest.raises(ValueError, match="expected a region out of"):
        desk.like_region(opened(desk, "big heart"), event(name="0,0,2,2"))


def test_a_film_of_unknown_view_sex_and_age_cannot_be_matched(desk):
    alike = desk.more_like_this(opened(desk, "unknown"), *NO_FILTER)
    assert 'data-act="match"' not in shown(desk, alike)
    with pytest.raises(ValueError, match="whose view is known"):
        desk.match(alike, event(name="view"))


def test_an_open_film_is_contrasted_with_a_like_person(desk):
    room = opened(desk, "hostile")
    page = shown(desk, room)
    assert "no finding, same view, sex and age group" not in page  # nobody so old is normal
    lone = opened(desk, "plain 5", query="normal")
    assert "For contrast" not in shown(desk, lone)
    contrast = desk.open_contrast(room, event(name="plain 5"))
    assert contrast.open.study.id == "plain 5" and desk.back(contrast).matches == room.matches
    with pytest.raises(ValueError, match="not in this gallery"):
        desk.open_contrast(room, event(name="gone"))


def test_the_way_back_is_bounded(desk):
    room = SearchState()
    for query in "abcdefghijkl":
        room = desk.search(room, query, *NO_FILTER)
    assert len(room.history) == 8 and all(not past.history for past in room.history)
    assert desk.back(room).query.text == "k"


def test_stepping_stays_among_the_films(desk):
    room = desk.open_film(desk.search(SearchState(), "heart", *NO_FILTER), event(index=0))
    assert desk.step(room, event(by=1)).selected == 1
    with pytest.raises(ValueError, match="no longer on the page"):
        desk.step(room, event(by=-1))
    for wrong in (event(index=99), event(index="0"), event(), gr.EventData(None, None)):
        with pytest.raises(ValueError, match="no longer on the page"):
            desk.open_film(room, wrong)
    assert desk.close_film(room).open is None


def heated(desk, room):
    """The room after the heat map was asked for, with nothing in between."""
    return desk.heat_map(room, desk.ask_heat_map(room))


def test_heat_map_needs_an_open_film_and_a_query_in_words(desk):
    room = opened(desk, "big heart")
    warm = heated(desk, room)
    assert warm.heat_map.startswith("data:image/png;base64,")
    assert 'class="heat"' in shown(desk, warm)
    assert heated(desk, warm).heat_map == ""
    with pytest.raises(ValueError, match="No film is open"):
        heated(desk, desk.close_film(room))
    alike = desk.open_film(desk.more_like_this(room, *NO_FILTER), event(index=0))
    with pytest.raises(ValueError, match="in words first"):
        heated(desk, alike)


def test_a_heat_map_is_never_drawn_over_another_film_or_for_another_query(desk):
    room = opened(desk, "big heart")
    heat = desk.ask_heat_map(room)
    meanwhile = {
        "another film": desk.step(room, event(by=1 if room.selected == 0 else -1)),
        "no film": desk.close_film(room),
        "another search": desk.search(room, "edema", *NO_FILTER),
        "the film in another search": opened(desk, "big heart", query="cardiomegaly"),
        "the way back": desk.back(room),
    }
    for what, now in meanwhile.items():
        assert desk.heat_map(now, heat) is None, what
    assert all(update == gr.skip() for update in desk.show(None))
    again = desk.open_film(desk.close_film(room), event(index=room.selected))
    assert desk.heat_map(again, heat).heat_map == heat.value


def test_an_error_of_a_heat_map_is_told_only_where_it_belongs(desk, monkeypatch):
    room = opened(desk, "big heart")
    monkeypatch.setattr(desk, "_heat_map", lambda room: 1 / 0)
    heat = desk.ask_heat_map(room)
    with pytest.raises(ValueError, match="written to the log"):
        desk.heat_map(room, heat)
    assert desk.heat_map(desk.close_film(room), heat) is None


def test_going_back_puts_the_filters_back(desk):
    chosen = (["PA"], "F", "20", "60", ["cardiomegaly"], ["mass"])
    first = desk.search(SearchState(), "big heart", *chosen)
    second = desk.search(first, "edema", *NO_FILTER)
    assert second.controls == ["edema", *NO_FILTER, False]
    assert SearchState().controls == ["", *NO_FILTER, False]
    assert desk.back(second).controls == ["big heart", *chosen, False]
    assert desk.filter(first, *first.controls[1:]) is None


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (([], "", "forty", "", [], []), "expected an age in years"),
        (([], "", "²", "", [], []), "expected an age in years"),
        (([], "", "70", "30", [], []), "age_min <= age_max"),
        (([], "", "", "", ["mass"], ["mass"]), "both show and lack mass"),
        ((["sideways"], "", "", "", [], []), "expected a view"),
    ],
)
def test_filters_that_cannot_be_say_so(filters, said):
    with pytest.raises(ValueError, match=said):
        where(*filters)


def test_an_upload_is_read_and_deleted(desk, tmp_path, film):
    path = tmp_path / "mine.jpg"
    film(1, (3000, 1200)).save(path)
    room = desk.search_by_film(SearchState(), str(path), *NO_FILTER)
    assert not path.exists() and len(room.matches) == PAGE_SIZE
    assert room.query.image.size == (1024, 410)


def test_a_picture_that_is_no_chest_film_is_doubted(strict, desk, upload, film):
    room = SearchHandlers(strict).search_by_film(SearchState(), upload, *NO_FILTER)
    assert WARNING in shown(SearchHandlers(strict), room) and len(room.matches) == PAGE_SIZE
    film(1, (300, 240)).save(upload, "PNG")
    believed = desk.search_by_film(SearchState(), upload, *NO_FILTER)  # there is no gate to ask
    assert believed.query.warning == "" and WARNING not in shown(desk, believed)


@pytest.mark.parametrize("junk", [b"", b"GIF89a", b"%PDF-1.4 not a film", b"\xff\xd8\xff\xe0"])
def test_junk_is_refused_and_deleted(tmp_path, junk):
    path = tmp_path / "junk.png"
    path.write_bytes(junk)
    with pytest.raises(ValueError):
        read_upload(str(path))
    assert not path.exists()
    with pytest.raises(ValueError, match="No film arrived"):
        read_upload(None)


def test_heat_layer_is_clear_where_there_is_no_heat():
    layer = np.asarray(heat_layer(np.array([[0, 0.2], [0.5, 1]], np.float32)))
    assert layer.shape == (2, 2, 4)
    assert layer[0, :, 3].tolist() == [0, 0] and 0 < layer[1, 0, 3] < layer[1, 1, 3] == 255


def test_without_words_the_filters_browse_what_passes_them(desk):
    room = desk.filter(SearchState(), [], "", "", "", ["cardiomegaly"], [])
    assert {match.study.id for match in room.matches} == {"big heart", "generated"}
    assert desk.search(SearchState(), " ", ["AP"], "", "", "", [], []).query.total == 2
    html = shown(desk, desk.open_film(room, event(index=0)))
    assert "2 films" in html and "labelled:" not in html and 'class="meter"' not in html
    assert desk.filter(room, *NO_FILTER).query is None
    with pytest.raises(ValueError, match="type what you are looking for"):
        desk.search(SearchState(), " ", *NO_FILTER)


def test_a_tile_opens_the_films_that_it_counts(desk):
    facts = dict(desk.services.facts().findings)
    for finding in ("cardiomegaly", "mass", "nodule"):
        room = desk.open_tile(SearchState(), event(name=finding))
        assert len(room.matches) == facts[finding]
        assert all(finding in match.study.positive for match in room.matches)


def test_chips_say_how_a_query_was_read_and_can_be_taken_away(desk):
    room = desk.search(SearchState(), "cardiomegly without effusion in women", *NO_FILTER)
    html = shown(desk, room)
    for said in ("without pleural effusion", "women", "Read “cardiomegly” as cardiomegaly."):
        assert said in html
    assert "labelled: cardiomegaly" in html and "similar" not in html
    left = desk.drop_chip(room, event(index=1))
    assert left.query.text == "cardiomegaly, women" and desk.back(left).query == room.query
    left = desk.drop_chip(desk.drop_chip(left, event(index=0)), event(index=0))
    assert left.query is None and desk.back(left).query.text == "women"
    for wrong, state in ((event(index=9), room), (event(index=0), left), (event(), room)):
        with pytest.raises(ValueError, match="no longer on the page"):
            desk.drop_chip(state, wrong)


def test_where_nothing_matches_the_nearest_are_called_that(desk):
    room = desk.search(SearchState(), "mass", [], "", "", "", [], ["mass"])
    assert [match.study.id for match in room.matches] == ["side"]
    html = shown(desk, room)
    assert "Nothing here matches; these come nearest." in html and "comes nearest" in html


def test_a_guess_is_called_one_and_nonsense_is_refused(desk, monkeypatch):
    monkeypatch.setattr(understanding, "NEAR_ENOUGH", -1.0)
    html = shown(desk, desk.search(SearchState(), "qwertz", *NO_FILTER))
    assert ">probably " in html and "is nearest in meaning" in html
    monkeypatch.setattr(understanding, "NEAR_ENOUGH", 2.0)
    with pytest.raises(ValueError, match="did not understand 'qwertz'"):
        desk.search(SearchState(), "qwertz", *NO_FILTER)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kein Erguss", "(German); searching by look alone."),
        ("effusion, no effusion", "“pleural effusion” is both asked for and excluded"),
        ("<b>mass</b> <script>x()</script>", "Not understood: script"),
    ],
)
def test_what_cannot_be_answered_is_said(desk, text, said):
    room = desk.search(SearchState(), text, *NO_FILTER)
    assert said in shown(desk, room) and "<script>" not in shown(desk, room) and room.matches


def test_the_switch_compares_images_alone(desk):
    room = desk.search(SearchState(), "cardiomegaly", *NO_FILTER)
    alone = desk.filter(room, *NO_FILTER, True)
    assert alone.query.evidence == "image" and alone.query.text == "cardiomegaly"
    assert "Compared by look alone" in shown(desk, alone) and "labelled:" not in shown(desk, alone)
    scores = [match.score for match in alone.matches]
    assert scores == sorted(scores, reverse=True)
    assert desk.filter(alone, *NO_FILTER, False).matches == room.matches


def test_by_look_a_gallery_that_was_not_read_for_findings_is_called_so(desk, monkeypatch):
    room = desk.search(SearchState(), "cardiomegaly", *NO_FILTER, True)
    assert "not been read for findings" not in shown(desk, room)  # nor do these weights read any
    retriever = desk.services.retriever()
    monkeypatch.setattr(type(retriever), "heads", property(lambda self: object()))
    monkeypatch.setattr(type(retriever), "reads_findings", property(lambda self: False))
    assert "This gallery has not been read for findings" in shown(desk, room)
