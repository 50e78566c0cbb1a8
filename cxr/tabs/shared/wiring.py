"""How a tab is wired: an event on the page runs a handler, and what it returns is shown.

A handler takes the visitor's state, then the values of some inputs, and returns the next state.
`show` turns a state into the values of the tab's outputs. Handlers of one visitor may overlap, so
each is given the latest state when it begins to change it, and no other changes it meanwhile.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

import gradio as gr
from gradio.blocks import Block
from gradio.context import Context
from gradio.events import Dependency

from cxr.tabs.shared.errors import STALE, attempt

T = TypeVar("T")
Event = Callable[..., Dependency]  # such as button.click, or then of another event
Show = Callable[..., tuple]  # show(state, message="", busy="") -> values of the outputs

STATE_TTL_SECONDS = 3600  # after which what a visitor left on the page is dropped
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a model says to a question, on its way to the page.

    question: identifies what was asked, such as the image and the finding, so that an answer that
    comes too late can be dropped. problem: why there is no value, in words.
    """

    question: Any
    value: T | None = None
    problem: str = ""


class VisitorState(Generic[T]):
    """What one visitor has in a tab: replaced by one handler after the other.

    Gradio reads an event's inputs when it begins and writes its outputs when it ends, so that of
    two events that overlap the one which ends last would undo what the other did. What Gradio
    keeps is therefore this place, and handlers read and replace what is in it under its lock.
    """

    def __init__(self, value: T) -> None:
        """Begin with a value."""
        self.value = value
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: dict) -> VisitorState[T]:
        """Return a place of its own for another visitor; values are never changed, so shared."""
        return VisitorState(self.value)


def answer(question: Any, work: Callable[..., T], *args: object) -> Answer[T]:
    """Return what work(*args) says to a question; its error as the answer's problem."""
    return Answer(question, *attempt(work, *args))


class TabWiring:
    """Runs the handlers of one tab on events, each with the tab's state and outputs."""

    def __init__(self, prefix: str, state: gr.State, outputs: Sequence[Block], show: Show) -> None:
        """Wire nothing yet.

        Args:
            prefix: what the names of the tab's endpoints begin with.
            state: of visitor_state; the first input and the last output of every handler.
            outputs: the components that show fills before the state.
            show: makes the values of outputs and state from a state.
        """
        self.prefix, self.state, self.show = prefix, state, show
        self.outputs = [*outputs, state]

    def on(
        self,
        event: Event | Sequence[Event],
        handler: Callable[..., Any],
        inputs: Sequence[Block] = (),
        *,
        busy: str | Callable[..., str] = "",
        name: str = "",
        show: Show | None = None,
        trigger_mode: str = "",
    ) -> Dependency:
        """Run a handler on an event, or on each of several.

        While it runs, the values of its inputs are read again for the last event that came; what
        an event itself says is not (Gradio repeats the first one's), so every event that says
        something is run, in their order. So is every upload, one after the other: one that was
        left out would stay on disk, since reading it is what deletes it.

        Args:
            event: what starts it.
            handler: handler(state, *inputs) -> the next state.
            inputs: components whose values it takes.
            busy: what the page says meanwhile, or a function of (state, *inputs) that returns it.
            name: of the endpoint, without the prefix; the handler's own by default.
            show: another one than the tab's.
            trigger_mode: as Gradio has it; by default "multiple" where the handler reads the event
                or an upload, "always_last" where it reads neither.
        """
        reads_event = gr.EventData in get_type_hints(handler).values()
        reads_upload = any(isinstance(one, gr.UploadButton) for one in inputs)
        mode = "multiple" if reads_event or reads_upload else "always_last"
        listen = event if callable(event) else functools.partial(gr.on, list(event))
        return listen(
            fn=guarded(handler, show or self.show, busy),
            inputs=[self.state, *inputs],
            outputs=self.outputs,
            api_name=f"{self.prefix}_{name or handler.__name__}",
            api_visibility="undocumented",
            show_progress="hidden",
            trigger_mode=trigger_mode or mode,
            concurrency_limit=1 if reads_upload else "default",
        )

    def ask(
        self,
        event: Dependency,
        ask: Callable[[Any], Answer | None],
        receive: Callable[[Any, Answer | None], Any],
        *,
        model: str,
        name: str = "",
    ) -> Dependency:
        """Ask a model after an event, apart from the event, so that the page stays usable.

        Args:
            event: what comes before the question.
            ask: ask(state) -> Answer, or None where there is nothing to ask. Changes nothing.
            receive: receive(state, answer) -> the next state; None, and the page stays as it is,
                where the answer belongs to something that is no longer on the page.
            model: questions to one model are asked one after the other.
            name: of the endpoint that receives, without the prefix.
        """
        asked = update(event.then, ask, self.state, self._answer, **in_turn(model))
        return self.on(asked.then, receive, [self._answer], name=name)

    @functools.cached_property
    def _answer(self) -> gr.State:
        """The last answer on its way to the page."""
        return gr.State(None, time_to_live=STATE_TTL_SECONDS)


