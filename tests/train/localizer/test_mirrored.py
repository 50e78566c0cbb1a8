"""At which heart offset an image is called mirrored."""

from __future__ import annotations

import numpy as np

from train.localizer.mirrored import FALSE_WARNINGS, best_limit, shares_at


def test_what_is_not_measured_is_not_called_mirrored():
    offsets = np.array([-0.02, 0.004, 0.03, np.nan])
    assert shares_at(offsets, [-0.05, 0.0, 0.01, 1.0]) == [0.0, 0.25, 0.5, 0.75]


def test_the_highest_limit_that_leaves_films_as_they_are_alone_is_taken():
    limits = [0.0, 0.01, 0.02, 0.03]
    assert best_limit([0.0, FALSE_WARNINGS, 0.02, 0.2], limits) == 0.01
    assert best_limit([0.0] * 4, limits) == 0.03
    assert best_limit([0.5] * 4, limits) is None
