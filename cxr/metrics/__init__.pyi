from .calibration import (
    expected_calibration_error as expected_calibration_error,
)
from .calibration import (
    reliability as reliability,
)
from .generation import (
    frechet_distance as frechet_distance,
)
from .generation import (
    kernel_distance as kernel_distance,
)
from .generation import (
    mean_pairwise_distance as mean_pairwise_distance,
)
from .generation import (
    nearest_distance as nearest_distance,
)
from .intervals import (
    bootstrap_interval as bootstrap_interval,
)
from .intervals import (
    value_with_interval as value_with_interval,
)
from .retrieval import (
    auroc as auroc,
)
from .retrieval import (
    average_precision as average_precision,
)
from .retrieval import (
    hit_probability as hit_probability,
)
from .retrieval import (
    precision_at_k as precision_at_k,
)
from .retrieval import (
    random_recall_at_k as random_recall_at_k,
)
from .retrieval import (
    recall_at_k as recall_at_k,
)
from .segmentation import (
    dice as dice,
)
from .segmentation import (
    iou as iou,
)
from .segmentation import (
    pointing_game as pointing_game,
)
