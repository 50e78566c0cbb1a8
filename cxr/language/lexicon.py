"""The words for each finding: formal names, lay words, abbreviations and adjectives.

One entry a finding, phrases separated by semicolons. {name} stands for a group of GROUPS and (a|b)
for either; plurals, British spelling and small words inside a phrase ("heart is very large") are
handled by `phrases`. Decisions where usage differs:

- "collapsed lung" is a pneumothorax, as lay people use it; a collapsed lobe is an atelectasis.
- Fluid or water around, on or outside the lung is an effusion; inside the lung it is an edema.
- An abbreviation stands for what a labelled image shows: CHF an edema, COPD an emphysema, ILD a
  fibrosis, ARDS an opacity. TB has no label of its own and is in OTHER.
- A spot, a coin or a small lump is a nodule; a large lump, a tumor or a cancer is a mass.
"""

from __future__ import annotations

GROUPS = {
    "heart": "heart|cardiac silhouette|cardiac shadow|heart shadow|heart size|cardiac size"
    "|cardiac contour|heart silhouette|heart outline|heart contour|heart border|cardiac outline"
    "|pump|ticker|lv|left ventricle|ventricle",
    "big": "big|large|enlarged|huge|oversized|oversize|enormous|giant|massive|dilated|swollen"
    "|increased|bulky|bigger|larger|wide|widened|wider|prominent|expanded|globular|enlarging"
    "|broad|broadened|bloated|fat|grown|overgrown|hypertrophied|ballooned|blown up|gigantic",
    "wide": "wide|widened|broad|broadened|enlarged|prominent|big|large|bulky|fat|abnormal|wider",
    "mediastinum": "mediastinum|mediastinal silhouette|mediastinal contour|mediastinal shadow"
    "|cardiomediastinum|cardiomediastinal silhouette|cardiomediastinal contour"
    "|superior mediastinum|upper mediastinum",
    "lung": "lung|pulmonary|chest|lobe|lung field|airspace|air space|parenchymal|parenchyma",
    "fluid": "fluid|water|liquid",
    "around": "around|round|outside|surrounding|beside|next to|on|under|beneath|below|between"
    "|at|about|by|over|behind|along",
    "pleural": "pleural|pleura|plural|lung lining|lining of the lung|lining of the chest",
    "pleural_space": "pleural space|pleural cavity|pleura|chest cavity|thoracic cavity|thorax"
    "|chest|costophrenic angle|costophrenic recess|cp angle|fissure",
    "round": "round|rounded|circular",
    "small": "small|tiny|little|subcentimeter|solitary|single|mini",
    "grown": "lump|growth|tumor|ball",
    "bone": "rib|bone|collarbone|clavicle|vertebra|spine|humerus|scapula|sternum|shoulder"
    "|breastbone|shoulder blade|backbone|vertebral body",
    "broken": "broken|cracked|fractured|snapped|break in|crack in",
    "tube": "tube|line|catheter|device|wire|lead|drain|hardware",
}

