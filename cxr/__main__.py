"""python -m cxr search|report|reports build|gallery build|gallery info|check; see cxr.cli."""

import sys

from cxr.cli import main

if __name__ == "__main__":
    sys.exit(main())
