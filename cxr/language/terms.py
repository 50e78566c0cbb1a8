"""Words besides the findings: devices, anatomy, sides, zones, sizes, views, and known other terms.

Each table is meaning -> words, phrases separated by semicolons as in `lexicon`.
"""

from __future__ import annotations

from cxr.anatomy import AIRWAYS, CLAVICLES, DEVICES, HEART, HEART_ALONE, LUNGS

DEVICE_WORDS: dict[str, str] = {
    "pacemaker": """
        pacemaker; pace maker; pacer; pacemaker (wire|lead|battery|generator|box); ppm; pacing
        (wire|lead|device|box); cardiac pacer; heart pacer; dual chamber pacemaker; aicd; icd;
        icd lead; defibrillator; defib; vns; (vagal|vagus|phrenic)? nerve stimulator;
        implantable cardioverter defibrillator; cardioverter; crt d; biventricular pacer; loop
        recorder""",
    "endotracheal tube": """
        endotracheal tube; et tube; ett; ettube; breathing tube; intubated; intubation; tracheal
        tube; windpipe tube; ventilator tube; ventilator; ventilated; tracheostomy; tracheostomy
        tube; trach; trach tube; trache; trachy; trachie; trachi; trachey; airway tube; tube in
        the (windpipe|trachea|throat); on a ventilator; mechanical ventilation; intubated
        patient""",
    "central venous line": """
        central line; central venous (line|catheter|access); central catheter; cvc; cvl; cvp
        line; picc; picc line; peripherally inserted central catheter; ij line; ij; rij; lij; ij
        (cvc|catheter|cvl); vas cath; swan; hemodialysis catheter; subclavian line; subclavian
        catheter; jugular (line|catheter); port; portacath; port a cath; port-a-cath; mediport;
        portocath; hickman; hickman line; tunneled catheter; dialysis catheter; vascath;
        permcath; permacath; swan ganz; swan ganz catheter; pa catheter; pulmonary artery
        catheter; venous catheter; infusion port; infusaport; venous line; broviac; cordis; iv
        line; chemo port""",
    "nasogastric tube": """
        nasogastric tube; ng tube; ngt; og tube; ogt; orogastric tube; feeding tube; dobhoff;
        dobbhoff; dobhoff tube; stomach tube; gastric tube; enteric tube; nasoenteric tube;
        nasogastric toob; food tube; nose tube; peg tube; gastrostomy; nasogastric""",
    "chest tube": """
        chest tube; chest drain; thoracostomy tube; pigtail; pigtail catheter; intercostal
        drain; icd drain; icc; intercostal catheter; intercostal tube; pleural
        (drain|catheter|tube); pleurx; pleurx catheter; thoracic drain; thoracostomy; lung
        drain; drain in the (chest|pleural space)""",
    "sternal wires": """
        sternal wire; sternotomy wire; sternotomy; sternotomies; median sternotomy; cabg;
        surgical clip; clip; staple; suture; cerclage; bypass clip; wire in the sternum""",
    "heart valve": """
        prosthetic valve; valve replacement; artificial (valve|heart valve); mechanical valve;
        prosthetic heart valve; tavi; tavr; heart valve; mitral clip; valve (ring|prosthesis);
        (metal|metallic|tissue|pig) valve; annuloplasty ring""",
    "stent": "stent; endograft; aortic stent; graft",
    "balloon pump": """
        balloon pump; iabp; intra aortic balloon pump; lvad; impella; ecmo; ecmo cannula;
        cannula; ventricular assist device""",
    "monitoring leads": """
        monitoring lead; ecg (lead|electrode|wire); ekg (lead|electrode|wire|dot|sticker|pad);
        ecg (dot|sticker|pad); electrode; heart monitor; lead; monitor lead; telemetry lead;
        cable""",
    "spinal hardware": """
        spinal hardware; spinal fusion; spinal rod; harrington rod; orthopedic hardware; spinal
        fixation; orthopaedic hardware; screw; metal plate; prosthesis; joint replacement;
        shoulder replacement; pedicle screw; spinal stimulator""",
    DEVICES: """
        tube; line; tubes and lines; lines and tubes; catheter; drain; wire; tubing; catheter or
        tube""",
}