FINDINGS_WORDS: dict[str, str] = {
    "enlarged cardiomediastinum": """
        enlarged cardiomediastinum; cardiomediastinal enlargement; {wide} {mediastinum};
        {mediastinum} {wide}; {mediastinum} looks too (wide|broad); mediastinal widening;
        widening of the {mediastinum}; mediastinal enlargement; enlargement of the {mediastinum};
        mediastinal broadening; ecm""",
    "cardiomegaly": """
        cardiomegaly; cardiomegalic; megacardia; {big} {heart}; {heart} {big}; cardiac
        enlargement; heart enlargement; enlargement of (heart|cardiac); enlarged cardiac;
        {heart} enlargement; enlargement of {heart}; (increased|high|large|raised|elevated|big)
        cardiothoracic ratio; cardiothoracic ratio
        (increased|high|raised|elevated|above|over|greater); (big|large|high|increased|raised)
        ctr; ctr (increased|high|raised|above|over); heart wider than half; dilated
        cardiomyopathy; biventricular enlargement; ventricular enlargement; atrial enlargement;
        chamber enlargement; heart is too (big|large); too (big|large) a heart;
        cmegaly; heart size upper limit; boot shaped heart; water bottle (heart|sign|shape)?;
        heart takes up too much; heart occupies more than half""",
    "lung opacity": """
        lung opacity; lung opacification; opacity; opacification; opacified; opaque; opacities;
        airspace opacity; airspace disease; air space disease; airspace shadowing; airspace
        change; airspace process; alveolar (opacity|shadowing|disease|filling); hazy; haze;
        haziness; hazy (lung|opacity|shadow|shadowing|area|patch); cloudy; cloudiness; clouding;
        cloudy lung; cloud on the lung; white area; white patch; white lung; whitening; white
        out; whiteout; shadow; shadowing; shadow on the lung; lung shadow; lung shadowing;
        patchy (opacity|shadow|shadowing|change|area); patch; patchy; increased density;
        density; lung density; densities; ground glass; groundglass; frosted glass; ground glass
        (opacity|opacification|change|shadowing|appearance|haze); ggo; milky lung; veil;
        veiling; veil over; ards; acute respiratory distress syndrome; respiratory distress
        syndrome; reduced transparency; lung abnormality; pulmonary abnormality; lung disease""",
    "lung lesion": """
        lung lesion; lesion; pulmonary lesion; focal lesion; lesion in the lung; focal lung lesion;
        suspicious lesion; cavitating lesion; cavitary lesion; cavity lesion; thoracic lesion;
        focal abnormality; spot or growth on the lung; focal pulmonary lesion""",
    "edema": """
        edema; oedema; edematous; oedematous; pulmonary edema; lung edema; flash edema;
        interstitial edema; alveolar edema; cardiogenic edema; {fluid}
        (in|inside|within|into|filling) (lung|airspace|air sac|alveoli|lobe); lung
        (swollen|full|filled) (with|of) {fluid}; {fluid} (filled|logged) lung; waterlogged lung;
        wet lung; lung (fluid|water); {fluid} lung; vascular congestion; pulmonary congestion;
        pulmonary venous congestion; venous congestion; congestion; congested; congested lung;
        lung congestion; congestive (change|failure|heart failure); cardiac decompensation;
        decompensated heart; heart failure; cardiac failure; left ventricular failure; chf; hf;
        adhf; lvf; ccf; hfref; hfpef; fluid overload; volume overload; overhydration; fluid
        overloaded; kerley; kerley line; kerley b line; septal line; bat wing; bat wing
        shadowing; batwing; butterfly opacity; cephalization; cephalisation; upper lobe
        diversion; vascular redistribution; peribronchial cuffing; pulmonary vascular
        engorgement; plump vessel; backed up fluid; cardiac lung; lung with {fluid}; drowning
        lung; pulmonary venous hypertension; pulmonary vascular congestion; engorged vessel""",
    "consolidation": """
        consolidation; consolidated; consolidate; consolidative; lobar consolidation; airspace
        consolidation; consolidated lung; lung consolidation; lung hepatization; hepatization;
        solid lung; solid lobe; lung solid; solid white lobe; solid white lung; dense lung;
        dense white lung; dense lobe; dense opacity; dense shadow; dense opacification; dense
        airspace (filling|opacity|disease); airspace filling; air bronchogram; air bronchograms
        in a solid white lobe; lung filled in; filled in lung; lobar opacity; lobar
        opacification; dense white area; confluent opacity; silhouette sign; solidified lung;
        solidification""",
    "pneumonia": """
        pneumonia; pneumonic; pna; pneumonitis; bronchopneumonia; bronchial pneumonia; lobar
        pneumonia; (lung|chest|pulmonary|lobe|lobar|bacterial|respiratory|airspace)
        (infection|inflammation); lower respiratory (infection|tract infection); lrti; infected
        (lung|lobe|chest); infection (of|in|inside|within) (lung|chest|lobe); infectious
        (process|infiltrate|consolidation|disease|change|opacity); infection; infective
        (change|process|consolidation); inflamed lung; lung inflammation; inflammation of lung;
        cap; hap; vap; community acquired pneumonia; hospital acquired pneumonia; ventilator
        associated pneumonia; aspiration pneumonia; aspiration pneumonitis; atypical pneumonia;
        viral pneumonia; bacterial pneumonia; round pneumonia; covid pneumonia; pneumococcal;
        pneumococcus; klebsiella; legionella; pcp; pjp; pneumocystis; walking pneumonia; double
        pneumonia; septic lung; lung sepsis; inflammation; infected""",
    "atelectasis": """
        atelectasis; part of lung collapsed; atelectatic; atelectases; subsegmental atelectasis;
        lobar collapse; lobar atelectasis; collapse; collapsed (lobe|segment|base|lung
        base|alveoli|air sac); lobe collapsed;
        (lobe|segment|base|segmental|subsegmental|lingula) (collapse|collapsed); collapse of
        lung tissue; collapse of (lobe|segment|base|alveoli); partial collapse; partially
        collapsed; partly collapsed; partial lung collapse; (partly|partially|half|incompletely)
        collapsed lung; volume loss; loss of volume; lost volume; reduced lung volume;
        (plate|discoid|linear|band|subsegmental|bibasilar|basilar|dependent|compressive|passive|rounded)
        atelectasis; plate like (collapse|atelectasis); plate collapse; platelike atelectasis;
        platelike; band like atelectasis; airless (lung|segment|lobe|base); deflated
        (lobe|segment|base); shrunken (lobe|lung); (not|poorly|incompletely|under)
        (fully|completely)? (expanded|inflated|aerated) (lung|base|lobe)?; underinflated;
        underexpanded; underinflation; poorly expanded; poorly inflated; incompletely expanded;
        lung (not|incompletely) (fully|completely) (expanded|inflated); (not|incompletely) fully
        (expanded|inflated); incomplete expansion; poor expansion; hypoinflation; low lung
        volume; low volume; atelect; mucus plug collapse""",
    "pneumothorax": """
        pneumothorax; pneumothoraces; ptx; psp; pntx; pnx; ptxs; tension pneumothorax; tension
        pneumo; pneumo; pneumo thorax; hydropneumothorax; hemopneumothorax; collapsed lung; lung
        collapsed; lung has collapsed; lung collapse; collapse of lung; collapse of the whole
        lung; complete lung collapse; deflated lung; lung deflated; lung has deflated; popped
        lung; lung popped; burst lung; punctured lung; lung puncture; lung punctured; dropped
        lung; ruptured lung; (air|gas) {around} (lung|lobe|chest wall); air leak; air leaking;
        air leaked from lung; leaking lung; lung leak; (air|gas) (in|within|inside) (the)?
        {pleural_space}; pleural (air|gas); extrapulmonary air; (air|free air) (trapped)?
        between lung and (chest wall|rib|ribs|ribcage); air trapped between lung; air between
        lung; air in pleural; air outside; free air between lung; air inside chest outside lung;
        visible pleural line; visceral pleural line; pleural line; pleural edge; lung edge; deep
        sulcus sign; no lung marking peripherally; absent lung marking; free pleural air; air
        pocket around lung; air escaped from lung; air pushed out of lung""",
    "pleural effusion": """
        pleural effusion; effusion; pleural fluid; plural effusion; plural fluid; effusive;
        effused; {fluid} {around} (lung|lobe|base|lung base|diaphragm|chest wall); {fluid};
        {fluid} (in|inside|within) {pleural_space}; {fluid} (in|inside) (the)? base; {fluid}
        between lung and (chest wall|rib|ribs|ribcage); {fluid} between the pleura; {fluid}
        between the layers of the pleura; {fluid} in the lining; basal {fluid}; fluid level; air
        fluid level in the pleural space; layering (fluid|effusion); layering; free fluid;
        loculated (fluid|effusion|collection); pleural (collection|liquid|water); fluid
        collection; subpulmonic (fluid|effusion); parapneumonic (effusion|fluid); blunted
        (costophrenic|cp) (angle|sulcus|recess); blunting of (costophrenic|cp)
        (angle|sulcus|recess); blunting; blunted angle; blunt (costophrenic|cp) angle;
        (costophrenic|cp) (angle|sulcus|recess)
        (blunted|blunting|blunt|obscured|lost|obliterated); (obscured|lost|obliterated|hidden)
        (costophrenic|cp) (angle|sulcus); costophrenic blunting; cp angle blunting; meniscus;
        meniscus sign; hydrothorax; hemothorax; haemothorax; chylothorax; pyothorax; empyema;
        pleurisy with effusion; hydropneumothorax; blood around the lung; pus around the lung;
        blood in the pleural space; pus in the pleural space; pleff; plef; effus; blood in the
        chest cavity; pus in the chest cavity""",
    "pleural other": """
        pleural other; other pleural
        (abnormality|problem|finding|disease|change|lesion|condition|pathology|issue); pleural
        plaque; plaque; calcified pleura; pleural calcification; calcified pleural plaque;
        pleural disease; disease of the pleura; other disease of the pleura; other abnormality
        of the pleura; miscellaneous pleural (finding|abnormality|disease); pleural abnormality;
        pleural problem; pleural lesion; pleural mass; pleural tumor; pleural finding; pleural
        pathology; abnormal pleura; pleural change; problem with the pleura""",
    "fracture": """
        fracture; fractured; {broken} {bone}; {bone} {broken}; {bone} (fracture|break|crack);
        fracture of {bone}; broken; fx; fxs; frx; bone break; break in bone; crack in bone;
        cracked; compression fracture; vertebral collapse; wedge fracture; compression
        deformity; compressed vertebra; collapsed vertebra; vertebral compression; wedged
        vertebra; wedge deformity; flail chest; flail segment; healed fracture; bony injury;
        bone injury; broken bone; healing rib; displaced rib; rib injury; callus; shattered
        bone; split bone""",
    "support devices": """
        support device; medical device; implanted device; device; hardware; tube; line;
        catheter; drain; wire; lines and tubes; tubes and lines; lines tubes; foreign hardware;
        surgical hardware; medical hardware; equipment; implant; implanted""",
    "infiltration": """
        infiltration; infiltrate; infiltrated; infiltrative; lung infiltrate; infiltrating;
        interstitial opacity; interstitial marking; increased interstitial marking; interstitial
        (infiltrate|infiltration|change|shadowing|pattern|prominence|disease|process); pulmonary
        infiltration; patchy infiltrate; diffuse infiltrate; infiltrates; infilt; increased
        (lung|bronchovascular) marking; increased marking; prominent interstitial marking;
        prominent interstitium; peribronchial thickening""",
    "emphysema": """
        emphysema; emphysematous; emphysemic; copd; coad; cold lung disease; chronic obstructive
        pulmonary disease; chronic obstructive lung disease; chronic obstructive airway disease;
        obstructive lung disease; obstructive pulmonary disease; hyperinflated; hyperinflation;
        hyperinflated lung; overinflated; overinflation; overinflated lung; over inflated lung;
        hyper inflated lung; hyperexpanded; hyperexpansion; hyperexpanded lung; over expanded
        lung; overexpanded; overexpansion; flat diaphragm; flattened diaphragm; diaphragm
        (flat|flattened); flattening of the diaphragm; flattened hemidiaphragm; flat
        hemidiaphragm; diaphragmatic flattening; smoker's lung; smokers lung; smoker lung;
        smoking lung; lung of a smoker; lung damaged by smoking; bulla; bullous; bullous
        disease; bullous lung disease; bullous change; bleb; air trapping; trapped air; air
        trapped in lung; trapped air in lung; barrel chest; barrel shaped chest; hyperlucent;
        hyperlucency; hyperlucent lung; centrilobular; panlobular; destroyed air sac; destroyed
        alveoli; damaged air sac; damaged alveoli; ruptured air sac; broken air sac; large lung
        volume; increased lung volume; lung too full of air; blown up lung; overly inflated;
        overly inflated lung; over inflation; hyper inflation; lung over inflated; increased
        retrosternal airspace; vanishing lung""",
    "fibrosis": """
        fibrosis; fibrotic; pulmonary fibrosis; lung fibrosis; fibrous; idiopathic pulmonary
        fibrosis; ipf; uip; nsip; ild; interstitial lung disease; interstitial pneumonia;
        interstitial pneumonitis; diffuse parenchymal lung disease; scarring; scar; scarred;
        scarred lung; lung scar; lung scarring; scar tissue; scarring of the lung;
        cicatrization; cicatricial; fibrosed; fibrotic change; fibrotic lung; fibrosing;
        reticular; reticular (opacity|pattern|marking|shadowing|change); reticulation;
        reticulonodular; honeycomb; honeycombing; honeycomb lung; honeycombed; stiff lung; lung
        (gone|turned)? stiff; lung stiffening; stiffened lung; architectural distortion; traction
        bronchiectasis; usual interstitial pneumonia; parenchymal band; parenchymal scarring""",
    "pleural thickening": """
        {pleural} (thickening|thickened|thick); (thickened|thick|thickening) {pleural};
        thickening of {pleural}; {pleural} too thick; plural thickening; thick pleura; apical
        (cap|capping|thickening); pleural cap; apical pleural (thickening|scarring); pleural
        scarring; pleural scar; pleural fibrosis; pleural peel; pleural rind; fibrothorax;
        biapical thickening; pachypleura; pachypleuritis; thickened lining""",
    "nodule": """
        nodule; nodular; nodularity; micronodule; nodular
        (opacity|shadow|density|lesion|shadowing|pattern); noduli; lung nodule; pulmonary
        nodule; spn; solitary (nodule|lesion|spot); miliary; miliary nodule; spot; spot on the
        lung; lung spot; round spot; {small} (round)?
        (spot|dot|{grown}|lesion|shadow|opacity|density) ; {small} (lung|pulmonary)
        (spot|dot|{grown}|lesion|shadow); {small} {round}
        (spot|dot|{grown}|lesion|shadow|opacity|density|thing); {small} (lump|growth|tumor) in
        the lung; dot on the lung; coin; coin lesion; coin shaped lesion; coin on the lung; coin
        in the lung; pea sized; pea; {round} (spot|dot); round opacity; rounded opacity; round
        density; metastasis; metastatic; metastatic (disease|deposit); mets; lung mets;
        cannonball; cannonball metastasis; white spot; white dot; dark spot; nodules; lung
        metastasis; pulmonary metastasis""",
    "mass": """
        mass; lung mass; pulmonary mass; tumor; lung tumor; chest mass; chest tumor; thoracic
        mass; growth; growth in the lung; lump; lung lump; masslike; mass like opacity; mass
        like; mass lesion; neoplasm; neoplastic; malignancy; malignant; malignant tumor; cancer;
        lung cancer; cancerous; cancer of the lung; lung ca; carcinoma; bronchogenic carcinoma;
        bronchial carcinoma; nsclc; sclc; adenocarcinoma; pancoast; pancoast tumor; hilar mass;
        lung malignancy; lung neoplasm; {big} {round}
        (shadow|spot|lesion|opacity|growth|lump|tumor|ball); {big} {round} {grown}; {big}
        {grown}; {big} lung {grown}; {big} lung lesion; {big} (round)? ball; mediastinal mass;
        lung growth; round mass; large nodule; big nodule; space occupying lesion; bronchial
        tumor; chest wall mass""",
    "hernia": """
        hernia; herniation; herniated; hiatal hernia; hiatus hernia; diaphragmatic hernia;
        paraesophageal hernia; bochdalek; morgagni; hh; herniated (stomach|bowel);
        (stomach|bowel|intestine|gut|colon|abdominal organ|abdominal
        content|intestines|guts|liver) (in|inside|into|within|enters|entering) (the)?
        (chest|thorax|thoracic cavity|chest cavity|mediastinum);
        (stomach|bowel|intestine|gut|colon|abdominal organ|abdominal content|organs)
        (above|through|pushed through|pushed up through|over|past|going through|slipped
        through|sliding through|slides through|poking through|pushing through|up through|pushed
        above|slid through|protruding through) (the)? (diaphragm|hiatus); intrathoracic stomach;
        thoracic stomach; sliding hernia; retrocardiac air fluid level; retrocardiac
        (gas|air|bubble); stomach slipped into the chest; stomach slid into the chest; stomach
        pushed into the chest; stomach moved into the chest; hole in the diaphragm; gas bubble
        behind the heart; air bubble behind the heart; air fluid level behind the heart; stomach
        behind the heart; ruptured diaphragm; diaphragmatic rupture""",
}

