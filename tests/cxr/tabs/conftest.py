"""A shelf of drawn films and a tiny model, shared by the tests of the tabs."""

from __future__ import annotations

import pytest
import torch
from app_gallery import make_shelf
from reading_steps import answered, reading_services

from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import ReadState
from cxr.tabs.search.handlers import SearchHandlers
from cxr.tabs.services import Services


@pytest.fixture(scope="session")
def services(tmp_path_factory, film):
    torch.set_num_threads(1)
    shelf = make_shelf(tmp_path_factory.mktemp("shelf"), film)
    return Services(str(shelf.gallery), str(shelf.weights))


@pytest.fixture
def desk(services):
    return SearchHandlers(services)


@pytest.fixture(scope="session")
def reading(services, tmp_path_factory):
    return reading_services(services, tmp_path_factory.mktemp("reporting") / "own")


@pytest.fixture(scope="session")
def strict(services, tmp_path_factory):
    return reading_services(services, tmp_path_factory.mktemp("reporting") / "strict", -1e9)


@pytest.fixture
def read_handlers(reading):
    return ReadHandlers(reading)


@pytest.fixture
def upload(film, tmp_path):
    path = tmp_path / "mine.png"
    film(1, (300, 240)).save(path)
    return str(path)


@pytest.fixture
def state(read_handlers, upload):
    """An uploaded film with what was read in it."""
    return answered(read_handlers, read_handlers.upload(ReadState(), upload))