ANATOMY_WORDS: dict[str, str] = {
    LUNGS: """
        lung; pulmonary; lung field; lung fields; lobe; hemithorax; lungz; lingula; ruz; rmz; rlz;
        luz; lmz; llz; rul; rml;
        rll; lul; lll; parenchyma; lung base; lung apex; chest half; pulm""",
    HEART_ALONE: """
        heart; cardiac; cardiac silhouette; heart shadow; pericardium; pericardial; heart border;
        ventricle; atrium; cardiovascular; cardiopulmonary""",
    HEART: """
        cardiomediastinal silhouette; mediastinum; mediastinal; cardiomediastinal; aorta; aortic;
        aortic (arch|knob|knuckle); heart and mediastinum; cardiomediastinum""",
    CLAVICLES: "clavicle; collarbone; collar bone; clavicular",
    AIRWAYS: """
        airway; trachea; tracheal; windpipe; bronchus; bronchi; bronchiole; bronchial; carina;
        trachea and main bronchi; bronchial tree; main bronchus; main stem bronchus""",
    "pleura": "pleura; pleural; pleural space; costophrenic angle; cp angle; fissure; costophrenic",
    "diaphragm": "diaphragm; hemidiaphragm; diaphragmatic",
    "bones": """
        bone; bony; rib; ribs; spine; vertebra; thoracic spine; sternum;
        scapula; skeleton; shoulder; osseous; ribcage; rib cage; humerus; vertebral; skeletal""",
    "hilum": "hilum; hilar; hila; perihilar",
    "soft tissues": "soft tissue; breast; chest wall; neck; abdomen; stomach; upper abdomen; bowel",
}

# Patient's side and third of the lung; an abbreviated lobe gives both.
SIDE_WORDS = {
    "right": "right rt r rightsided rul ruz rmz rlz rml rll rightside",
    "left": "left lt l leftsided lul luz lmz llz lll lingula lingular leftside",
    "both": "both bilateral bilaterally bibasilar bibasal biapical bihilar bilat",
}
ZONE_WORDS = {
    "upper": "upper top apex apical apices rul lul superior biapical uppermost ruz luz",
    "middle": """
        middle mid central rml lingula lingular rmz lmz hilar perihilar midzone centrally bihilar
        midlung""",
    "lower": """
        lower bottom base bases basal basilar bibasal bibasilar rll lll inferior
        retrocardiac basally lowest rlz llz""",
}
# Words of a place that stand beside a side or a zone.
PLACE_WORDS = frozenset(
    "side sided zone field lobe chest hemithorax half third lung part area region quadrant".split()
)

# What a thing does on its way; it may stand inside a phrase: "fluid has collected in the chest".
MOTION_WORDS = frozenset(
    """sitting lying collecting collected pooling pooled gathering gathered building built buildup
    build accumulating accumulated trapped leaking leaked leaks seeping seeped spilling spilled
    pushed pushing slipped slipping slid sliding moved migrated gone going got getting gets come
    coming risen crept popped poking pulled backing backed filling sloshing escaped escaping up out
    stuck caught floating hiding present seen visible""".split()
)

SEVERITY_WORDS = {
    "mild": """
        mild small tiny minimal minor slight trace subtle little mildly minimally slightly faint
        early thin borderline minute small-sized low-grade subcentimeter light weak""",
    "moderate": "moderate medium moderately mid-sized medium-sized middling modest moderate-sized",
    "severe": """
        severe large massive huge extensive marked gross severely advanced big significant
        markedly giant enormous pronounced considerable extreme widespread diffuse bulky heavy
        grossly massively serious""",
}

