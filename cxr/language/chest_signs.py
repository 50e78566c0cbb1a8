"""Signs, comparisons and slang for heart, pleura, bones, devices: see `lung_signs`."""

from __future__ import annotations

CHEST_SIGNS: dict[str, str] = {
    "enlarged cardiomediastinum": """
        {wide} (superior|upper)? (paratracheal stripe|vascular pedicle|middle part|midline
        shadow); {wide} (middle|center) of the chest; {wide} (central|midline|middle)
        (shadow|part|area); (middle|center) of the chest {wide}; thick middle between the lung;
        {wide} shadow (in|of) (middle|center); (space|area|gap|part) between the lung {wide};
        {wide} (space|area|gap) between the lung; mediastinal prominence;
        (bulging|bulky|full|fullness of the) {mediastinum}; {mediastinum}
        (bulging|bulge|bulky|full); mediastinal (fullness|bulge); {mediastinum} (over|above|more
        than|wider than|greater than|bigger than|exceeds)? 8 cm; {mediastinum} (8cm|8 cm)""",
    "cardiomegaly": """
        (heart|pump|ticker|cardiac silhouette|cardiac shadow) {big} for (box|chest|cage|rib
        cage|ribcage|thorax|frame|body|space|container); {heart}
        (outgrown|outgrew|bursting|bulging out of|overflowing|spilling out of)
        (box|chest|cage|rib cage|ribcage|thorax|space); (heart|pump|ticker)
        (barely|hardly|scarcely|not|doesn't) (fit|fits|fitting|fit in|fit into|fits in|fits
        into|fits inside) (box|chest|cage|rib cage|ribcage|thorax|space)?; (heart|pump) (fills|
        filling|takes|taking|covers|covering|occupies|occupying|spans) (more than|over|most
        of|half of|half|much of|too much) (half|of)? (chest|thorax|rib cage|room|space); {heart}
        (takes|taking) up (most|half|more than half|over half|too much space|too much room);
        {heart} (width|diameter) (more than|over|above|exceeds|greater than|exceeding) half;
        {heart} (more than|over|greater than|wider than|bigger than|exceeds) half; {heart}
        (touching|reaching|reaches|touches) the (chest wall|left chest wall|rib|side); {heart}
        (size)? (growth|swelling|hypertrophy|dilatation|dilation|overgrowth|thickening);
        (thick|thickened) heart (muscle|wall); (bovine|ox|beef|elephant|athlete's|athletes|
        athlete|flask shaped|football|cannonball|globular|water bottle|bottle shaped|boot
        shaped|egg shaped|pumpkin) heart; heart like a (football|melon|pumpkin|balloon|flask|
        water bottle|bottle); cor bovinum; megaheart; lvh; rvh; dcm; hocm; (left|right)?
        ventricular (hypertrophy|dilatation|dilation|strain); dilated chamber; (left)?
        (heart|ventricular|cardiac) border bulging; (displaced|downward) cardiac apex; apex
        displaced; apex (pointing down|down and out); (ctr|ct ratio|cardiothoracic ratio|cardio
        thoracic ratio|cardiothoracic index) (of|at|is|more than|greater than|bigger than)? (0
        5|0 6|0 7|0 55|0 65|0 58|0 52|55|60|65|70|over 50|above 50|50|over 0 5|above 0 5|more
        than 50|over half|above half|more than half|above normal); (abnormal|wide) (ctr|ct
        ratio|cardiothoracic ratio); borderline (heart size|heart|cardiac size|cardiac
        silhouette); {heart} (size)? (borderline|upper limit of
        normal|abnormal|stretched|stretched out|puffed up|blown up|bloated|way too big|way too
        large); stretched heart; stretched out heart; cmg; cardiac hypertrophy; cardiac
        dilatation; cardiac dilation; enlrgd heart; abnormal heart size; (double density|double
        contour) of the left atrium; big old heart; overgrown heart; (heart|cardiac silhouette)
        (twice|double) the (normal)? size; oversize heart shadow""",
    "pneumothorax": """
        deep (costophrenic|cp|lateral)? (sulcus|angle|recess); (costophrenic)? sulcus deep;
        (double diaphragm|deep sulcus) sign; lung (went|gone|is|has gone|going)? down; a dropped
        lung; lung (dropped|burst|exploded|blew|blown|went pop|gone pop|came down|sprung a leak|
        retracted|detached|fallen|peeled|shrunk); lung (pulled|peeled|retracted|separated|
        shrunk|detached|fallen|come|coming) (away|off|back)? from (chest wall|rib|ribcage|rib
        cage|wall); (blown|burst|exploded|dropped|retracted|detached|leaking|flat|popped|blown
        out|ruptured) lung; blown pneumo; (lung|balloon) deflated like a (balloon|tire|tyre|flat
        tire|flat tyre); (deflated|flat|burst|popped) (like a)? (balloon|tire|tyre|flat
        tire|flat tyre) (lung)?; lung like a (deflated|burst|popped|punctured|flat)
        (balloon|tire|tyre); (no|absent|missing|lack of|loss of|without) (lung|pulmonary|
        bronchovascular|peripheral)? marking (beyond|at|lateral to|peripheral
        to|outside|past|peripherally|near|along) (edge|line|pleural line|periphery|white
        line|lung edge|pleural edge|chest wall|apex)?; absent lung marking; missing lung
        marking; (white|thin white|fine white|thin) line no (lung|marking|lung marking)
        (beyond|outside|past); (thin|fine|sharp)? (white)? (visceral)? pleural line; pleural
        line (with)? (no|without|absent) (lung)? marking (beyond)?; nothing beyond the
        (pleural)? line; (visible|thin|seen) (visceral)? (pleural|pleura|lung)
        (line|edge|margin); lung (edge|margin|border) (visible|seen|shown); free air around the
        (lung|lobe); (rim|cap|crescent|band|sliver|pocket|bubble|collection|layer|strip|cushion)
        of (free|apical)? (air|gas) (at the apex|around the lung|at the top|beside the lung|over
        the lung|next to the lung|outside the lung)?; (air|gas) (rim|crescent|cap|collar|pocket)
        (around|beside|next to|at|over|outside)? (lung|lobe|apex|chest)?; (apical|pleural|
        peripheral|extrapleural|apicolateral|free pleural) (air|gas|pneumo|ptx); small apical
        cap of air; (air|gas) (out|escaped|escaping|leaked|leaking|leaks|from|out of|spilled)
        (into|from|of|out of|on|outside)? (lung|chest|pleura|pleural space|chest cavity|pleural
        cavity); leak of air (around|from)? (lung|chest)?; air outside (of)? lung (but)?
        (in|inside)? (chest)?; air in the chest outside the lung; (air|gas) where the lung
        should be; (completely|totally|fully|whole|entirely|half|fully) collapsed lung;
        (complete|total|full|whole) (lung)? collapse (of the)? (lung|right lung|left lung)?;
        lung collapsed (completely|totally|fully); whole lung collapsed; tension (ptx|pneumo|ptx
        with shift|hemithorax|pneumothoraces); pthx; pntx; pneumo thoraces; (spontaneous|
        traumatic|iatrogenic|simple|occult|primary|open|small|large|apical) pneumo; hyperlucent
        hemithorax with (no|absent|without) (lung)? marking; (hemithorax|black)
        (black|empty|lucent) (with)? (no|without) (lung)? marking; lung collapse after
        (central)? line; sucking chest wound; black space beside the lung; black (rim|area|band)
        (around|beside|next to) the lung; (burst|popped) (bleb|bulla); bleb burst""",
    "pleural effusion": """
        (blunt|blunted|blunting of|obliterated|obliteration of|loss of|lost|obscured|filling
        of|drowned|effaced|effacement of|absent|hazy|hidden|missing|submerged)
        (costophrenic|cp|cpa|lateral|lateral costophrenic|posterior costophrenic|phrenicocostal)
        (angle|sulcus|sulci|recess|recesses)?; blunt angle; blunted (angle|sulcus|sulci|recess);
        (blunt|blunted|blunting of) cpa; (cpa|costophrenic|cp)
        (angle|angles|sulcus|sulci|recess)? (blunting|blunted|blunt|lost|obliterated|obscured|
        drowned|not seen|not visible|gone|filled|filled in|hazy|missing|not
        sharp|invisible|hidden|disappeared|not clear|no longer sharp); (base|lung base|lower
        zone|hemithorax|bottom of the lung|lower lung) (whited out|white|drowned|submerged|
        opaque|opacified|obscured) (by|with|from)? {fluid}; {fluid} (line|shadow|level|layer|
        pocket|curve|meniscus); (damoiseau|ellis|ellis damoiseau) (line|curve|sign);
        (meniscus|concave|curved) (upper)? (edge|border|line|margin|shape|level) (of)?
        ({fluid})?; {fluid} (at|in|on) (bottom|base|lung base|lower lobe|costophrenic angle|cp
        angle|lower chest|lower zone); {fluid} at bottom of (chest|lung); {fluid} (on|upon)
        (lung|chest); {fluid} (buildup|build up|accumulation|collection|pooling) (around|at|in|
        on|under|outside|between|near)? (lung|lung base|base|pleura|pleural space|chest|chest
        cavity|bottom)?; {fluid} (layering|layered); (collection|buildup|build up|layer|pool|
        puddle|pocket|rim|accumulation|lake|bag) of {fluid}
        (around|at|in|on|under|outside|beside) (lung|base|lung base|chest|pleura|bottom);
        (puddle|pool|pond|lake|swamp|juice|liquid|soup) (around|at|under|beneath|in|by)
        (lung|lung base|base|chest|bottom|lung bottom)?; (chest|hemithorax|side|thorax)
        (full|filled) (of|with) {fluid}; lung (floating|drowning|swimming|sitting|bathed|
        submerged|standing) in {fluid}; (blood|pus|juice|chyle|lymph|bile) {around} (lung|lobe);
        (blood|pus|juice|chyle|lymph) (in|inside|within|filling) (chest|chest
        cavity|pleura|pleural space|thorax|hemithorax|pleural cavity); (wet|weeping) pleura;
        (malignant|sympathetic|para malignant|exudative|transudative|hemorrhagic|chylous|
        reactive|subpulmonary|subpulmonic|lamellar|encysted|loculated|septated|massive|
        interlobar|fissural|tuberculous|cardiac|hepatic|bloody|infected) (pleural)?
        (effusion|fluid|collection|exudate); transudate; exudate; effsn; effn; effus; effsion;
        efn; pleff; bpe; fissural {fluid}; (fluid|thickened
        fluid|water) in (minor|horizontal|oblique|major|interlobar)? fissure;
        (pseudotumor|phantom tumor|vanishing tumor) (of the fissure)?; pleuritis exudativa;
        (wine glass|goblet) shaped shadow; needs (a|to be)? (tap|tapping|tapped|thoracentesis|
        thoracocentesis|pleurocentesis|pleural tap|drained); thoracentesis; thoracocentesis;
        pleural tap; chest tap; pleurocentesis; effusions bilaterally; (opaque|white|whited
        out|opacified) (hemithorax|base|lung base) with meniscus; spinnaker sign;
        (layering|layered) (opacity|haze|density|veil); veil like haze on supine film; lateral
        decubitus fluid; wet lining; water bag around the lung; stuff around the lung;
        (hemopneumo|hydropneumo)""",
    "pleural other": """
        (holly leaf|candle wax|incomplete border|hanging lamp) (sign|plaque|calcification|
        pleura|appearance)?; holly leaf shaped plaque; (pleura|lung lining) (abnormal|
        abnormality|problem|disease|disorder|sick); (something|anything)
        (wrong|abnormal|odd|off|strange) (with|in|on|about) (pleura|lung lining|lining of the
        lung); (problem|issue|trouble|disease) (with|of|in) (lung lining|lining of the
        lung|pleura); (talc)? pleurodesis; (asbestos|calcified|diaphragmatic|hyaline|calcific)
        (pleural)? plaque; (calcium|chalk|calcification) (in|on|of) (pleura|lung lining|lining
        of the lung); (chalky|calcified) (pleura|lung lining|lining); pleuritis; pleurisy;
        (solitary)? fibrous tumor of the pleura; pleural (nodularity|nodule|implant|deposit|
        metastasis|cyst|lipoma|malignancy|cancer|based mass|based lesion)""",
    "fracture": """
        (busted|smashed|crushed|shattered|splintered|split|snapped|crunched|bust|fragmented|
        mangled|stove in|caved in|bashed|cracking) {bone}; {bone} (busted|smashed|crushed|
        shattered|splintered|split|snapped|broke|bust|broken in two|out of place|displaced|in
        pieces|in bits|cracked in two); (broke|cracked|fractured|busted|snapped|breaking|
        fracturing|breaks) (his|her|a|the|my|some|two|three|several)? {bone}; stove in chest;
        (cortical|cortex|bony cortex) (break|step|disruption|discontinuity|breach|irregularity|
        interruption|buckle); (step|stepoff|step off|gap|break|kink|offset|split|line|lucency)
        (in|through|across) {bone}; {bone} (step|gap|kink|offset|discontinuity|disruption|
        deformity|displacement|fragment|dislocated fragment|break|fragments);
        (displaced|healing|healed|old|new|acute) (rib|bone|clavicle)? (fragment|break|fracture);
        (crush|burst|wedge|chance|stress|buckle|greenstick|pathological|pathologic|comminuted|
        transverse|oblique|hairline|avulsion|fragility|osteoporotic|undisplaced|nondisplaced|
        compound) (fracture|fx|compression|break); wedge compression; hairline (crack|break);
        (vertebra|vertebral body|vertebrae|spine) (collapsed|has collapsed|crushed|squashed|
        wedged|compressed|flattened|caved in|lost height); (squashed|flattened|crushed|wedged|
        squished) (vertebra|vertebral body|vertebrae|spine|bone in the spine); (vertebral|loss
        of vertebral)? height loss; loss of (vertebral)? height; broken (back|neck|shoulder|
        chest|breastbone|chest bone|ribcage|rib cage); (callus|callous) (formation)?; rib
        callus; fxd; fract; fractd; fractures""",
    "support devices": """
        (metal box|box|battery|generator) (under|beneath|below|in|near|on) (skin|chest|
        collarbone|shoulder|clavicle|heart|chest wall); (heart|pacemaker|chest)
        (battery|box|gadget|device); (breathing|life support) (machine|apparatus|equipment);
        (on|with) life support; life support; plastic (tube|line|hose|pipe);
        (hose|pipe|plumbing|tubing) (in|down|inside|into) (chest|throat|lung|windpipe|nose|neck|
        stomach|body); (tube|wire|line|cable|thing) down the (throat|nose|windpipe|gullet);
        (metal|metallic|foreign metal|surgical metal) (in|inside) (chest|body|heart); metal
        (work|ware|hardware|thing|bit|part|object|implant|rod|plate|clip|wire|valve); metalwork;
        metalware; (surgical|orthopedic) (metalwork|metal|material); cyborg; bionic;
        (tube|line|catheter|lead|wire) (tip|position|placement|malposition|check) ?; post line
        (film|check); spaghetti of (line|tube); full of (tube|line|wire); lines and leads; icu
        line; attached to machine; hooked up to (machine|ventilator|monitor); temp probe;
        (esophageal|oesophageal)? temperature probe; probe; stimulator; leadless
        (pacer|pacemaker)""",
    "pleural thickening": """
        (thick|thickened|thickening of|leathery) (lining|membrane|skin|coat|coating|covering|
        layer|wrapping|rind|peel) (around|of|over|on|covering)? (lung|chest)?; (lining|membrane|
        skin|coat|coating|covering|layer|rind|peel) (around|of|over|covering)? (lung)? (thick|
        thickened|thickening|leathery|scarred); lung lining
        (thick|thickened|thickening|scarred); (trapped|encased|entrapped|imprisoned) lung; lung
        (encased|trapped in|wrapped in) (rind|peel|thick pleura|scar)?; (leathery|thick|scarred|
        hardened|thickened) (pleura|pleurae); (thick|thickened|thickening of) (minor|horizontal|
        oblique|interlobar|major)? fissure; fissural thickening; fissure thickened;
        (orange|fruit) peel around the lung; pleural (rind|peel|band|tag|tail|reaction|scar);
        pleural scarring; dpt; pleural thick; apical (cap|caps|capping|rind);
        (rind|peel) (around|on|over) lung; decortication; pleural adhesion; pleural adhesions""",
    "hernia": """
        (stomach|tummy|belly|bowel|gut|intestine|colon|gastric bubble|bowel loop|loop of
        bowel|abdominal organ|belly organ|belly content|abdominal content|organ|stomach
        bubble|gastric fundus|liver|spleen) (in|into|inside|above|through|within|behind|past|
        over|beyond) (chest|thorax|diaphragm|chest cavity|thoracic cavity|heart|hiatus|rib
        cage|ribcage|mediastinum); (stomach|tummy|bowel|gut|intestine) (slipped|slid|pushed|
        moved|gone|risen|crept|pulled|riding) (up|upwards|too high|high);
        (stomach|tummy|bowel|gut) too high; (stomach|tummy|bowel|gut) (where it|where they)?
        (should not|shouldn't) be; (stomach|bowel|gut) in the wrong place; upside down stomach;
        (intrathoracic|retrocardiac|thoracic) (stomach|bowel|gut|colon|gastric
        bubble|intestine|bowel loop); (chest|thoracic) stomach; (air|gas|gas filled|air
        filled|stomach|gastric|lucent)? (bubble|pocket|air fluid level|fluid level|gas fluid
        level|gas|mass with air fluid level|mass with air|loop|lucency) (behind|back of)
        (heart|cardiac shadow|cardiac silhouette); (air|gas)? fluid level behind (heart|cardiac
        silhouette|cardiac shadow); (retrocardiac|supradiaphragmatic) (air fluid level|fluid
        level|gas fluid level|gas|gas bubble|air bubble|lucency|mass with air fluid
        level|bubble|stomach bubble|gastric bubble|gas shadow); gastric bubble (in|above|
        behind)(chest|diaphragm|heart); (cdh|phh|hh|para oesophageal hernia|poh|peh); (hole|
        tear|rip|gap|defect|opening|rupture|rent) (in|of) diaphragm; (torn|ripped|burst)
        diaphragm; (rolling|sliding|giant|large|mixed) (hiatal|hiatus|paraesophageal)? (hernia);
        (hiatal|hiatus) (hern|gap)""",
}

