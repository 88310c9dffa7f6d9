"""Load the packages before pytest names a test after its folder: `contracts/` would hide the package of that name."""

import chassis  # noqa: F401 - see above
import contracts  # noqa: F401 - see above
