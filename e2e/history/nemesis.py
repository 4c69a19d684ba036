"""What is done to the server while clients work, in an order that a seed decides, and a journal of it.

In: the server, its power supply, the relay, a seed. Out: events `nemesis` with what was done and when, `died` when the
server ended without being told to. It decides nothing about the history.
"""

import contextlib
import os
import random
import signal
import subprocess
import time

from history.journal import now
from lib import Failed, check, until

# Ends of the server that are its duty, and only then: the disk is full and the log cannot be made durable.
NOT_DURABLE = 74
LEFT_WHEN_FULL = 3 << 20


class Nemesis:
    def __init__(self, server, power, relay, certificates, journal, seed, users):
        """`users`: name of each client -> (its rules, whether it uses a certificate)."""
        self.server, self.power, self.relay = server, power, relay
        self.certificates, self.journal, self.users = certificates, journal, users
        self.rng = random.Random(f"nemesis {seed}")
        self.filler = server.data.parent / "filler"

    def run(self, kinds, end):
        """All kinds in turn, each round in another order, until the time is over."""
        while True:
            for kind in self.rng.sample(kinds, len(kinds)):
                if time.monotonic() > end:
                    return
                time.sleep(self.rng.uniform(0.5, 3))
                self.watch()
                started = now()
                told = KINDS[kind](self) or {}
                self.journal.note("nemesis", op=kind, **{"from": started}, **told)
                self.journal.flush()

    def watch(self):
        """The server is there."""
        if self.server.process.poll() is not None:
            self.died(f"it ended with {self.server.process.returncode}")
            self.start()

    def died(self, why):
        self.journal.note("died", why=f"{why}: {self.server.log_text()[-600:]}")

    def start(self):
        self.power.compact()
        try:
            self.server.start()
        except Failed as error:
            self.died(f"it does not start: {error}")
            raise

    def kill(self):
        self.server.kill()
        again = self.begin_in_vain(lambda: None)
        self.start()
        return {"again": again}

    def lose_power(self):
        self.server.kill()
        lost = self.power.lose(self.rng)
        again = self.begin_in_vain(lambda: self.power.lose(self.rng))
        self.start()
        return {"lost": lost, "again": again}

    def begin_in_vain(self, and_then):
        """Half of the time the next start meets the same end, most often while it recovers; gives after how long."""
        if self.rng.random() < 0.5:
            return None
        seconds = self.rng.uniform(0, 0.5)
        self.power.compact()
        self.server.begin()
        time.sleep(seconds)
        self.server.kill()
        and_then()
        return seconds

    def restart(self):
        self.server.stop()
        self.start()

    def pause(self, seconds):
        self.server.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.server.process.send_signal(signal.SIGCONT)
        return {"seconds": seconds}

    def fill_the_disk(self):
        """To the last byte or nearly; one time in three the server is killed meanwhile, and starts when there is room."""
        left = self.rng.choice((0, LEFT_WHEN_FULL))
        with open(self.filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            block = bytes(1 << 20)
            while free(self.filler.parent) > left + len(block):
                file.write(block)
            while left == 0:
                file.write(bytes(512))
        time.sleep(self.rng.uniform(2, 5))
        is_killed = self.rng.random() < 1 / 3
        if is_killed:
            self.server.kill()
        self.filler.unlink()
        status = self.server.process.poll()
        if status is not None:
            if not is_killed and status != NOT_DURABLE:
                self.died(f"it ended with {status} on a full disk")
            self.start()
        return {"left": left, "status": status}

    def reset_connections(self):
        cut = 0
        for _ in range(self.rng.randint(2, 5)):
            cut += self.relay.cut(self.rng.choice((0, self.rng.uniform(0.05, 0.5))))
            time.sleep(self.rng.uniform(0.2, 1))
        return {"connections": cut}

    def flip_rules(self):
        users = self.rng.sample(sorted(self.users), 3)
        for user in users:
            for rule in self.server.json("rule", "list", "--principal", f"User:{user}"):
                self.server.cli("rule", "remove", rule["id"])
        gone = now()
        time.sleep(self.rng.uniform(2, 4))
        back = now()
        for user in users:
            self.server.allow(user, *self.users[user][0])
        return {"users": users, "gone": gone, "back": back}

    def replace_server_certificate(self):
        """While it is in force nobody is disconnected; a new connection is shown the new one."""
        serial = self.certificates.renew()
        self.server.cli("reload")
        until(20, "the new certificate is shown", lambda: self.certificates.shown(self.server) == serial)
        return {"serial": serial}

    def reissue_client_certificate(self):
        user = self.rng.choice(sorted(name for name, (_, is_mtls) in self.users.items() if is_mtls))
        self.server.cli("client", "rotate", user, "--out", self.server.home / user)
        return {"user": user}


FLIP = "rules are taken away and given back"
KINDS = {
    "it is killed": Nemesis.kill,
    "power is lost": Nemesis.lose_power,
    "it is restarted": Nemesis.restart,
    "it stands still": lambda nemesis: nemesis.pause(nemesis.rng.uniform(0.5, 3)),
    "it stands still for longer than a session": lambda nemesis: nemesis.pause(nemesis.rng.uniform(7, 9)),
    "the disk is full": Nemesis.fill_the_disk,
    "connections are reset": Nemesis.reset_connections,
    FLIP: Nemesis.flip_rules,
    "the server's certificate is replaced": Nemesis.replace_server_certificate,
    "a client's certificate is revoked and reissued": Nemesis.reissue_client_certificate,
}


def free(folder):
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


class Certificates:
    """A CA of the test's own, and the server's certificate from it."""

    def __init__(self, home):
        self.home, self.serial = home, 0
        self.ca, self.key = home / "test-ca.pem", home / "test-ca-key.pem"
        self.certificate, self.certificate_key = home / "server.pem", home / "server-key.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", "/CN=Test CA", "-keyout", self.key, "-out", self.ca)
        self.renew()

    def openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)
        return done.stdout

    def renew(self):
        """A new key and certificate in the place of the old; gives its serial number."""
        self.serial += 1
        request, extensions = self.home / "server.csr", self.home / "server.ext"
        new, new_key = self.home / "server.new", self.home / "server-key.new"
        extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                     "-keyout", new_key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-days", "2", "-set_serial",
                     self.serial, "-extfile", extensions, "-out", new)
        new.write_text(new.read_text() + self.ca.read_text())
        new_key.chmod(0o600)
        new_key.rename(self.certificate_key)
        new.rename(self.certificate)
        return self.serial

    def shown(self, server):
        """The serial number of what a new connection is shown."""
        done = subprocess.run(["openssl", "s_client", "-connect", server.bound], input="", capture_output=True, text=True)
        serial = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=done.stdout, capture_output=True,
                                text=True).stdout
        return int(serial.strip().rpartition("=")[2] or "0", 16)
