"""Runs scenarios, each in a process with a time limit, and tells a line for each.

In: functions by name, and the words after the options: names, which may hold * and ?. Out: `PASS NAME SECONDS`, with the
reason below where it did not pass. A scenario raises Skip for what it cannot show here.
"""
import concurrent.futures
import fnmatch
import multiprocessing
import os
import sys
import threading
import time
import traceback


class Skip(Exception):
    pass


def check(ok, what):
    if not ok:
        raise AssertionError(what)


def child(function, connection, log):
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        function()
        out = ("PASS", "")
    except Skip as why:
        out = ("SKIP", str(why))
    except BaseException as error:
        traceback.print_exc()
        out = ("FAIL", f"{type(error).__name__}: {' '.join(str(error).split())[:600]}")
    connection.send(out)
    sys.stderr.flush()
    os._exit(0)


def one(function, limit, log):
    """The verdict on one scenario, and why."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(False)
    process = context.Process(target=child, args=(function, theirs, log))
    process.start()
    theirs.close()
    try:
        found = ours.recv() if ours.poll(limit) else ("FAIL", f"not done within {limit} s")
    except EOFError:
        found = ("FAIL", "the process ended without a verdict")
    process.join(1)
    if process.is_alive():
        process.kill()
        process.join()
    return found


def tell(tests, words, log, limit=90, jobs=1):
    """Runs what was asked for, some at a time; gives the status to end with."""
    open(log, "w").close()
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    lock = threading.Lock()

    def run(name):
        began = time.monotonic()
        verdict, why = one(tests[name], limit, log) if name in tests else ("FAIL", "no such scenario")
        with lock:
            count[verdict] += 1
            print(f"{verdict} {name} {time.monotonic() - began:.3f}" + (f"\n    {why}" if why else ""), flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, [name for word in words or ["*"] for name in fnmatch.filter(tests, word) or [word]]))
    print("%(PASS)d passed, %(FAIL)d failed, %(SKIP)d skipped" % count)
    return int(count["FAIL"] > 0)
