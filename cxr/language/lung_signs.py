"""Descriptive signs, comparisons and slang for what lungs show, beside the names in `lexicon`.

Radiologists name an image by what it resembles ("bat wing"), patients by what they
know ("lungs like a wet sponge"), wards by what they write ("atx"). Patterns are those of
`lexicon`. The words are known, but nothing is corrected towards them, since most are ordinary
English. A sign stands for the finding it is taught for.
"""

from __future__ import annotations

LUNG_SIGNS: dict[str, str] = {
    "lung opacity": """
        (fuzzy|foggy|misty|smoky|murky|blotchy|smudgy|smudged|opaque|whitish|white|whitened|
        whiter|gray|grayish|veiled|cloudy|clouded|fluffy|blurry|streaky
        white|marbled|mottled|frosted|cloud covered|dirty window) (lung|lobe|lung
        field|hemithorax|lung base|lung zone|area in the lung|patch|area|region|zone|spot in
        both lung|cloud|stuff in the lung|shadow|opacity); (lung|lung field|hemithorax|lung
        base|lung zone) (white|whiter|whitish|foggy|cloudy|misty|murky|blotchy|fuzzy|gray|
        opaque|veiled|smudgy|whited out|gone white|turned white|all white|clouded over|look like
        fog|looks like fog); (fog|mist|smoke|smudge|haze|cloud|clouds|clouding|gray|blotch|blur|
        whiteness|veil|something white|white stuff|cotton wool|cotton|snow|murk|film|smear)
        (in|on|over|across|all over|throughout) (lung|chest|lobe|lung base|lung field|lung
        zone); fog; foggy; mist; smudge; blotch; blotchy; cotton wool; cotton ball; cotton wool
        (patch|opacity|shadow|shadowing|appearance|spot); cotton like (opacity|patch|shadow);
        (fluffy|woolly|fuzzy|smudgy) (opacity|shadow|patch|cloud|density|shadowing); gray area;
        whiter than (normal|usual|it should be); white hemithorax; opaque hemithorax; shock
        lung; adult respiratory distress syndrome; (opac|opacs|opacif); milk glass; milk glass
        (lung|opacity); crazy paving; crazy paving pattern; reverse halo sign; atoll sign; halo
        sign; diffuse alveolar damage; shadowy (lung|area); darkening on the lung; abnormal
        (shadow|shadowing|whiteness|density|haze); retrocardiac (opacity|density|shadow); white
        haze; lung look white; opacity behind the heart; density behind the heart; (white|hazy)
        film over the lung; unclear patch; patch of white; patch on the lung; dense hemithorax;
        patch in the lung; whited out lung; lung whited out; white as snow; white side; one side
        is white""",
    "lung lesion": """
        lesional lung; (abnormal|strange|odd|weird|unknown|indeterminate|unclear) lesion; (thick
        walled|cavitating|cavitary|necrotic) (lesion|focus); focus in the lung; air crescent
        sign; monod sign; hole in the lung; crescent sign; spot or mass""",
    "edema": """
        (bat wing|bat's wing|batwing|bats wing|butterfly|angel wing|bat winged) (opacity|shadow|
        shadowing|pattern|appearance|sign|distribution|edema|infiltrate|density|haze)?;
        (opacity|shadow|shadowing|haze) (like|shaped like) (bat wing|butterfly); butterfly;
        kerley; (kerley|septal) (a|b|c)? line; (a|b) line of kerley; b line; interlobular septal
        (thickening|line); septal thickening; thickened (interlobular)? septum; thickened septa;
        (vascular|upper lobe|vessel)? (cephalization|cephalisation|redistribution) (of vessel|of
        flow|of blood flow|of pulmonary vessel|of vasculature)?; (upper lobe|upper zone)
        (blood|venous|vascular|vessel) (diversion|distension|dilatation|redistribution);
        (stag|stag's|stags)? (antler|antlers) sign; stag antler; inverted (moustache|mustache)
        sign; (peribronchial|bronchial|perivascular) cuffing; (donut|doughnut) sign;
        (hilar|perihilar) (haze|haziness|blurring|blur|clouding|indistinctness|fuzziness|
        smudging); (fluffy|hazy|fuzzy|bilateral)? (perihilar|central) (fluffy|hazy|fuzzy)?
        (opacity|opacification|airspace opacity|shadowing|cloud|haze|haziness|edema);
        (vascular|vessel) (blurring|indistinctness|engorgement|prominence|congestion); (blurred|
        indistinct|fuzzy|prominent|engorged|distended|dilated|swollen|full|congested|increased)
        (pulmonary|lung)? (vessel|vein|vascularity|vasculature|vascular marking);
        (venous|vein|pulmonary venous) (engorgement|distension|overload|hypertension|
        congestion); (soggy|soaked|sodden|boggy|puffy|swollen|drowned|leaky|wet|waterlogged|
        squelchy|spongy|sopping|flooded|backed up|uremic|nephrogenic|watery|weeping)
        (lung|chest|air sac|alveoli); lung (soggy|soaked|sodden|boggy|puffy|swollen|drowned|
        leaky|wet|waterlogged|flooded|drowning|congested|backed
        up|overloaded|weeping|saturated); (leaky|leaking) (capillary|capillaries|vessel);
        drowning (in own fluid|in own lung|from inside|inside); drowning on dry land; {fluid}
        inside; lung swelling; lung swelling with {fluid}; {fluid}
        (up|seeping|leaking|pouring|backing up|backing|spilling|going|pooling|collecting|coming)
        (in|into|inside|within) (lung|air sac|alveoli|airspace|lung tissue); {fluid}
        (in|into|inside|within) (lung tissue|air sac|alveoli|air space|lung itself); (sponge|wet
        sponge|soaked sponge) like lung; lung like (wet|soaked)? sponge; heart failure fluid;
        {fluid} from (heart failure|the heart); {fluid} overload; (volume|fluid|water|salt)?
        overload; (volume|fluid)? overloaded; overloaded lung; cardiac decomp; heart decomp;
        decompensation; decompensated; apo; ape; acpe; trali; taco; hape; rpe; pulm
        (edema|oedema|congestion); pvc congestion; pulm vasc congestion; pvh; negative pressure
        (pulmonary)? edema; neurogenic (pulmonary)? edema; re expansion edema; hydrostatic
        edema; non cardiogenic edema; noncardiogenic edema; too much {fluid} (in|inside) lung;
        {fluid} (up)? to the (neck|top) of the lung; weak heart with {fluid}; failing heart;
        acute heart failure; chf exacerbation; cardiogenic shock; lung half full of {fluid};
        hydrostatic""",
    "consolidation": """
        bronchogram; (air)? bronchogram sign; (bronchus|airway|air tube) (visible|seen|stand
        out|outlined|showing)? (through|in|against|within) (white|white lung|white lobe|white
        area|whiteness|opacity); air filled (bronchus|airway) in white (lung|lobe|area); dark
        (tube|branch|branching line) in white (lung|lobe|area); branching black line in white
        lung; (loss|loss of silhouette|obscuration|obscuring|blurring|effacement|silhouetting)
        of (heart|right heart|left heart|cardiac|hemidiaphragm|diaphragm|right
        hemidiaphragm|left hemidiaphragm) (border|silhouette|margin|contour)?; (heart
        border|heart margin|cardiac border|hemidiaphragm|diaphragm) (lost|obscured|blurred|
        indistinct|silhouetted|effaced|not seen|not visible|invisible|gone|disappeared); (lost|
        obscured|blurred|indistinct|effaced|missing|invisible) (heart border|heart
        margin|cardiac border|hemidiaphragm|diaphragm); (heart border|hemidiaphragm) loss; spine
        sign; positive spine sign; (lobe|lung|segment) (solid|turned solid|gone
        solid|solidified|filled in|as solid as liver|like liver|hepatised|turned to liver|looks
        like liver|rock solid); (solid|solidified|filled|filled in|hepatized|hepatised|liver
        like) (lobe|lung|segment|patch|area in the lung|lung tissue|lung segment); red
        hepatization; gray hepatization; (dense)? (white|whitened|bright white|opaque)
        (lobe|segment); (lobe|segment) (white|all white|gone white|turned white|whited
        out|completely white|opacified); lobar (whiteness|white out|whiteout|density|pneumonic
        consolidation|shadowing|filling); (alveoli|air sac|air space|airspace) (filled|full|
        filling|stuffed|packed|plugged|clogged|flooded) (with|of)? (stuff|pus|gunk|material|
        fluid|cell|exudate|muck|goo|debris)?; confluent (airspace|air space|alveolar)? (opacity|
        shadowing|opacification|density|shadow); (bulging|bowed) (minor|horizontal|oblique)?
        fissure; homogeneous (opacity|shadowing|density|opacification) (with air bronchogram)?;
        homogenous (opacity|shadowing|density|opacification) (with air bronchogram)?; dense
        patch; consol; consolid; consolidn; consolid'n; consolidating; airspace
        (filling|consolidation); (gunk|goo) in the lobe; whole lobe (white|solid|filled);
        opacity with air bronchogram; wedge shaped consolidation; lung tissue solid""",
    "pneumonia": """
        (pus|germ|bug|bacteria|microbe|virus|phlegm|infectious stuff) (in|on|inside|into)
        (lung|chest|lobe); (lung|chest) (bug|germ|pus|sepsis|fever|cold|infxn|infn|infectn|flu);
        (septic|infective|infected) (lung|chest|patch|shadow|consolidation|infiltrate|lobe);
        chest cold (gone bad|gone wrong)?; cold gone to the (chest|lung); cold (that)? settled
        on the (chest|lung); pneumonic (patch|process|change|shadow|shadowing|infiltrate|focus|
        opacity); legionnaire; legionnaires; legionnaire's; legionnaires disease; legionnaire's
        disease; bronchopneumonic; bpn; bronchopneumonias; (organizing|organising|necrotizing|
        necrotising|interstitial lobular|lobular|eosinophilic|lipoid|postobstructive|post
        obstructive|fungal|mycoplasma|klebsiella|staph|strep|flu|influenza|nosocomial|double|
        community acquired|hospital acquired) pneumonia; chest infxn; lung infxn; resp
        infection; rti; lower respiratory tract infection; infected chest; infection (on|at)
        (lung|chest|lung base|base); aspiration of food; rlo pneumonia; pneumonias; pneumon;
        pnm; lobar pn; bronchitis turned pneumonia; (lung|chest) (inflamed|infected); wooden
        chest infection""",
    "atelectasis": """
        fleischner line; (plate|disc|disk|band) (like)? (shadow|opacity|density|collapse);
        horizontal (band|line) (at|in) base; (sail|luftsichel|golden s|reverse s|flat
        waist|juxtaphrenic peak|comet tail|top of the knob|ivory heart|broncholobar) sign;
        luftsichel; golden s; s sign of golden; reverse s of golden; juxtaphrenic
        (peak|peaking); s curve of golden; sail (shaped)? (shadow|opacity|density); sail behind
        the heart; triangular (shadow|opacity|density) behind the heart; triangle behind the
        heart; retrocardiac (triangle|sail|triangular opacity); veil like opacity of (left)?
        (upper)? lobe collapse; (loss|lack|reduction) of (lung|lobar|lobe)? volume;
        (reduced|decreased|lost|less|diminished) (lobar|lobe)? volume;
        (elevated|displaced|shifted|pulled up|depressed|raised)
        (minor|horizontal|oblique|major)? fissure; (minor|horizontal|oblique)? fissure
        (elevated|displaced|shifted|pulled up|raised|moved up|pulled down); (rib|vessel|
        bronchial|vascular|bronchovascular) crowding; crowding of
        (rib|vessel|bronchus|marking|vascular marking|bronchovascular marking); crowded
        (rib|vessel|marking|bronchovascular marking|vascular marking);
        (poor|shallow|incomplete|reduced) lung? (inflation|expansion|aeration); lung
        (not|isn't|hasn't|never|did not|didn't|doesn't|won't) (inflating|inflate|expanding|
        expand|expanded|opening|open|opened|aerated|inflated) (properly|fully|well)?; lung
        (not|isn't) (fully|completely|properly) (open|opened|blown up|unfolded); unexpanded
        (lung|base|lobe); (air sac|alveoli|alveolus|small airway|airway)
        (collapsed|collapse|shut|closed|stuck together|flat|deflated|closing);
        (closed|shut|flat|flattened|sticky) (alveoli|air sac|alveolus|small airway); (squashed|
        squeezed|compressed|squished|crushed|shrivelled|shriveled|crumpled|folded|wrinkled|
        airless|shrunken) (lung|lung base|base|lobe|segment|lung tissue); deflated (lung
        base|lung segment|bit of lung|part of the lung|part of lung); (part|bit|portion|piece|
        section|segment|corner) of (lung|lobe) (gone flat|flat|deflated|caved
        in|folded|squashed|shut down|airless|closed|not inflated|not open|collapsed|has
        collapsed|shrunk|not working|shrivelled|crumpled); (mucus|mucous|sputum)
        (plug|plugging|plugged) (collapse|with collapse)?; mucoid impaction; atx; atel; atelec;
        atelx; atelectatic (band|change|segment|lobe|lung);
        (basal|basilar|bibasal|bibasilar|base) (band|atx|atel|collapse|atelectatic
        change|crowding); band at the base; middle lobe syndrome; lung tissue
        (collapsed|collapse|folded); (collapsed|folded|crumpled) lung tissue; (lobe|lingula)
        (fallen in|caved in|folded up|shrunk|shrunken|went flat|deflated|airless|collapsing);
        (rul|rml|rll|lul|lll) collapse; collapsed (rul|rml|rll|lul|lll); shrinkage of lobe;
        underventilated (lung|base); hypoventilatory change; hypoventilation; low lung volume at
        the base; airless; partially deflated lung; partly deflated lung; half deflated lung;
        dependent (collapse|change); post op collapse; postoperative collapse; poor inspiratory
        expansion""",
    "infiltration": """
        (bronchovascular|peribronchial|bronchial|coarse|coarsened|prominent|accentuated|heavy|
        thickened|increased) (lung|bronchovascular|interstitial|pulmonary|vascular
        interstitial)? (marking|interstitium|interstitial marking|bronchovascular
        marking|thickening); lung marking (increased|prominent|coarse|heavy|accentuated);
        thickened interstitium; interstitium (thickened|prominent|thick); interstitial
        (thickening|pattern|density|haze|edema like|lines|opacity|infiltrates); (dirty|messy)
        (lung|chest|lung field); dirty (lung|chest) appearance; (something|stuff|cell|
        inflammation|material) (seeping|soaking|creeping|spreading|invading|infiltrating)
        (in|into|through)? (lung|lung tissue); (infil|infilt|infiltr|infilts|infils); invaded
        lung tissue; (patchy|streaky|diffuse|perihilar|basal|peribronchial|reticulonodular|
        alveolar|pulmonary|fluffy|hazy|bibasilar|ill defined)
        (infiltrate|infiltration|infilt|infil)""",
    "emphysema": """
        chronic airflow (limitation|obstruction); (cal|coad|copd|copder|copders|cold); chronic
        obstructive (pulmonary|airway|lung)? (dz|dis|disease); obstructive (airway|airways)
        disease; (increased|enlarged|large|wide|widened|deep) retrosternal (clear|air)?
        (space|airspace); retrosternal (space|airspace|clear space)
        (increased|enlarged|wide|large|widened); (increased|large) ap diameter (of the chest)?;
        (barrel|barrel shaped) (chested|thorax|rib cage|ribcage); (saber|sabre) sheath
        (trachea)?; (narrow|thin|long thin|tear drop|teardrop|small vertical|vertical|hanging|
        tubular|pencil|drop|long narrow|elongated|slim) heart;
        (narrow|thin|vertical|tubular|tear drop|teardrop) (cardiac silhouette|heart
        shadow|mediastinum) (with|and)? ({big} lung)?; ({big}|oversized|giant|overlarge)
        (black|dark)? lung (field|volume)?; lung (field)? {big}; (black|dark|blackened|lucent|
        overlucent|see through|empty) (lung|lung field|chest); lung
        (black|dark|lucent|empty|stretched|blown up|overblown|overfilled|puffed up|blown up like
        balloon|balloons|overexpanded|too full|full of trapped air|blown); (ballooned|overblown|
        overfilled|overstretched|stretched|floppy|blown up|puffed up|balloon|balloon
        like|baggy|worn out|worn|destroyed|inflated|overaerated|over aerated|puffed|rotten|
        wrecked|ruined|damaged smoker) (lung|chest|air sac|alveoli); lung like balloon; balloon
        lung; too much (trapped)? air (in|inside|within) (lung|chest);
        (stale|trapped|excess|stuck|too much|extra) air (in|inside|within) (lung|chest|air sac);
        (gas|air) trapping; (stretched|burst|destroyed|enlarged|overstretched|broken
        down|merged|popped|torn) (air sac|alveoli|alveolus|airspace);
        (hole|holes|gap|cavern|bubbles|air bubble|bubble) in lung from
        (smoking|cigarette|tobacco); (lung|air sac) (ruined|destroyed|wrecked|damaged|worn
        out|eaten away|rotted) (by|from)? (smoking|cigarette|tobacco|smoke|years of smoking)?;
        (cigarette|tobacco|chain smoker's|chain smoker|chain smokers|heavy smoker's|heavy
        smoker|heavy smokers|ex smoker|ex smoker's|ex smokers|pack a day|vaper's|smoky smoker)
        lung; pink puffer; blue bloater; alpha 1 (antitrypsin)? (deficiency)?; alpha one
        antitrypsin (deficiency)?; antitrypsin (deficiency)?; a1at; aat; aatd; (more than|over)
        (6|7|six|seven) anterior rib (visible)?; (more than|over)? (10|11|12|ten|eleven|twelve)
        posterior rib (visible)?; (paucity|attenuation|pruning|loss|lack|reduction) of
        (vascular|vessel|pulmonary vessel|lung vessel|vascular marking|peripheral vessel|blood
        vessel|the vessel|vasculature) (marking)?; (attenuated|sparse|pruned|thinned|reduced|
        decreased) (vessel|vascular marking|vascularity|vasculature|lung marking|pulmonary
        vessel); lung marking (reduced|sparse|decreased|thinned); (rib|intercostal) space
        (widened|wide|increased|enlarged); (widened|wide|increased) (rib|intercostal) space;
        horizontal rib; low (lying)? flat diaphragm; low diaphragm; low lying diaphragm;
        diaphragm (low|pushed down|depressed|flat as a pancake|inverted);
        (depressed|inverted|scalloped|pushed down|pancake) (diaphragm|hemidiaphragm); emphys;
        emph; hyperinfl; hyperinflat; hyper expanded (lung|chest)?; hyper lucent lung; over
        expansion; bullae; bullectomy; swiss cheese lung; moth eaten lung; hyperaerated;
        hyperaeration; giant bullous; bubble wrap lung""",
    "fibrosis": """
        (honey comb|honeycomb like|honeycomb|bee's nest|bees nest|beehive|beehive like|wasp
        nest|wasp's nest|spider web|spiderweb|cobweb|net like|netlike|mesh|mesh
        like|meshwork|lacy|lace|lace like|lacelike|fishnet|web
        like|crazy|latticework|lattice|chicken wire|wire mesh|reticulated) (lung|pattern|shadow|
        shadowing|appearance|line|marking|opacity|network|of line); honeycomb; honey comb;
        netlike; meshwork; lacelike; latticework; cobweb lung; (net|mesh|web|network|lattice|
        lace|lacework|spider web|cobweb) (of line|of shadow|of scar|of marking)?
        (in|on|over|across|throughout) (lung|lung base|base); lung like
        (honeycomb|net|web|sponge with holes|leather|lace|beehive|bee hive|fishnet); dpld; cfa;
        iipf; ppfe; chronic hp; chp; rb ild; ipaf; (cryptogenic)? fibrosing alveolitis;
        (cryptogenic fibrosing)? alveolitis; idiopathic interstitial pneumonia; shaggy
        (heart|heart border|cardiac border|heart outline|diaphragm|border);
        (stiff|leathery|leather like|hardened|hard|stiffened|rigid|tough|woody|shrinking|
        contracted|small stiff|shrunken stiff|scarred up|scar filled|scarry|scarred down) lung
        (tissue)?; lung (stiff|hardened|hard|hardening|stiffening|scarred|leathery|shrinking|
        full of scar|rigid|turned to leather|turning to leather|turned to scar|turned to scar
        tissue); (hardening|stiffening|shrinking|toughening) of lung;
        (fibrotic|fibrous|scarring|scar) (strand|stranding|streak|streaking|band|line|lines|
        patch|density|area|change); (coarse|fine|subpleural|basal|peripheral)? reticulation;
        (reticular|linear reticular|subpleural reticular) (change|shadowing|lines|density|
        marking|opacity|pattern); pirfenidone; nintedanib; fibro; fibrotic ild; pulm fibrosis;
        pulm fib; pul fibrosis; (basal|apical|upper lobe|lower lobe|interstitial|radiation|post
        tb|post infective|postinfectious|post covid|post inflammatory|old)
        (scarring|scar|scars|fibrosis|fibrotic change); velcro (lung|crackle)?""",
    "nodule": """
        coin (shaped|like|sized)? (shadow|opacity|lesion|density|spot|thing); (marble|pea|grape|
        bead|pellet|pearl|cherry|blueberry|seed|pebble|dot|speck|freckle|circle|little
        ball|small ball|tiny ball) (in|on|inside) (lung|chest|lobe); (marble|pea|grape|bead|
        pellet|pearl|cherry|blueberry|pebble|button|bean) (sized|size|shaped|like) (spot|shadow|
        lesion|lump|opacity|growth|thing|density); (millet|millet seed|poppy seed|miliary)
        (like|shaped)? (seed|pattern|shadow|shadowing|spot|opacity|dot|tb
        like|lesion|mottling|nodularity)?; (snowstorm|snow storm|snow ball|snowball|starry
        sky|salt and pepper) (lung|appearance|pattern|opacity)?; (cannonball|cannon ball|canon
        ball|canonball) (ball)? (lesion|metastasis|met|mets|opacity|shadow|nodule|appearance|
        spot)?; (spotty|speckled|freckled|dotted|spotted|polka dot|polka dotted|pockmarked|
        peppered|studded|granular|nodular|shotgun) (lung|lung field|pattern|chest); polka dot;
        (spot|dot|speck|freckle|speckle|circle|blob|bead|disc|bump) (in|on|inside|all
        over|throughout|over|across) (lung|chest|lobe|both lung); (multiple|many|several|lots
        of|lot of|numerous|tiny|two|three) (white|round|small|tiny|little|dark)?
        (spot|dot|speck|nodule|ball|circle|lump in the lung|round shadow|round opacity|blob);
        nod; nods; lung nod; pulm nod; (ln|pn) nodule; pulm nodule; ggn; spns; (seedling|seeds)
        in the lung; (secondary|secondaries|mets|metastasis) (in|to|on) lung; lung (secondaries|
        secondary|deposit|deposits); (pulmonary secondaries|metastatic spread|metastatic
        lesion|metastatic nodule|metastatic lung disease); small (coin|ball|circle|blob|shadow
        that is round); tumorlet; (subcentimeter|sub centimeter|small|tiny|little)?
        (circular|round|rounded) (shadow|spot|opacity|lesion|density|thing|white spot|white
        shadow)""",
    "mass": """
        (golf ball|tennis ball|golfball|egg|orange|plum|fist|apple|lemon|grapefruit|peach|
        potato|baseball|walnut) (in|on|inside) (lung|chest|lobe); (golf ball|tennis ball|egg|
        orange|plum|fist|apple|lemon|grapefruit|peach|potato|baseball|walnut)
        (sized|size|shaped|like) (lump|mass|growth|tumor|shadow|lesion|ball|thing|spot|opacity);
        (lump|growth|tumor|mass|thing) (as big as|like|size of|the size of|big as) (a|an)? (golf
        ball|tennis ball|egg|orange|plum|fist|apple|lemon|grapefruit|peach|potato|baseball|
        walnut|hen's egg); (something|thing|stuff) (growing|grown|growth) (in|on|inside)
        (lung|chest); (bronchial|bronchogenic|bronchus|lung|lungs|hilar|pulmonary|broncho) ca;
        ca (of)? (lung|bronchus|bronchi); (spiculated|spiculate|speculated|lobulated|irregular|
        spiky|stellate|spiny|star shaped) (mass|lesion|opacity|nodule|shadow|growth|density|
        tumor|margin|lump)?; corona radiata; sunburst (lesion|mass)?; (big|large|huge|giant|
        massive|great|enormous) (white|solid|round|dark|dense)? (ball|blob|lump|growth|clump|
        chunk|tumor|knot); (nasty|ugly|bad|malignant looking|suspicious|cancerous|cancerous
        looking) (lump|growth|mass|tumor|spot|blob|shadow); (lump|growth|tumor|mass|blob|clump)
        (in|on|inside|at|near|behind|next to) (lung|chest|lobe|hilum|mediastinum|apex|heart);
        (pancoast|superior sulcus|apical|hilar|perihilar|mediastinal|central|peripheral|
        cavitating|cavitary|necrotic|pulmonary|anterior mediastinal|posterior
        mediastinal|solid|soft tissue|paraspinal|retrocardiac) (tumor|mass|cancer|carcinoma|
        growth|malignancy); (primary|bronchial|small cell|squamous cell|squamous|large cell)
        (lung)? (cancer|carcinoma|tumor|malignancy|ca); big c; the big c; lung tumors; tumorous;
        malignant (lesion|looking lesion|process|growth|disease); cancerous
        (growth|lesion|lung); hilum convergence sign; hilum overlay sign; cervicothoracic sign;
        golden s mass; (neo|neoplastic process|neoplasia); bronchus carcinoma;
        (mass|lesion|tumor|opacity) (over|more than|larger than|bigger than|greater than|above)
        (3|4|5|30) (cm|mm|centimeter|millimeter); (3|4|5|6|7|8|9|10) cm
        (mass|lesion|tumor|opacity|growth)""",
}
