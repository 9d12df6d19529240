#!/usr/bin/env -S sole script python3
"""Runs once at a time, by whatever path it is started: its first line sees to it.

No pid file, nothing to clean up, and no moment between a check and a start.
"""

import os
import sys


def main():
    print("up", os.getpid(), flush=True)
    sys.stdin.read()  # the work: here until standard input ends


if __name__ == "__main__":
    main()
