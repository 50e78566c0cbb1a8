"""Events of one visitor that overlap: none undoes what another did."""

from __future__ import annotations

import copy
import threading

import gradio as gr

from cxr.tabs.shared.wiring import VisitorState, guarded


def show(state, message="", busy=""):
    return (gr.skip(), gr.skip()) if state is None else (message, state)


def test_an_event_that_overlaps_another_changes_what_that_left():
    begun, go_on = threading.Event(), threading.Event()

    def slow(state):
        begun.set()
        assert go_on.wait(30)
        return (*state, "slow")

    place = VisitorState(("before",))
    first = threading.Thread(target=lambda: list(guarded(slow, show)(place)))
    first.start()
    assert begun.wait(30)
    second = threading.Thread(
        target=lambda: list(guarded(lambda state: (*state, "quick"), show)(place))
    )
    second.start()
    go_on.set()
    first.join(30)
    second.join(30)
    assert place.value == ("before", "slow", "quick")


def test_a_handler_that_leaves_the_page_leaves_the_state():
    place = VisitorState(("lesson",))
    assert list(guarded(lambda state: None, show)(place)) == [(gr.skip(), place)]
    assert place.value == ("lesson",)


def test_each_visitor_has_a_place_of_its_own():
    place = VisitorState(("start",))
    other = copy.deepcopy(place)
    list(guarded(lambda state, more: (*state, *more), show)(place, VisitorState(("theirs",))))
    assert place.value == ("start", "theirs") and other.value == ("start",)