VIEW_WORDS = {
    "PA": """
        pa; posteroanterior; postero anterior; posterior anterior; back to front; standing pa;
        pa view""",
    "AP": """
        ap; anteroposterior; antero posterior; anterior posterior; front to back; portable;
        bedside; supine; mobile x ray; lying down; in bed; semi erect; semierect""",
    "lateral": """
        lateral; lat; side view; sideview; from the side; profile; lateral view; side on;
        sideways; lateral film; side film; side x ray""",
    "frontal": "frontal; frontal view; front view; from the front; front on",
}

# Terms of the field that no finding stands for: name -> its synonyms.
OTHER_WORDS: dict[str, str] = {
    "ground-glass opacity": """
        ground glass; groundglass; ground glass
        (opacity|opacification|change|shadowing|appearance|haze); ggo; frosted glass; hazy;
        haze; haziness; hazy (lung|opacity|shadow|shadowing|area|patch); milky; milky lung;
        veil; veiling; veil over""",
    "ARDS": "ards; acute respiratory distress syndrome; respiratory distress syndrome",
    "heart failure": """
        heart failure; cardiac failure; chf; congestive heart failure; hf; ccf; lvf; adhf; left
        ventricular failure""",
    "COVID-19": "covid; covid 19; covid19; coronavirus; sars cov 2; covid pneumonia; sars",
    "tuberculosis": """
        tuberculosis; tb; tubercular; tuberculous; mycobacterium; mtb; ptb; consumption; ghon;
        ranke complex; tuberculoma; koch's""",
    "cavity": """
        cavity; cavitation; cavitating; cavitary; cavitating lesion; cavitary lesion; hole in
        the lung; thick walled cavity; aspergilloma; fungus ball; mycetoma""",
    "lung abscess": "abscess; lung abscess",
    "granuloma": """
        granuloma; granulomatous; calcified granuloma; granulomata; histoplasmosis; histoplasma;
        granulomatous disease; calcified nodule""",
    "sarcoidosis": "sarcoidosis; sarcoid; sarcoidal",
    "lymphadenopathy": """
        lymphadenopathy; adenopathy; enlarged lymph node; swollen lymph node; lymph node; hilar
        enlargement; enlarged hilum; enlarged hila; hilar adenopathy; bulky hilum; prominent
        hilum; hilar prominence; lymph gland; hilar lymphadenopathy; big hilum""",
    "bronchiectasis": """
        bronchiectasis; bronchiectatic; tram track; tram line; dilated bronchus; dilated airway;
        signet ring""",
    "cystic fibrosis": "cystic fibrosis; cf lung",
    "pulmonary embolism": """
        pulmonary embolism; pulmonary embolus; pe; lung clot; clot in the lung; blood clot;
        embolism; pulmonary infarct; hampton hump; westermark sign; infarct; lung infarction;
        embolus""",
    "pulmonary hypertension": """
        pulmonary hypertension; pulmonary arterial hypertension; pah; cor pulmonale; enlarged
        pulmonary artery; dilated pulmonary artery; prominent pulmonary artery; large pulmonary
        artery""",
    "pericardial effusion": """
        pericardial effusion; pericardial fluid; water bottle effusion; fluid around the heart;
        water around the heart; fluid on the heart; tamponade; pericarditis; pericardial
        calcification; liquid around the heart""",
    "pneumomediastinum": """
        pneumomediastinum; mediastinal air; mediastinal emphysema; air in the mediastinum; air
        around the heart; pneumopericardium; mediastinal gas""",
    "subcutaneous emphysema": """
        subcutaneous emphysema; surgical emphysema; subcutaneous air; subcutaneous gas; air
        under the skin; subq emphysema; subq air; soft tissue air; soft tissue emphysema; soft
        tissue gas; subcutaneous emphysematous""",
    "pneumoperitoneum": """
        pneumoperitoneum; free air under the diaphragm; air under the diaphragm; free gas under
        the diaphragm; subdiaphragmatic air; free intraperitoneal air; free abdominal air; free
        air under the right hemidiaphragm; air under the hemidiaphragm; free gas; gas under the
        diaphragm; free air; perforation""",
    "raised diaphragm": """
        raised diaphragm; elevated diaphragm; elevated hemidiaphragm; raised hemidiaphragm; high
        diaphragm; diaphragm (raised|elevated|paralysis|palsy); eventration; diaphragmatic
        eventration; hemidiaphragm (elevated|raised); phrenic nerve palsy; paralyzed diaphragm;
        elevation of the hemidiaphragm""",
    "tracheal deviation": """
        tracheal (deviation|shift|stenosis|narrowing); deviated trachea; trachea deviated;
        mediastinal shift; shift of the mediastinum; shifted mediastinum; mediastinum shifted;
        trachea pushed; trachea shifted; pushed windpipe; narrowed trachea; shifted trachea;
        midline shift""",
}
# The same, terms that go by their own words.
OTHER_TERMS = """
    lymphoma; hodgkin; leucemia; hodgkin's lymphoma; hodgkins; thymoma; teratoma; bronchitis;
    bronchiolitis; bronchial wall thickening; asthma; asthmatic; asthmatics; croup; reactive
    airway disease; aortic aneurysm; aneurysm; thoracic aneurysm; aortic dissection; dissection;
    tortuous aorta; unfolded aorta; aortic (tortuosity|ectasia|unfolding|calcification|
    atherosclerosis); ectatic aorta; dilated aorta; enlarged aorta; coarctation; calcified
    aorta; prominent aortic knob; atherosclerosis; atherosclerotic; aortic enlargement;
    arteriosclerosis; wide aorta; large aorta; rib notching; aneurysmal; aneurysmal aorta;
    mitral stenosis; aortic stenosis; mitral regurgitation; valve disease; valvular disease;
    aortic regurgitation; left atrial enlargement; double density sign; double contour;
    endocarditis; tetralogy of fallot; fallot; asd; vsd; pda; septal defect; congenital heart
    disease; congenital; dextrocardia; situs inversus; transposition; azygos lobe; azygos
    fissure; azygous lobe; sequestration; scimitar; ebstein; kartagener; bronchogenic cyst;
    scoliosis; scoliotic; kyphosis; kyphotic; kyphoscoliosis; crooked spine; curved spine; bent
    spine; hunchback; lordosis; osteoporosis; osteopenia; osteophyte; spondylosis; arthritis;
    osteoarthritis; arthrosis; degenerative (change|disease|spine); disc disease; spur; bone
    spur; arthritic; dish; ankylosing spondylitis; spondylitis; demineralization; bone lesion;
    lytic lesion; sclerotic lesion; lytic; bone metastasis; bony metastasis; osteolysis;
    osteomyelitis; myeloma; multiple myeloma; rib lesion; sclerotic bone; bone tumor; bone
    island; pectus; pectus excavatum; pectus carinatum; funnel chest; pigeon chest; chest
    deformity; chest wall deformity; cervical rib; dislocation; dislocated shoulder; shoulder
    dislocation; dislocated; silicosis; pneumoconiosis; asbestosis; asbestos; coal worker's
    lung; black lung; coal dust; anthracosis; progressive massive fibrosis; berylliosis;
    mesothelioma; asbestos exposure; farmer's lung; hypersensitivity pneumonitis; calcification;
    calcified; calcific; eggshell calcification; chalk; calcified lymph node; calcium;
    hemorrhage; haemorrhage; pulmonary hemorrhage; bleeding; lung bleed; contusion; lung
    contusion; lung bruise; bruised lung; hematoma; vasculitis; gpa; wegener; goodpasture;
    goodpasture's; hemoptysis; aspiration; aspirated; inhaled foreign body; foreign body;
    swallowed; swallowed coin; swallowed object; foreign object; bullet; gunshot; shrapnel;
    airgun pellet; swallowed button; button battery; lobectomy; pneumonectomy; lung resection;
    wedge resection; lung transplant; transplant; transplanted lung; thoracotomy; removed lung;
    missing lung; mastectomy; postoperative; postsurgical; post op; thoracoplasty; postop;
    removed lobe; goiter; goitre; thyroid; thyroid enlargement; enlarged thyroid; thyromegaly;
    thyroid mass; achalasia; dilated esophagus; esophagus; esophageal; esophageal cancer;
    megaesophagus; esophageal rupture; esophageal dilatation; gallstone; bowel obstruction;
    splenomegaly; hepatomegaly; ascites; pancreatitis; chilaiditi; dilated bowel; kidney stone;
    constipation; cyst; lung cyst; cystic; cystic change; pneumatocele;
    lymphangioleiomyomatosis; lam; hydatid; hydatid cyst; echinococcus; bullous cyst;
    langerhans; histiocytosis; lch; cystic lung disease; aspergillosis; fungal; fungal
    infection; viral; virus; influenza; flu; bacterial; sepsis; septic emboli; mycoplasma;
    chickenpox; varicella; measles; hiv; aids; nocardia; coccidioidomycosis; blastomycosis;
    whooping cough; rsv; septic embolus; lupus; scleroderma; rheumatoid; sle; amyloidosis;
    amyloid; dermatomyositis; connective tissue disease; rheumatoid arthritis;
    (knee|joint|hip|elbow|ear|shoulder) effusion; (ankle|leg|foot|pedal|brain|cerebral|
    peripheral|macular|facial|hand|arm|limb|skin) edema; (inguinal|umbilical|ventral|incisional|
    femoral|groin) hernia; (disc|disk|brain) (hernia|herniation); (liver|kidney|renal|breast|
    skin|brain|prostate|colon|ovarian|pancreatic|neck|thyroid|bladder|spinal cord) (mass|lesion|
    tumor|cancer|nodule|lump|fibrosis|cyst); body mass index; bmi; (bone|muscle|critical) mass;
    broken heart; heartburn; (lumbar|nasal|facial|jaw|foot|arm|leg|finger|toe) (bone)? fracture;
    headache; tension headache; stroke; brain tumor; brain; sinusitis; appendicitis; hip
    fracture; knee; hand; wrist; ankle; skull; femur; pelvis; ankle fracture; knee fracture;
    wrist fracture; femur fracture; skull fracture; hand fracture; broken (leg|ankle|wrist|
    finger|nose|jaw|skull|hip|arm|hand|foot|toe); leg; foot; dental; tooth; mass effect; skin
    fold; skinfold; nipple shadow; nipple marker; nipple; artifact; artefact; motion blur;
    rotation; rotated; poor inspiration; underexposed; overexposed; mach band; bone bruise;
    blurry; blurred; poor quality; low quality; respiratory failure; hypoxia; hypoxic; dyspnea;
    shortness of breath; short of breath; cough; coughing; fever; chest pain; wheeze; wheezing;
    hemoptysis; breathless; breathlessness; sputum; crackle; rale; tachypnea; sob; trouble
    breathing; night sweats; weight loss; unwell; pain; palpitation; breathing difficulty;
    trauma; traumatic; accident; fall; stab wound; car crash; mva; injury; injured; crash; car
    accident; collision; stabbing; diabetes; diabetic; hypertension; smoker; smoking; smokes;
    obesity; obese; renal failure; kidney failure; dialysis; cirrhosis; chemotherapy; radiation;
    radiotherapy; sickle cell; acute chest syndrome; anemia; pregnancy; radiation pneumonitis;
    radiation fibrosis; immunosuppressed; dvt; alcoholic; drug user; ckd; cad; coronary artery
    disease; myocardial infarction; heart attack; angina; arrhythmia; atrial fibrillation;
    cardiomyopathy; ischemic heart disease; myocarditis"""

