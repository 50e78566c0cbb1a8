from .serve import (
    launch as launch,
)
from .serve import (
    server_port as server_port,
)
from .services import (
    Services as Services,
)
