from .calibration import (
    LEAST_POSSIBLE as LEAST_POSSIBLE,
)
from .calibration import (
    LIKELY as LIKELY,
)
from .calibration import (
    SETTINGS as SETTINGS,
)
from .calibration import (
    UNLIKELY_BELOW as UNLIKELY_BELOW,
)
from .calibration import (
    Bands as Bands,
)
from .calibration import (
    Calibration as Calibration,
)
from .calibration import (
    Finding as Finding,
)
from .calibration import (
    MeasuredTerm as MeasuredTerm,
)
from .calibration import (
    OperatingPoint as OperatingPoint,
)
from .claims import (
    ABSENT as ABSENT,
)
from .claims import (
    claims_of as claims_of,
)
from .claims import (
    contradictions as contradictions,
)
from .claims import (
    sentences as sentences,
)
from .compose import (
    Sentence as Sentence,
)
from .compose import (
    compose_report as compose_report,
)
from .compose import (
    report_text as report_text,
)
from .corpus import (
    build_corpus as build_corpus,
)
from .document import as_document as as_document
from .measured import (
    HeartRatio as HeartRatio,
)
from .measured import (
    Measurements as Measurements,
)
from .measured import (
    measure_image as measure_image,
)
from .ood_gate import (
    CHILD as CHILD,
)
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
from .overall import (
    LOOKS_ABNORMAL as LOOKS_ABNORMAL,
)
from .overall import (
    LOOKS_NORMAL as LOOKS_NORMAL,
)
from .overall import (
    UNDECIDED as UNDECIDED,
)
from .overall import (
    Abnormality as Abnormality,
)
from .overall import (
    Overall as Overall,
)
from .overall import (
    OverallPoint as OverallPoint,
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
    ReportSuggester as ReportSuggester,
)
from .suggester import (
    Suggestion as Suggestion,
)
from .suggester import (
    load_reporting as load_reporting,
)