# English words that say nothing about the image; they are understood and passed over.
PLAIN_WORDS = frozenset(
    """
        a about above across after all also always am an and another any anybody anyone anything
        are as ask at away b back be because been before behind being below beside best better
        between both but by can case cases chest choose cleanly could cxr cxrs c d demonstrate
        demonstrates demonstrated demonstrating did display do does doctor doctors done down
        during e each either else especially evaluate even ever every everything example
        examples exam exams examination feature features few field fields film films find
        finding findings first focal focally for found from front get give given go good got
        great had has have having he hello help hi her here hers hey him his history how i if im
        image images in inside instead into is it its it's just kind know known large last
        latest least less let like lists list look looking looks lot made main make many marking
        markings may me mean means medical more most much multiple must my near need needed
        needs new next nice not note now of off ok old on one ones only onto or other others
        otherwise our out over own pair part particular patient patients pt pts patient's people
        perhaps person photo photos pic pics picture pictures plain please pls plz plus point
        possible present presence present presenting presents problem problems proven put quick
        quickly radiograph radiographs radiograph radiography radiology rays ray read really
        recent report reports result results retrieve right same sample samples scan scans
        search see seeing seek seen select several she should show showing shown shows sign
        signs similar since single some somebody someone something sort specific standing erect
        upright still studies study such suggest suggests suffering take taken tell than thank
        thanks that that's the their them then there there's these they thing things think this
        those though through thoracic thorax through time to together too two type types typical
        typically un under up upon us use used using usual very view views visible visual want
        wanted wants was way we well were what what's whatever when where which while who whole
        whom whose why will wish with within would x xr xray xrays x-ray yes yet you your acute
        chronic subacute acutely focal multifocal patchy diffuse bilateral linear subsegmental
        segmental lobar scattered peripheral central streaky dense stable unchanged increased
        decreased worsening improved improving interval resolving isolated simple complex
        radiologist student trainee teaching learn learning compare versus vs normal-sized
        changes change appearance pattern patterns area areas region regions evidence suspicion
        suspected obvious clear clearly classic textbook severe florid sizable sized size
        left-sided right-sided side sides sided zone zones third half level base place location
        localized localised position tip correct hospital clinic emergency ward icu er ed day
        days week weeks month months year years age aged ages old older young younger y yo yr
        yrs male female man woman lady gentleman guy boy girl child adult tissue cavity wall
        space line extra number numbers set database archive dataset gallery collection
        associated secondary due caused consistent compatible related likely underlying
        concurrent concomitant coexisting combined combination along moderate-to-large post pre
        status known prior previous background setting context existing flash solitary healed
        healing anyway maybe tons bunch couple unilateral ipsilateral contralateral opposite
        adjacent subpleural anterior posterior medial entire full fully partial partially partly
        complete completely lungs' doc colleague want'd i'd i'm i've don't doesn't didn't can't
        couldn't won't let's who's""".split()
)

