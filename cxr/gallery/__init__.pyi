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
    EMBEDDINGS as EMBEDDINGS,
    GALLERY_FILES as GALLERY_FILES,
    HEADER as HEADER,
    INDEX as INDEX,
    is_gallery as is_gallery,
    read_header as read_header,
)
from .gallery import (
    Gallery as Gallery,
    build_gallery as build_gallery,
)
from .hub import (
    pull_gallery as pull_gallery,
    push_gallery as push_gallery,
)
