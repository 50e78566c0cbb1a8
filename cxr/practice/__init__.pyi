from .contrast import (
    Contrast as Contrast,
)
from .contrast import (
    contrast_of as contrast_of,
)
from .grading import (
    FALSE_ALARM as FALSE_ALARM,
)
from .grading import (
    HIT as HIT,
)
from .grading import (
    MISS as MISS,
)
from .grading import (
    OPEN as OPEN,
)
from .grading import (
    UNSURE as UNSURE,
)
from .grading import (
    Commitment as Commitment,
)
from .grading import (
    Grade as Grade,
)
from .grading import (
    grade_answer as grade_answer,
)
from .lookalikes import (
    SIGNS as SIGNS,
)
from .lookalikes import (
    rivals as rivals,
)
from .origin import (
    SIDE as SIDE,
)
from .origin import (
    judge as judge,
)
from .origin import (
    origin_keys as origin_keys,
)
from .origin import (
    origin_link as origin_link,
)
from .origin import (
    same_look as same_look,
)
from .pool import (
    Pool as Pool,
)
from .pool import (
    Readers as Readers,
)
from .profile import (
    FILMS as FILMS,
)
from .profile import (
    LONGEST_NOTE as LONGEST_NOTE,
)
from .profile import (
    REASONS as REASONS,
)
from .profile import (
    REHEARSAL as REHEARSAL,
)
from .profile import (
    Flag as Flag,
)
from .profile import (
    Judgement as Judgement,
)
from .profile import (
    Profile as Profile,
)
from .profile import (
    Record as Record,
)
from .profile import (
    moment as moment,
)
from .results.files import (
    TIER_WORDS as TIER_WORDS,
)
from .results.files import (
    anki_deck as anki_deck,
)
from .results.files import (
    origin_csv as origin_csv,
)
from .results.files import (
    results_csv as results_csv,
)
from .results.files import (
    results_json as results_json,
)
from .results.progress import (
    measure_progress as measure_progress,
)
from .results.progress import (
    summary as summary,
)
from .schedule.answers import (
    answered as answered,
)
from .schedule.selection import (
    calibration_keys as calibration_keys,
)
from .schedule.selection import (
    choose as choose,
)
from .schedule.selection import (
    fixed_keys as fixed_keys,
)
from .sets import (
    CALIBRATION as CALIBRATION,
)
from .sets import (
    LENGTHS as LENGTHS,
)
from .sets import (
    ORIGIN as ORIGIN,
)
from .sets import (
    SILENT as SILENT,
)
from .sets import (
    Session as Session,
)
from .sets import (
    set_link as set_link,
)
from .truth import (
    NORMAL as NORMAL,
)
from .truth import (
    TIERS as TIERS,
)
from .truth import (
    VERIFIED as VERIFIED,
)
from .truth import (
    Region as Region,
)
from .truth import (
    Truth as Truth,
)
