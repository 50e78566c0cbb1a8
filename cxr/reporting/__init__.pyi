from .calibration import (
    LIKELY as LIKELY,
)
from .calibration import (
    SETTINGS as SETTINGS,
)
from .calibration import (
    Bands as Bands,
)
from .calibration import (
    Calibration as Calibration,
)
from .calibration import (
    OperatingPoint as OperatingPoint,
)
from .claims import (
    ABSENT as ABSENT,
)
from .compose import HeartRatio as HeartRatio
from .compose import (
    Sentence as Sentence,
)
from .compose import (
    compose_report as compose_report,
)
from .compose import measured_heart as measured_heart
from .compose import (
    report_text as report_text,
)
from .corpus import (
    build_corpus as build_corpus,
)
from .document import as_document as as_document
from .ood_gate import (
    FRONTAL as FRONTAL,
)
from .ood_gate import (
    KINDS as KINDS,
)
from .ood_gate import (
    FilmFeatures as FilmFeatures,
)
from .ood_gate import (
    OODGate as OODGate,
)
from .ood_gate import (
    ThumbnailAutoencoder as ThumbnailAutoencoder,
)
from .ood_gate import (
    film_features as film_features,
)
from .ood_gate import (
    standardize as standardize,
)
from .phrases import (
    BANK as BANK,
)
from .phrases import (
    Phrase as Phrase,
)
from .phrases import (
    phrase_bank as phrase_bank,
)
from .suggester import (
    Finding as Finding,
)
from .suggester import (
    ReportSuggester as ReportSuggester,
)
from .suggester import (
    Suggestion as Suggestion,
)
from .suggester import (
    load_reporting as load_reporting,
)