# Kinds and signs of a finding: to deny one is not to deny the finding that is asked for beside it.
NARROWER_WORDS: dict[str, str] = {
    "cardiomegaly": "cardiomyopathy; boot shaped heart; water bottle; globular heart",
    "edema": """
        kerley line; kerley b line; septal line; bat wing; batwing; butterfly; interstitial edema;
        alveolar edema; cephalization""",
    "pneumothorax": "tension; tension pneumothorax; deep sulcus sign; deep sulcus; pleural line",
    "pleural effusion": """
        loculated; loculated (fluid|effusion); empyema; hemothorax; haemothorax; chylothorax;
        pyothorax; meniscus; meniscus sign; fluid level; air fluid level; subpulmonic effusion;
        layering; blunting; blunted (costophrenic|cp)? angle""",
    "fracture": """
        displaced rib; callus; flail chest; flail segment; compression fracture; wedge fracture;
        rib fracture; vertebral fracture""",
    "emphysema": """
        bulla; bullae; bullous; bullous (disease|change|lung disease); bleb; barrel chest; flat
        diaphragm; flattened diaphragm; air trapping; hyperinflation; hyperinflated lung;
        centrilobular; panlobular""",
    "fibrosis": """
        honeycombing; honeycomb; traction bronchiectasis; reticulation; architectural distortion;
        uip; ipf; nsip""",
    "nodule": "miliary; miliary nodule; metastasis; metastatic disease; mets; coin lesion",
    "mass": """
        cancer; malignancy; malignant; carcinoma; pancoast; pancoast tumor; hilar mass;
        mediastinal mass""",
    "consolidation": "air bronchogram; air bronchogram sign; bulging fissure",
    "pneumonia": "lobar pneumonia; aspiration pneumonia; bronchopneumonia; abscess",
    "hernia": "bochdalek; morgagni; paraesophageal hernia",
}