NORMAL_SIGNS = """
    (boring|ordinary|average|pristine|spotless|squeaky clean|immaculate|flawless|perfect|
    perfectly normal|beautiful|run of the mill|completely normal|totally normal|textbook normal)
    (chest|lung|x ray|xray|film|cxr|radiograph|heart and lung|lung field|image); (squeaky
    clean|perfectly normal|completely normal|totally normal|textbook normal); clean bill of
    health; nil acute; nil (of note|abnormal|significant|to find); naf; napd; nacpd; nacpa; nad
    on cxr; (nothing|not much) (going on|doing|here|at all|happening|to report|to worry
    about|worth mentioning|sinister|obvious|focal); no (issue|concern|trouble|worry); fine
    (chest|film|cxr); as it should be; picture of health; (fit and well|fit as a fiddle);
    (perfectly|totally|completely|absolutely) (healthy|fine|normal|clear); someone healthy;
    healthy (heart and lung|lung and heart|looking chest|looking lung|film|xray|x
    ray|cxr|image|radiograph); disease free (chest|lung)?; chest (xray|x ray|film|radiograph)?
    (ok|okay|fine|good|healthy|unremarkable); normal (one|ones|example|case|chests|films); free
    of findings; nothing pathological; lack of (pathology|disease|findings)"""
