"""Run python -m cxr search, report, gallery build and so on; see cxr.cli.main."""

import sys

from cxr.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
