"""What every scenario needs: who is who, checks that say what was found, waiting with a limit.

In: BOOTSTRAP, the client's configuration and the folder of `clientconf` as arguments. Out: `TESTS`, which the files of
the clients fill. It knows no client.
"""
import os
import secrets
import sys
import time

BOOT, CONFIG, LIB = sys.argv[1:4]
sys.path.insert(0, LIB)
import clientconf  # noqa: E402

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CONF = clientconf.parse(CONFIG)
DENIED = os.environ.get("DENIED_CONFIG")
SUFFIX = secrets.token_hex(5)
TESTS = {}


class Skip(Exception):
    pass


def scenario(name):
    def add(f):
        TESTS[name] = f
        return f
    return add


def name(stem):
    return "kst-%s-%s" % (stem, SUFFIX)


def check(ok, what):
    if not ok:
        raise AssertionError(what)


def same(want, got, what):
    check(want == got, "%s: expected %r, got %r" % (what, want, got))


def denied():
    if not DENIED:
        raise Skip("DENIED_CONFIG is not set")
    return clientconf.parse(DENIED)


def wrong():
    if not CONF["sasl"] or not CONF["password"]:
        raise Skip("the client configuration has no SASL password")
    return dict(CONF, password="not-the-password")


def until(seconds, what, f):
    end = time.monotonic() + seconds
    while True:
        r = f()
        if r:
            return r
        check(time.monotonic() < end, "not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def plain_sasl(conf):
    if conf["sasl"] and not (conf["mechanism"] == "PLAIN" or conf["mechanism"].startswith("SCRAM")):
        raise Skip("this client is run with PLAIN and SCRAM only")