# What counts as a normal image, and structures called normal with what that excludes.
NORMAL_WORDS = """
    normal; normal chest; normal (chest|lung)? (x
    ray|xray|x-ray|radiograph|film|image|study|cxr|scan|picture|examination|exam); normal
    cxr; cxr normal; chest normal; normal (lung|heart) and (heart|lung); (lung|heart) and
    (heart|lung) (normal|clear|unremarkable|fine|healthy); normal heart and clear lung; clear
    lung and normal heart; clear lung and heart; no finding; no findings; no abnormal finding;
    no abnormality; no significant (abnormality|finding); no acute
    (abnormality|finding|disease|process|change|pathology|findings); no (active|acute)?
    (lung|chest|pulmonary|cardiopulmonary|cardiac|cardiothoracic|cardiorespiratory|intrathoracic|thoracic)
    (disease|abnormality|process|finding|pathology|problem|change); no acute
    (lung|chest|pulmonary|cardiopulmonary|cardiac|cardiothoracic|intrathoracic|thoracic)
    (disease|abnormality|process|finding|pathology|problem|change); no active (disease|lesion);
    no disease; no pathology; no problem; no lesion seen anywhere; without
    (abnormality|finding|pathology|disease|abnormalities); demonstrates no acute cardiopulmonary
    abnormality; no evidence of (acute|active)? (cardiopulmonary|lung|chest|pulmonary)?
    (disease|abnormality|process|pathology); no (sign|evidence) of
    (disease|abnormality|illness|pathology); nothing (abnormal|wrong|acute|there|to
    see|found|remarkable|unusual|bad|suspicious|of note|pathological|significant|seen); nothing
    is (wrong|abnormal); nad; wnl; within normal limits; unremarkable; unremarkable
    (chest|study|film|image|lung|radiograph|x ray|xray|cxr); healthy; healthy
    (chest|person|patient|subject|volunteer|individual|control|people|adult); all clear;
    everything (looks)? (fine|normal|ok|okay|good|healthy|clear); all (normal|good|fine|ok);
    looks (fine|normal|ok|healthy); negative (chest|study|film|x ray|xray|cxr|radiograph|exam);
    chest x ray negative; clear chest; chest clear; chest is clear; clear (x
    ray|xray|cxr|film|radiograph|image); clear; unremarkable heart and lung; normal control;
    disease free; free of disease; free of (abnormality|finding|pathology); normal appearance;
    normal study; clean (lung|chest|x ray|xray|film|scan|cxr)"""
