"""The year that the bench tells is beside impact's tests, wherever pytest was told to look."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    # Last: an installed package goes before the folder of its name.
    sys.path.append(ROOT)
