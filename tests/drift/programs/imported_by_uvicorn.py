"""An application that ends its server while it is imported, and says what it saw."""

import asyncio
import os
import signal

try:
    asyncio.get_running_loop()
    seen = "in a running loop"
except RuntimeError:
    seen = "before the loop"
os.write(1, seen.encode())
os.killpg(0, signal.SIGKILL)
