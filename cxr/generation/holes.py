"""Black holes that a generator draws into the abdomen, and noise that draws none.

Some training images end in a black border below; a generator takes it for part of the body now and
then, the more so the graver what is asked for, and always for the same noise.
"""

from __future__ import annotations

import numpy as np

from cxr.generation.condition import Condition

BLACK, HOLE = 20, 0.004  # grey level out of 255; share of the abdomen that may be darker
CANDIDATES = 8  # noises tried for an image, which a generator draws in one pass
# Of what was tried, this draws a hole soonest: where it draws none, hardly anything else does.
PROBE = Condition({"pleural effusion": 2.0}, 0.46, 50, "M", "PA")


def black_share(square: np.ndarray) -> float:
    """How much of the abdomen of an image uint8 [S, S] is black, in [0, 1]."""
    side = len(square)
    abdomen = square[7 * side // 10 :, side // 5 : 4 * side // 5]
    return float((abdomen < BLACK).mean())


def has_hole(square: np.ndarray) -> bool:
    """Whether an image uint8 [S, S] is black where a body is."""
    return black_share(square) > HOLE


def first_whole(squares: np.ndarray) -> int:
    """The first of N images uint8 [N, S, S] without a hole; that with the least of one if none."""
    shares = np.array([black_share(square) for square in squares])
    whole = np.flatnonzero(shares <= HOLE)
    return int(whole[0] if len(whole) else shares.argmin())
