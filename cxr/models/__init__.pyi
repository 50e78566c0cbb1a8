from .backbones import (
    TimmBackbone as TimmBackbone,
)
from .backbones import (
    TorchvisionBackbone as TorchvisionBackbone,
)
from .discriminator import (
    REFERENCE_DISCRIMINATOR as REFERENCE_DISCRIMINATOR,
)
from .discriminator import (
    Discriminator as Discriminator,
)
from .discriminator import (
    DiscriminatorConfig as DiscriminatorConfig,
)
from .dual_encoder import (
    DualEncoder as DualEncoder,
)
from .dual_encoder import (
    DualEncoderConfig as DualEncoderConfig,
)
from .dual_encoder import (
    ImageConfig as ImageConfig,
)
from .dual_encoder import (
    ImageEncoder as ImageEncoder,
)
from .dual_encoder import (
    TextConfig as TextConfig,
)
from .generator import (
    REFERENCE as REFERENCE,
)
from .generator import (
    SIDE as SIDE,
)
from .generator import (
    Generator as Generator,
)
from .generator import (
    GeneratorConfig as GeneratorConfig,
)
from .losses import (
    contrastive_loss as contrastive_loss,
)
from .losses import (
    dice_bce as dice_bce,
)
from .losses import (
    masked_bce as masked_bce,
)
from .losses import (
    masked_smooth_l1 as masked_smooth_l1,
)
from .losses_adversarial import (
    bce_discriminator_loss as bce_discriminator_loss,
)
from .losses_adversarial import (
    bce_generator_loss as bce_generator_loss,
)
from .losses_adversarial import (
    hinge_discriminator_loss as hinge_discriminator_loss,
)
from .losses_adversarial import (
    hinge_generator_loss as hinge_generator_loss,
)
from .losses_adversarial import (
    likeness_loss as likeness_loss,
)
from .losses_adversarial import (
    shortfall_loss as shortfall_loss,
)
from .patch_encoder import (
    PatchEncoder as PatchEncoder,
)
from .text_encoder import (
    FrozenTextEncoder as FrozenTextEncoder,
)
from .text_encoder import digest_of as digest_of
from .text_fusion import (
    DenseProbe as DenseProbe,
)
from .unet import (
    FUSIONS as FUSIONS,
)
from .unet import (
    AutoencoderUNet as AutoencoderUNet,
)
from .unet import (
    LocalizerConfig as LocalizerConfig,
)
from .unet import (
    TextGuidedUNet as TextGuidedUNet,
)
