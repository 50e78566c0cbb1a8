from .localizer import (
    MAX_TEXT as MAX_TEXT,
)
from .localizer import (
    SURE as SURE,
)
from .localizer import (
    THRESHOLD as THRESHOLD,
)
from .localizer import (
    Localization as Localization,
)
from .localizer import (
    Localizer as Localizer,
)
from .lung_zones import (
    place_of as place_of,
)
from .measure import (
    Measure as Measure,
)
from .measure import (
    measure_region as measure_region,
)
from .targets import (
    AIRWAYS as AIRWAYS,
)
from .targets import (
    CONSOLIDATION as CONSOLIDATION,
)
from .targets import (
    DEVICES as DEVICES,
)
from .targets import (
    GROUND_GLASS as GROUND_GLASS,
)
from .targets import (
    HEART as HEART,
)
from .targets import (
    LEFT_LUNG as LEFT_LUNG,
)
from .targets import (
    LUNGS as LUNGS,
)
from .targets import (
    OPACITIES as OPACITIES,
)
from .targets import (
    OPACITY as OPACITY,
)
from .targets import (
    PARTS as PARTS,
)
from .targets import (
    RIGHT_LUNG as RIGHT_LUNG,
)
from .targets import (
    SIDES as SIDES,
)
from .targets import (
    TARGETS as TARGETS,
)
from .targets import (
    ZONES as ZONES,
)
from .targets import (
    Query as Query,
)
from .targets import (
    parse as parse,
)
from .targets import (
    union_known as union_known,
)
