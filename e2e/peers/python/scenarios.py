"""Scenarios for kafka-python, aiokafka and confluent-kafka.

usage: scenarios.py BOOTSTRAP CONFIG_OR_EMPTY LIB [TEST...]
Every scenario runs in a process of its own, for 60 s at most.
"""
import fnmatch
import multiprocessing
import os
import secrets
import sys
import time
import traceback

import common
import with_confluent  # noqa: F401
import with_kafka_python  # noqa: F401
import with_aiokafka  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 60


def child(n, conn):
    log = open(os.path.join(os.environ["CACHE"], "last-run.log"), "a")
    os.dup2(log.fileno(), 2)
    os.dup2(log.fileno(), 1)
    common.SUFFIX = secrets.token_hex(5)
    try:
        common.TESTS[n]()
        out = ("PASS", "")
    except common.Skip as e:
        out = ("SKIP", str(e))
    except BaseException as e:
        print("--- " + n, file=sys.stderr)
        traceback.print_exc()
        at = [f for f in traceback.extract_tb(e.__traceback__) if os.path.dirname(f.filename) == HERE]
        where = "%s:%s" % (os.path.basename(at[-1].filename), at[-1].lineno) if at else "?"
        out = ("FAIL", "%s: %s (%s)" % (type(e).__name__, " ".join(str(e).split())[:400], where))
    conn.send(out)
    os._exit(0)


def main():
    open(os.path.join(os.environ["CACHE"], "last-run.log"), "w").close()
    chosen = []
    for w in sys.argv[4:] or ["*"]:
        hit = fnmatch.filter(common.TESTS, w)
        chosen += hit or [w]
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    ctx = multiprocessing.get_context("fork")
    for n in chosen:
        t0 = time.monotonic()
        if n not in common.TESTS:
            verdict, why = "FAIL", "no such scenario"
        else:
            ours, theirs = ctx.Pipe(False)
            p = ctx.Process(target=child, args=(n, theirs))
            p.start()
            theirs.close()
            try:
                verdict, why = ours.recv() if ours.poll(LIMIT) else ("FAIL", "not done within %d s" % LIMIT)
            except EOFError:
                verdict, why = "FAIL", "the process ended without a verdict"
            p.join(1)
            if p.is_alive():
                p.kill()
            p.join()
        count[verdict] += 1
        print("%s %s %.3f" % (verdict, n, time.monotonic() - t0) + ("\n    " + why if why else ""), flush=True)
    print("%(PASS)d passed, %(FAIL)d failed, %(SKIP)d skipped" % count)
    sys.exit(count["FAIL"] > 0)


main()
