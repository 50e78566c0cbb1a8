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
    find_studies as find_studies,
)
from .collection import (
    gallery_name as gallery_name,
)
from .collection import (
    read_collection as read_collection,
)
