"""A pytest plug-in: kafka-python's integration tests against a broker that asks for TLS and a login.

The fixtures of these tests start a broker of their own, or take the address of one in clear text. Here they take the
settings of a Java properties file, and each test tells a line: PASS|FAIL|SKIP MODULE/TEST SECONDS.
"""
import os
import re
import signal
import ssl
import sys
import time
import types

import pytest

sys.path.insert(0, os.environ["LIB"])
import clientconf  # noqa: E402

CONF = clientconf.parse(os.environ["CLIENT_CONFIG"])
LIMIT = 120

# The source distribution leaves this module out: it starts processes, and none is started here.
service = types.ModuleType("test.service")
service.ExternalService = lambda *_: None
service.SpawnedService = None
sys.modules["test.service"] = service


def settings():
    out = {"security_protocol": CONF["protocol"]}
    if CONF["tls"]:
        context = ssl.create_default_context(cafile=CONF["ca"])
        if CONF["cert"]:
            context.load_cert_chain(CONF["cert"])
        out["ssl_context"] = context
    if CONF["sasl"]:
        out.update(sasl_mechanism=CONF["mechanism"], sasl_plain_username=CONF["username"],
                   sasl_plain_password=CONF["password"])
    return out


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    from test.integration import fixtures

    def enriched(self, params):
        host, port = os.environ["BOOTSTRAP"].rsplit(":", 1)
        return {**params, "bootstrap_servers": f"{host}:{port}", **settings()}

    fixtures.KafkaFixture._enrich_client_params = lambda self, params, **defaults: enriched(self, {**defaults, **params})
    fixtures.KafkaFixture.open = lambda self: None
    fixtures.KafkaFixture.close = lambda self: None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    def over(*_):
        raise TimeoutError(f"not done within {LIMIT} s")

    signal.signal(signal.SIGALRM, over)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)


began, told = {}, set()


def pytest_runtest_logstart(nodeid):
    began[nodeid] = time.monotonic()


def pytest_runtest_logreport(report):
    if report.nodeid in told or (report.passed and report.when != "call"):
        return
    told.add(report.nodeid)
    module, test = re.search(r"test_(\w+)_integration\.py::(.*)", report.nodeid).groups()
    verdict = "PASS" if report.passed else "SKIP" if report.skipped else "FAIL"
    print(f"\n{verdict} {module}/{test} {time.monotonic() - began[report.nodeid]:.3f}")
    if report.failed:
        text = getattr(getattr(report.longrepr, "reprcrash", None), "message", str(report.longrepr))
        print("    " + " ".join(text.split())[:400])
    elif report.skipped:
        print("    " + " ".join(str(report.longrepr[2]).split())[:200])
    sys.stdout.flush()
