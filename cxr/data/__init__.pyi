from .annotations import (
    Annotation as Annotation,
)
from .annotations import (
    Outline as Outline,
)
from .annotations import (
    load_annotations as load_annotations,
)
from .chexpert import (
    ABOUT as ABOUT,
)
from .expert_labels import (
    ExpertReading as ExpertReading,
)
from .expert_labels import (
    load_expert_labels as load_expert_labels,
)
from .image_index import (
    stem as stem,
)
from .load import (
    load_studies as load_studies,
)
from .load import (
    read_layout as read_layout,
)
from .masks import (
    Box as Box,
)
from .masks import (
    MaskedImage as MaskedImage,
)
from .masks import (
    load_boxes as load_boxes,
)
from .masks import (
    load_masked_images as load_masked_images,
)
from .openi import (
    holds_openi as holds_openi,
)
from .openi import (
    load_reports as load_reports,
)
from .outlines import (
    load_cardiothoracic_ratios as load_cardiothoracic_ratios,
)
from .outlines import (
    load_outlined_images as load_outlined_images,
)
from .public import (
    CREDIT as CREDIT,
)
from .public import (
    MIRROR as MIRROR,
)
from .public import (
    NIH_ARCHIVES as NIH_ARCHIVES,
)
from .public import (
    fetch_set as fetch_set,
)
from .shapes import (
    Polygon as Polygon,
)
from .splits import (
    load_split as load_split,
)
from .study_table import (
    FOLDER as FOLDER,
)
from .study_table import (
    IMAGES as IMAGES,
)
from .study_table import (
    STUDIES as STUDIES,
)
from .study_table import (
    SYNTHETIC as SYNTHETIC,
)
from .study_table import (
    image_name as image_name,
)
from .study_table import (
    read_studies as read_studies,
)
from .study_table import (
    write_studies as write_studies,
)
