"""Run a command and print its cost: [exit code, wall, CPU, peak memory in kB] as the last line.

A process of its own and of few megabytes, because the system counts the memory of the process that
starts another as that of the other, until it is replaced.
"""

import json
import os
import sys
import time

began = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - began
cpu = usage.ru_utime + usage.ru_stime
print("\n" + json.dumps([os.waitstatus_to_exitcode(status), wall, cpu, usage.ru_maxrss]))
