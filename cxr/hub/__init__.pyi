from .errors import (
    explained as explained,
)
from .errors import (
    patiently as patiently,
)
from .repository import (
    HUB as HUB,
)
from .repository import (
    Repository as Repository,
)
from .repository import (
    fetch as fetch,
)
from .repository import (
    is_hub_address as is_hub_address,
)
from .repository import (
    send as send,
)
from .repository import (
    staged as staged,
)
