from .chexpert import (
    ABOUT as ABOUT,
)
from .image_index import (
    stem as stem,
)
from .load import (
    load_studies as load_studies,
    read_layout as read_layout,
)
from .masks import (
    Box as Box,
    MaskedFilm as MaskedFilm,
    load_boxes as load_boxes,
    load_masked_films as load_masked_films,
)
from .openi import (
    holds_openi as holds_openi,
    load_reports as load_reports,
)
from .public import (
    CREDIT as CREDIT,
    MIRROR as MIRROR,
    NIH_ARCHIVES as NIH_ARCHIVES,
    fetch_set as fetch_set,
)
from .splits import (
    load_split as load_split,
)
from .study_table import (
    FOLDER as FOLDER,
    IMAGES as IMAGES,
    STUDIES as STUDIES,
    SYNTHETIC as SYNTHETIC,
    read_studies as read_studies,
    write_studies as write_studies,
)
