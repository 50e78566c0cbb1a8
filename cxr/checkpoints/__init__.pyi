from .format import (
    read_config as read_config,
)
from .format import (
    read_tokenizer as read_tokenizer,
)
from .format import (
    resolve as resolve,
)
from .io import (
    fingerprint as fingerprint,
)
from .io import (
    load_checkpoint as load_checkpoint,
)
from .io import (
    load_dual_encoder as load_dual_encoder,
)
from .io import (
    save_checkpoint as save_checkpoint,
)
from .io import (
    save_dual_encoder as save_dual_encoder,
)
from .push import (
    pull_checkpoint as pull_checkpoint,
)
from .push import (
    push_checkpoint as push_checkpoint,
)
from .shards import (
    INDEX as INDEX,
)
from .shards import (
    WHOLE as WHOLE,
)
from .shards import (
    digest_of as digest_of,
)
from .shards import (
    read_file as read_file,
)
from .shards import (
    read_tensors as read_tensors,
)
