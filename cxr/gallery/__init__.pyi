from .annotations import (
    read_annotations as read_annotations,
)
from .build import (
    check_target as check_target,
)
from .check import (
    check_gallery as check_gallery,
)
from .filter import (
    Where as Where,
)
from .format import (
    ANNOTATIONS as ANNOTATIONS,
)
from .format import (
    EMBEDDINGS as EMBEDDINGS,
)
from .format import (
    GALLERY_FILES as GALLERY_FILES,
)
from .format import (
    HEADER as HEADER,
)
from .format import (
    INDEX as INDEX,
)
from .format import (
    OPTIONAL_FILES as OPTIONAL_FILES,
)
from .format import (
    is_gallery as is_gallery,
)
from .format import (
    read_header as read_header,
)
from .gallery import (
    Gallery as Gallery,
)
from .gallery import (
    build_gallery as build_gallery,
)
from .gallery import checked_count as checked_count
from .gallery import rebuild_command as rebuild_command
from .hub import (
    pull_gallery as pull_gallery,
)
from .hub import (
    push_gallery as push_gallery,
)
from .logits import (
    FindingLogits as FindingLogits,
)
from .logits import (
    write_logits as write_logits,
)
from .map import (
    METHODS as METHODS,
)
from .map import (
    map_positions as map_positions,
)
from .map import (
    write_map as write_map,
)
