from .chips import (
    Chip as Chip,
)
from .chips import (
    describe as describe,
)
from .chips import (
    without as without,
)
from .negation import (
    ABSENT as ABSENT,
)
from .negation import (
    POSSIBLE as POSSIBLE,
)
from .negation import (
    PRESENT as PRESENT,
)
from .negation import (
    states_of as states_of,
)
from .prompts import (
    affirmative as affirmative,
)
from .prompts import (
    negative as negative,
)
from .query import (
    MAX_TEXT as MAX_TEXT,
)
from .query import (
    Query as Query,
)
from .query import (
    asked_for as asked_for,
)
from .query import (
    parse as parse,
)
