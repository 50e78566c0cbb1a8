"""An image or a text goes through the network once a request."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from app_gallery import NO_FILTER, opened
from drawn_models import DrawnSampler, DrawnTrainingImages, drawn
from reading_steps import answered

from cxr.tabs.generate.handlers import GenerateHandlers
from cxr.tabs.generate.state import GenerateState
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import ReadState
from cxr.tabs.search.handlers import SearchHandlers
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services


@pytest.fixture
def passes(reading, film, monkeypatch):
    """Images and batches of text that the network was given since the fixture was made."""
    reading.suggester.get().suggest(film(2, (300, 240)))  # the first encodes the phrases
    model, counts = reading.retriever().model, Counter()
    encode_image, encode_tokens = model.encode_image_with_features, model.encode_tokens

    def counted_image(pixels):
        counts["images"] += len(pixels)
        return encode_image(pixels)

    def counted_text(ids, mask):
        counts["texts"] += 1
        return encode_tokens(ids, mask)

    monkeypatch.setattr(model, "encode_image_with_features", counted_image)
    monkeypatch.setattr(model, "encode_tokens", counted_text)
    return counts


def test_an_upload_to_search_is_encoded_once_for_gate_query_filters_and_pages(
    reading, passes, upload
):
    handlers = SearchHandlers(reading)
    state = handlers.search_by_film(SearchState(), upload, *NO_FILTER)
    assert passes == {"images": 1}
    handlers.more(state)
    handlers.filter(state, ["PA"], "", "", "", [], [])
    assert passes == {"images": 1}


def test_a_text_is_encoded_once_for_filters_and_pages(reading, passes):
    handlers = SearchHandlers(reading)
    state = handlers.search(SearchState(), "big heart", *NO_FILTER)
    assert passes == {"texts": 1}
    more = handlers.more(state)
    narrow = handlers.filter(state, [], "", "", "", ["cardiomegaly"], [])
    assert passes == {"texts": 1} and len(more.matches) > len(state.matches) > len(narrow.matches)


def test_more_like_this_takes_the_embedding_of_the_gallery(reading, passes):
    handlers = SearchHandlers(reading)
    state = opened(handlers, "big heart")
    passes.clear()
    handlers.more(handlers.more_like_this(state, *NO_FILTER))
    assert not passes


def test_a_generated_image_is_encoded_once_for_its_neighbor_and_the_copy_check(services, passes):
    own = Services(
        services.gallery,
        services.weights,
        lambda **_: services.retriever(),
        generator=drawn(lambda: DrawnSampler(DrawnTrainingImages())),
    )
    handlers = GenerateHandlers(own)
    state = handlers.compare(handlers.generate(GenerateState(), "big heart", "", 4, "7", 1.0))
    assert state.comparison.nearest is not None and state.comparison.copied is not None
    assert passes == {"images": 1}


def test_a_report_takes_one_pass(reading, passes, upload):
    handlers = ReadHandlers(reading)
    state = answered(handlers, handlers.upload(ReadState(), upload))
    assert state.suggestion is not None and passes == {"images": 1}


def test_a_vector_that_travels_gives_the_same_answers(reading, film):
    retriever, suggester = reading.retriever(), reading.suggester.get()
    image = film(1, (300, 240))
    encoded = retriever.encode(image)
    for query, again in ((image, encoded), ("big heart", retriever.encode("big heart"))):
        assert retriever.search(query) == retriever.search(again)
    np.testing.assert_array_equal(encoded.vector, retriever.encode_images([image])[0])
    assert suggester.judge(image) == suggester.judge(image, encoded)
    assert suggester.suggest(image) == suggester.suggest(image, encoded=encoded)
