"""Ordinary English words that look like a misspelled word of the lexicon and are none."""

from __future__ import annotations

ORDINARY_WORDS = frozenset(
    """
    abstraction accidental acquire admiration advance advances aerial agitation aground alcoholism
    alone among angel angie angled anglo architecture assent associate associates attach
    attraction aviation bacteria baked ballet barked barre barred barren basalt basel basil
    bathing batter batting battle battling beast beating beatles bella bladed blake blame blank
    blaze bleak blend blending blessing block blond bloody bloom blows blurted bordering bottled
    bowed bowen braid braun breach bread breadth breaking breathe breed breeding brest brian broke
    broker brood brown browning bulls bully burnt burton calls callum camping cancel cannon
    capacities caring carrying carved cement chance chang changed charge chartered cheat chess
    choking citation clapping clash classification classifications classified colin collecting
    collective collector colony color colton commission communists compassion compensated
    compensation compete completed compressor comprised conception concert concession conclusion
    concussion condemning conditional conditioned confession confluence confusion connecting
    connection consecutive consent considerably consolation constitution construction constructive
    contend contention contest contested convection convent convention converting conviction
    cooked cords correction couch crank creaked creating crest crush cupping cured curled cursed
    curve curves cycle damage damages deceased dedication defeat defeated delegation demonstrators
    denial denis denise dependence dependency derivation destroyer destroyers destruction
    destructive detect devised difficult direction displayed distressed distribution doubled
    downing drawn dripped earle earls elect elimination elusive endorsement enforcement engagement
    epstein equality escape escapes evidenced excerpt exempt expensive extensively extraction
    failing falling fallon fallout feeling fewer filed filing filly filmed filming finer flair
    flesh flint flush fluttering folly fraction frail fronted frost frowning funding generation
    gloss graduation grand grant grass grounded grows hampson happiness haynes headed heading
    healer health healy heard hearing hears hearst hearth heated heating heaved heaving hernial
    hilary iceland identities impossible impressed impression impressive increase increases
    incurred independent individually ineffective infiltrator influence injected injection inland
    insider insignificant inspection inspirational instruction insulation interior intro intuition
    inverted invitation issued joins katrina kelley kerry knight knitting lakers lanes lange
    lasers lawyers laying leading leaned leaning leaped leaping leased leasing leaving legged
    legion lesson lever licking liking lined linen liner linking links liter literal lived lively
    livery lives living locking locks lodged longed loser lover lyric makes making manor market
    marred marrying masked mater mayer mechanic mechanically mechanics medal media medina menial
    mental mentoring messing military milling minas minds miner mines mistress mixing modes module
    moves multiplied mythological narrower navigation negatively newer noodles norma normally
    norman notation nothin noting obscure occupied occurring oppression oppressive otter outlined
    outlying outsider overlooked paced packet packing paler paper party passing patent patsy
    pausing paving paying pearson peking persona picket pictured pitch placement placing plague
    plane plata plato platt plume popularity posing poster posters preserve preserves proceeds
    progressing progression progressively prominently propped providence prowess punched punching
    pushes qualification qualified qualify radio raided rained raise raises range ranked ranks
    reception recorded reduce reduces reelection reflection refused regal regimental rejection
    relegation remarkably remove removes rental reserved resolve reused riddle rotate rotational
    ruler rules sanitation scaling scanning scared scent scoring searing seats seine seized
    severed severn shaded shadowy shaft shall shape shapes share shared sharing shark sharpe
    shaved shifter shine shipped shirt shocking shone shoot shopping shore shouldered shout siding
    sight signed significance significantly simulator singled singular sipped sired sited sites
    skating skill skipped slapped slices slicing slipping smell smoked smoothing sniff snort
    soaring somethin spaced spade spare specification spent spice spike spins spiral spire spite
    sport squared staff staging stale stall stapler staring starred starring stating staying
    stimulate stimulated stimulation stint stoke stokes stole stony store stove strapped strike
    strode stroked structural structured stuff stunt sturdy subtly suggesting suggestion
    supervisor suspiciously swapped sweaty sweets swift tales tapes tapped tapping taxes teach
    technical terre theme thong thorough thrash threat three timor traced tracey tracing tracking
    tracy trade trading trait trance translated transparent trash treating trick tripped troubled
    trough truce truck tudor tunes tuning tunnel turing tutor tying uniquely unusually valle value
    venus verses vidal visibly vital volunteered waist waiter waking walked waller wallet walter
    watery weigh weighs whale wheeling whipping whore widen wight wilder willed wrapping wright
    write
    """.split()
)
