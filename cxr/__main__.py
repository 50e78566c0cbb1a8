"""python -m cxr search|report|gallery build|space push ...; see cxr.cli."""

import sys

from cxr.cli import main

if __name__ == "__main__":
    sys.exit(main())
