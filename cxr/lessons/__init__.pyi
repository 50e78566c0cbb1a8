from .library import (
    GROUPS as GROUPS,
)
from .library import (
    MIXED as MIXED,
)
from .library import (
    RATIO as RATIO,
)
from .library import (
    VIEWS as VIEWS,
)
from .library import (
    Lesson as Lesson,
)
from .library import (
    Question as Question,
)
from .library import (
    Source as Source,
)
from .library import (
    all_lessons as all_lessons,
)
from .library import (
    find_lesson as find_lesson,
)
from .library import (
    read_lesson as read_lesson,
)
