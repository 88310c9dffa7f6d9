"""What holds for all tests: packages before folders of the same name, and properties that repeat."""

import os

from hypothesis import settings

# Loaded before pytest names a test after its folder: `contracts/` would hide the package of that name.
import chassis  # noqa: F401
import contracts  # noqa: F401

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
