from .serve import (
    launch as launch,
)
from .services import (
    Services as Services,
)
