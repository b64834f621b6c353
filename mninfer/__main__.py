"""``python -m mninfer`` is the command ``mninfer``."""

import sys

from mninfer.cli.main import main

sys.exit(main())
