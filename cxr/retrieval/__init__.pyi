from .query_encoder import (
    QueryEncoder as QueryEncoder,
)
from .retriever import EncodedQuery as EncodedQuery
from .retriever import (
    Match as Match,
)
from .retriever import (
    Retriever as Retriever,
)
from .similarity import (
    WORDS as WORDS,
)
