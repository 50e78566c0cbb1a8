from .practice.handlers import (
    PracticeHandlers as PracticeHandlers,
)
from .practice.routes import (
    practice_routes as practice_routes,
)
from .serve import (
    launch as launch,
)
from .serve import (
    server_port as server_port,
)
from .services import (
    Services as Services,
)
