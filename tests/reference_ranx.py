"""The library ranx, an independent implementation of metrics, imported for comparison."""

import os
import tempfile

# Compiling ranx takes a minute and a half, running it as plain Python a second.
os.environ["NUMBA_DISABLE_JIT"] = "1"
# A library that ranx imports makes a folder at once, in the home of the user unless told where.
with tempfile.TemporaryDirectory() as _folder:
    os.environ["IR_DATASETS_HOME"] = _folder
    import ranx  # both are read when it is imported

__all__ = ["ranx"]
