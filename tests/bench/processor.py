"""What a process has cost the machine, as Linux counts it: judged by this, a bench minds other load least."""

from __future__ import annotations

import os
import re
from pathlib import Path


def processor_s(pid: int) -> float:
    """Processor time of a process so far, of all its threads, its own and the kernel's for it."""
    # Behind the name, which may hold anything: proc_pid_stat(5), fields 14 and 15, in ticks.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> tuple[float, float]:
    """Memory of a process in MB: its own and its part of what it shares (PSS), and all of it (RSS)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    sizes = re.findall(r"^(Pss|Rss): +(\d+) kB", text, re.MULTILINE)
    found = {name: int(kib) * 1024 / 1e6 for name, kib in sizes}
    return found["Pss"], found["Rss"]
