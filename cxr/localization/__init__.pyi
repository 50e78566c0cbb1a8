from .decoding import (
    DecoderReader as DecoderReader,
)
from .decoding import (
    Level as Level,
)
from .decoding import (
    Levels as Levels,
)
from .localization import (
    THRESHOLD as THRESHOLD,
)
from .localization import (
    Localization as Localization,
)
from .localizer import (
    MAX_TEXT as MAX_TEXT,
)
from .localizer import (
    SURE as SURE,
)
from .localizer import (
    Localizer as Localizer,
)
from .lung_measures import (
    LUNG_MEASURES as LUNG_MEASURES,
)
from .lung_measures import (
    Measured as Measured,
)
from .lung_measures import (
    measure_lungs as measure_lungs,
)
from .lung_zones import (
    place_of as place_of,
)
from .measure import (
    PLAUSIBLE_RATIOS as PLAUSIBLE_RATIOS,
)
from .measure import (
    Measure as Measure,
)
from .measure import (
    Ratio as Ratio,
)
from .measure import (
    cardiothoracic_ratio as cardiothoracic_ratio,
)
from .measure import (
    heart_offset as heart_offset,
)
from .measure import (
    measure_region as measure_region,
)
from .mirrored import (
    MIRRORED as MIRRORED,
)
from .mirrored import (
    mirror_warning as mirror_warning,
)
from .mirrored import (
    mirror_warning_of as mirror_warning_of,
)
from .presence import (
    FindingPresence as FindingPresence,
)
from .targets import (
    BEYOND_LUNGS as BEYOND_LUNGS,
)
from .targets import (
    Target as Target,
)
from .targets import (
    locate_target as locate_target,
)
from .targets import (
    parse as parse,
)
