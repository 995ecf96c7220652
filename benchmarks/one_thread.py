"""Import this before NumPy: libraries, here and in child processes, keep to one thread each.

CPU times are compared, and threads that wait for work in a loop would count.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