CLEAR_LUNG_WORDS = """
    (clear|normal|healthy|unremarkable|fine|good|well aerated|well expanded|clean) (lung|lung
    field|pulmonary field|air entry); (lung|lung field)
    (clear|normal|healthy|unremarkable|fine|clean|fully clear|well aerated); lung are grossly
    clear; grossly clear lung; normal pulmonary parenchyma; lung both clear; lung fully clear"""
NORMAL_STRUCTURES: dict[str, str] = {
    "cardiomegaly": """
        normal {heart}; normal (size|sized) (heart|cardiac silhouette); {heart}
        (normal|unremarkable|normal size|normal in size|normal sized|small|not large|of normal
        size|within normal limits|is within normal limits|fine|ok|healthy); heart normal in
        size; normal cardiac (silhouette|size|contour|outline); cardiac
        (silhouette|size|contour) normal; normal cardiothoracic ratio; cardiothoracic ratio
        normal; normal ctr; ctr normal; unremarkable (heart|cardiac silhouette); normal
        (heart|cardiac) and mediastinal (contour|silhouette|outline); small heart; normal
        cardiomediastinal (silhouette|contour|outline); cardiomediastinal (silhouette|contour)
        (normal|unremarkable|within normal limits); healthy heart; heart and mediastinum
        (normal|unremarkable|within normal limits); normal heart and mediastinum; unremarkable
        cardiomediastinal (silhouette|contour)""",
    "enlarged cardiomediastinum": """
        normal (mediastinum|mediastinal contour|mediastinal silhouette); mediastinum
        (normal|unremarkable|not widened|narrow); unremarkable mediastinum; mediastinal contour
        (normal|unremarkable)""",
    "pleural effusion": """
        sharp (costophrenic|cp) angle; clear (costophrenic|cp) (angle|sulcus); (costophrenic|cp)
        (angle|sulcus) (sharp|clear|preserved|normal|crisp|free|open); (sharp|clear|crisp) angle;
        angle (sharp|clear|crisp); normal (costophrenic|cp) angle; dry
        pleura""",
    "fracture": """
        intact (rib|bone|clavicle|skeleton|bony thorax|spine); (rib|bone|clavicle|skeleton|bony
        thorax|spine|osseous structure)
        (intact|normal|unremarkable|ok|fine|unbroken|whole|good); normal
        (bone|rib|skeleton|spine); no bony abnormality; no osseous abnormality; unremarkable
        bone""",
    "pleural thickening": "normal pleura; pleura normal; thin pleura",
    "edema": "dry lung; lung dry; lung not wet; no wet lung",
    "no finding": """
        abnormal (chest|x ray|xray|cxr|film|radiograph|study|lung)?; abnormality; anything
        abnormal; something (wrong|abnormal); sick lung; diseased lung; pathological; pathology;
        unhealthy lung; disease; diseased; damaged lung; bad lung; abnormal finding; any
        finding; any abnormality""",
}
