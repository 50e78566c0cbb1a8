from .memorization import (
    FILE as FILE,
)
from .memorization import (
    Originals as Originals,
)
from .memorization import (
    copy_limit as copy_limit,
)
from .memorization import (
    project_originals as project_originals,
)
from .memorization import (
    save_originals as save_originals,
)
from .sampler import (
    Sampler as Sampler,
)
