from .load import (
    Preprocess as Preprocess,
)
from .load import (
    frame_count as frame_count,
)
from .load import (
    load_image as load_image,
)
from .overlays import (
    contour_overlay as contour_overlay,
)
from .overlays import (
    corner_mark as corner_mark,
)
from .overlays import (
    heat_colors as heat_colors,
)
from .overlays import (
    heat_opacity as heat_opacity,
)
from .photograph import (
    straighten as straighten,
)
