from .condition import (
    Condition as Condition,
)
from .condition import (
    ConditionFormat as ConditionFormat,
)
from .heart_ratio import (
    usual_heart_ratio as usual_heart_ratio,
)
from .holes import (
    CANDIDATES as CANDIDATES,
)
from .holes import (
    has_hole as has_hole,
)
from .memorization import (
    FILE as FILE,
)
from .memorization import (
    TrainingImageIndex as TrainingImageIndex,
)
from .memorization import (
    copy_limit as copy_limit,
)
from .memorization import (
    project_training_images as project_training_images,
)
from .memorization import (
    save_training_index as save_training_index,
)
from .request import (
    SEVERITY as SEVERITY,
)
from .request import (
    DrawingRequest as DrawingRequest,
)
from .request import (
    read_request as read_request,
)
from .sampler import (
    TOLD as TOLD,
)
from .sampler import (
    Sampler as Sampler,
)
