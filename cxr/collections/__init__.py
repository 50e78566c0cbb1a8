"""Collections: named lists of studies, in JSON, and their export for a teaching round."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
