"""What a server, a role and a reader are allowed, units last."""

from __future__ import annotations

MIB = 1024 * 1024

START_LIMIT_S = 120.0  # making and starting a server, on a cold and crowded machine
STOP_LIMIT_S = 10.0  # from "end at once" to SIGKILL
END_LIMIT_MS = 5000  # for one connection that is told to end
CONNECT_LIMIT_S = 30  # for any connection of the trusted side

ROLE_CONNECTIONS_LIMIT = 60  # of one submission in one database
# Of the server: six scenarios at once can use up theirs, and who judges gets in.
CONNECTIONS_LIMIT = 6 * ROLE_CONNECTIONS_LIMIT + 40
FILE_LIMIT_B = 512 * MIB  # one file of the server, such as a table
MEMORY_LIMIT_B = 1024 * MIB  # addresses of one process of the server
TEMPORARY_FILES_LIMIT_B = 256 * MIB  # of one connection, for a sort or a join

STATEMENT_LIMIT_MS = 1000  # one question of the reader
LOCK_LIMIT_MS = 500  # how long the reader waits for a lock that a submission holds
TABLES_LIMIT = 50
ROWS_LIMIT = 2000  # of one table
VALUE_LIMIT_B = 1 * MIB  # what is read of one value
READ_LIMIT_B = 64 * MIB  # of all tables together
