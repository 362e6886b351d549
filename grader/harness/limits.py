"""Every limit in one place, units last; reaching one is an observation."""

from __future__ import annotations

MIB = 1024 * 1024

# Time. A limit only turns a hang into a failure, so it is many times what a right
# answer needs (a call of ex04 takes about 0.05 s); waiting for a busy CPU is not
# counted (see patience.py), up to the hard limit.
CALL_LIMIT_S = 4.0  # one call of one function
CPU_LIMIT_S = 60  # processor time of one process in all, by the kernel
CHILDREN_CPU_LIMIT_S = 30  # of all that the submission's processes fork in a run
CALL_CPU_LIMIT_S = 2.0  # processor time that one call may burn
IMPORT_LIMIT_S = 4.0  # importing the submission
HURRIED_LIMIT_S = 0.5  # each further call of a scenario in which one hung
HANG_UP_LIMIT_S = 1.5  # from the end of a process's channel to its own end
HOLD_LIMIT_S = 1.5  # how long the model waits for all calls of `together`
STORED_LIMIT_S = 1.5  # how long a kill waits for the row that it presupposes
RAISED_LIMIT_S = 0.5  # from a response 5xx to what its request raised
STOP_LIMIT_S = 2.0  # from "please stop" to SIGKILL
HARD_LIMIT_S = 60.0  # for any of the above on the most crowded machine
STARTING_LIMIT_S = 30.0  # added for an interpreter that imports the libraries itself
PRELOAD_LIMIT_S = 120.0  # importing the libraries, once, on a cold disk
CANARY_LIMIT_S = 20.0  # one step of the attacks on the sandbox at its start
BALANCER_LIMIT_S = 10.0  # for nginx to start, or to say its version
SWEEP_LIMIT_S = 5.0  # ending every descendant of a run
OBEY_LIMIT_S = 20.0  # for the forkserver to obey one order

# Size, for each process unless it says otherwise.
MEMORY_LIMIT_B = 4096 * MIB  # address space; a preloaded process maps about 0.6 GiB
TREE_MEMORY_LIMIT_B = 2048 * MIB  # own memory of all processes of a run
ARENAS_LIMIT = 8  # of the C library's allocator, 64 MiB of address space each
FILE_LIMIT_B = 64 * MIB
OUTPUT_LIMIT_B = 1 * MIB  # printed by one process; what is kept is shorter
OUTPUT_KEPT_B = 4096
MESSAGE_LIMIT_B = 1 * MIB  # one reply, across the border as JSON
TEXT_LIMIT = 2000  # characters of an error message or a prompt that are kept
LABEL_LIMIT = 100  # characters of a key or an order that are kept
RESPONSE_LIMIT_B = 512 * 1024  # the body of one HTTP response
REQUESTS_LIMIT = 100  # HTTP requests to one server process at once
LOG_LINES_LIMIT = 50  # different lines of trouble in one process's log
OPEN_FILES_LIMIT = 256
HELD_FILES_LIMIT = 64  # beside a slow database: each is open in this process too
TREE_PROCESSES_LIMIT = 48  # of one run, beyond those that its scenarios start
SANDBOX_TASKS_LIMIT = 1024  # processes and OS threads in a sandbox, by the kernel
FOLDER_LIMIT_B = 256 * MIB  # all files of a run
FOLDER_FILES_LIMIT = 5000
# All files of a throw-away server: 39 MiB when it is new, 8 for each database, its log
# of at most 128, and the rest for what submissions keep and sort in it.
SERVER_LIMIT_B = 1024 * MIB
SERVER_MEMORY_LIMIT_B = 1536 * MIB  # of all its processes together
SCRATCH_LIMIT_B = 320 * MIB  # what there is for them, where memory can be mounted
SCRATCH_FILES_LIMIT = 10_000
USER_PROCESSES_MARGIN = 1024  # the kernel's own stop, above what the user runs now
OBSERVATIONS_LIMIT = 5000  # of one scenario
HISTORY_LIMIT_B = 32 * MIB  # the same, as lines of text
SOURCE_LIMIT_B = 1 * MIB  # of a submission
DISK_NEEDED_B = 64 * MIB  # below this the machine, not the submission, is at fault

WATCH_PERIOD_S = 0.1  # how often the tree's size is looked at
SERVER_WATCHED_EVERY = 5  # looks at the tree, because it has thousands of files
POLL_PERIOD_S = 0.004  # how often the checkpoint database is read while waiting
