from .encoded import EncodedQuery as EncodedQuery
from .encoded import ImageEncoding as ImageEncoding
from .finding_space import (
    FindingSpace as FindingSpace,
)
from .finding_space import (
    fit_finding_space as fit_finding_space,
)
from .finding_space import (
    unit_rows as unit_rows,
)
from .look import Look as Look
from .look import read_gallery as read_gallery
from .query_encoder import (
    QueryEncoder as QueryEncoder,
)
from .ranking import (
    Evidence as Evidence,
)
from .ranking import (
    LabelTable as LabelTable,
)
from .ranking import (
    Ranking as Ranking,
)
from .ranking import (
    RankingWeights as RankingWeights,
)
from .ranking import (
    ReportIndex as ReportIndex,
)
from .ranking import (
    standardized as standardized,
)
from .regions import REGIONS as REGIONS
from .regions import RegionIndex as RegionIndex
from .regions import read_region as read_region
from .regions import region_name as region_name
from .retriever import (
    EVIDENCE as EVIDENCE,
)
from .retriever import (
    Match as Match,
)
from .retriever import (
    Retriever as Retriever,
)
from .similar_images import AGE_BAND as AGE_BAND
from .similar_images import MATCHED as MATCHED
from .similarity import (
    WORDS as WORDS,
)
from .understanding import (
    Understanding as Understanding,
)
from .understanding import (
    asks_anything as asks_anything,
)
from .understanding import (
    checked_query as checked_query,
)
