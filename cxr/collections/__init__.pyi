from .collection import (
    MAX_STUDIES as MAX_STUDIES,
)
from .collection import (
    Collection as Collection,
)
from .collection import (
    checked_ids as checked_ids,
)
from .collection import (
    checked_name as checked_name,
)
from .collection import (
    find_studies as find_studies,
)
from .collection import (
    gallery_name as gallery_name,
)
from .collection import (
    read_collection as read_collection,
)
from .export import (
    FORMATS as FORMATS,
)
from .export import (
    export_collection as export_collection,
)
from .pages import (
    MAX_EXPORTED as MAX_EXPORTED,
)
from .pages import (
    origin as origin,
)
from .pages import (
    study_caption as study_caption,
)
