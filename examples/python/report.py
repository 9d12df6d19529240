#!/usr/bin/env python3
"""A job that must not run twice, by the context manager of solelock.py: `report.py`, or from cron
`sole run report -- report.py --plain` for the same under sole itself."""
import os
import sys
import time

from solelock import Busy, Sole


def work():
    print("report: pid %d begins" % os.getpid(), flush=True)
    time.sleep(float(os.environ.get("REPORT_SECONDS", "1")))


if sys.argv[1:] == ["--plain"]:  # whoever started it holds the name
    work()
else:
    try:
        with Sole("report"):
            work()
    except Busy as e:
        print("report: not started: %s" % e, file=sys.stderr)
        sys.exit(75)
