"""The command line: parse, call, render."""

import gc

# Nearly all that a command makes in its first half second are modules, which stay. Looking through them for garbage
# every 700 objects is a tenth of the time that imports take (`lanpi status`: 0.63 s of processor with, 0.56 without).
gc.set_threshold(200_000)
