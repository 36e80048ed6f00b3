"""Runs a command and writes its status, wall time and peak memory to a file.

    python -I -S measure_process.py REPORT.json COMMAND...

A process of its own and a small one: on Linux the peak memory of a child starts at the memory of
the process that started it. The peak is that of the biggest process below the command.
"""

import json
import os
import sys
import time

report, command = sys.argv[1], sys.argv[2:]
began = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ)
_, state, usage = os.wait4(pid, 0)
seconds = time.monotonic() - began
status = os.waitstatus_to_exitcode(state)
unit = 1 if sys.platform == "darwin" else 1024
with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123  pathlib takes memory
    json.dump(
        {"status": status, "seconds": seconds, "peak_mb": usage.ru_maxrss * unit / 2**20}, file
    )
sys.exit(status if status >= 0 else 128 - status)
