"""A shelf of drawn films and a tiny model, shared by the tests of the tabs."""

from __future__ import annotations

import pytest
import torch
from app_gallery import make_shelf

from cxr.tabs.desk import Desk
from cxr.tabs.services import Services


@pytest.fixture(scope="session")
def services(tmp_path_factory, film):
    torch.set_num_threads(1)
    shelf = make_shelf(tmp_path_factory.mktemp("shelf"), film)
    return Services(str(shelf.gallery), str(shelf.weights))


@pytest.fixture
def desk(services):
    return Desk(services)