def guarded(
    work: Callable[..., Any], show: Show, busy: str | Callable[..., str] = ""
) -> Callable[..., Iterator[tuple]]:
    """Return a handler for Gradio that never fails, made of work(state, *inputs) -> state.

    It takes a VisitorState and yields show(state, busy=busy) where there is something to say
    meanwhile, then show(state after), or after an error show(state before, message=...); each with
    the VisitorState in the place of the state, which show gives last. busy may be a function of
    (state, *inputs). Of an input that is another tab's VisitorState, work gets what it holds.
    """

    @functools.wraps(work)
    def handler(state: VisitorState, *inputs: Any) -> Iterator[tuple]:
        values = _values(inputs)
        before = state.value
        if said := busy(before, *values) if callable(busy) else busy:
            yield (*show(before, busy=said)[:-1], state)
        with state.lock:
            after, message = attempt(work, state.value, *values)
            *shown, next_state = show(state.value, message=message) if message else show(after)
            if next_state != gr.skip():
                state.value = next_state
        yield (*shown, state)

    return handler


def _values(inputs: Sequence[Any]) -> list[Any]:
    """The inputs of a handler, of a visitor's state what it holds."""
    return [one.value if isinstance(one, VisitorState) else one for one in inputs]


def following(show: Show) -> Show:
    """Return `show` for a handler that follows another.

    The message, its first output, stays as the other left it unless there is another one.
    """

    def shown(state: Any, message: str = "", busy: str = "") -> tuple:
        said, *rest = show(state, message=message, busy=busy)
        return (said if message else gr.skip(), *rest)

    return shown


def in_turn(model: str) -> dict[str, Any]:
    """Return options of events that ask a model, one after the other.

    The last is never dropped, so that no answer comes before that to an earlier question.
    """
    return {"trigger_mode": "always_last", "concurrency_id": model, "concurrency_limit": 1}


def update(
    event: Event,
    function: Callable[..., Any] | None,
    inputs: Block | Sequence[Block] | None,
    outputs: Block | Sequence[Block] | None,
    **options: Any,
) -> Dependency:
    """Fill outputs on an event with what a function returns; no endpoint, no message.

    Of an input that is a visitor's state, the function gets what it holds.
    """

    def call(*values: Any) -> Any:
        assert function is not None
        return function(*_values(values))

    wrapped = functools.wraps(function)(call) if function else None
    return event(wrapped, inputs, outputs, **_PRIVATE, **options)


def on_load(
    function: Callable[[], Any] | None, outputs: Block | Sequence[Block] | None, script: str = ""
) -> Dependency:
    """Fill outputs when the page is opened, or run a script in the browser."""
    assert Context.root_block is not None, "a tab is built inside the page's Blocks"
    return update(Context.root_block.load, function, None, outputs, js=script or None)


def visitor_state(value: Any) -> gr.State:
    """Return a VisitorState of each visitor's own, dropped an hour after the page was left."""
    return gr.State(VisitorState(value), time_to_live=STATE_TTL_SECONDS)


def event_value(event: gr.EventData, name: str, kind: type[T]) -> T:
    """Return what a click says under a name, as the page's scripts send it.

    Raises:
        ValueError: the click says nothing of that kind.
    """
    value = (event._data or {}).get(name)
    if not isinstance(value, kind):
        raise ValueError(STALE)
    return value


def event_item(event: gr.EventData, items: Sequence[T]) -> T:
    """Return the item whose index a click says.

    Raises:
        ValueError: there is no such item.
    """
    index = event_value(event, "index", int)
    if not 0 <= index < len(items):
        raise ValueError(STALE)
    return items[index]