# The words by which a few other languages are recognised in a text of two or three words.
FOREIGN_WORDS = {
    "de": """
        kein keine ohne mit und links rechts herz lunge erguss pleuraerguss herzvergrößerung
        lungenentzündung rippenbruch unauffällig stauung verschattung rundherd nicht oder der
        die das thorax-röntgen röntgen beidseits""",
    "fr": """
        pas sans avec gauche droit droite coeur cœur poumon poumons épanchement pneumonie
        fracture-de normale radiographie pneumothorax-droit thorax-normal cardiomégalie
        oedème-pulmonaire et le la les des du une nodule-pulmonaire""",
    "es": """
        sin con izquierdo izquierda derecho derecha corazón pulmón pulmones derrame neumonía
        neumotórax radiografía cardiomegalia fractura y el los las una edema-pulmonar normal-de
        agrandado""",
    "it": """
        senza sinistro sinistra destro destra cuore polmone polmoni versamento polmonite
        pneumotorace radiografia cardiomegalia-lieve frattura il gli della ingrandito pleurico""",
    "pt": """
        sem com esquerdo esquerda direito direita coração pulmão pulmões derrame-pleural
        radiografia aumentado pneumotórax não uma cardiomegalia-leve""",
    "nl": """
        geen zonder met links-long rechts-long hart longen longontsteking klaplong vergroot
        pleuravocht het een niet ribbreuk vocht""",
}
