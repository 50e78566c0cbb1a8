from .negation import (
    asked_for as asked_for,
)
from .prompts import (
    affirmative as affirmative,
)
from .prompts import (
    negative as negative,
)
