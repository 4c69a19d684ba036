"""Logins, their errors, their end and their renewal, where both peers have to give the same.

Each case is given a peer, and what runs steps as whoever may do everything; it gives what came and what has to come.
"""

import time

from .access import READ, TOPIC, rule
from .drive import Driver
from .language import World
from .line import CLOSED, Line, Scram
from .parts import ruled, unruled, user
from .peers import PASSWORD
from .topics import names

PREFIX, CALLER = "a-", "a-caller"
ME = f"User:{CALLER}"


def another_nonce(peer, _):
    """18 SCRAM's last message with another nonce: 58."""
    line = greeted(peer.sasl)
    scram = Scram(CALLER, PASSWORD, "SCRAM-SHA-512")
    first = line.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.first()})
    answer = line.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.final(first["AuthBytes"], nonce="x" * 40)})
    line.close()
    return answer["ErrorCode"], 58


def greeted(address):
    line = Line(address)
    line.open()
    line.exchange("SaslHandshake", 1, {"Mechanism": "SCRAM-SHA-512"})
    return line


def wrong_password(peer, _):
    """A wrong password and an unknown user: the same error, and the connection ends."""
    found = []
    for name in (CALLER, "a-nobody"):
        line = greeted(peer.sasl)
        scram = Scram(name, "wrong", "SCRAM-SHA-512")
        answer = line.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.first()})
        if not answer["ErrorCode"]:
            answer = line.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.final(answer["AuthBytes"])})
        found += [answer["ErrorCode"], line.receive_bytes()]
    return found, [58, CLOSED, 58, CLOSED]


def other_mechanism(peer, _):
    """A mechanism that is not there: 33."""
    line = Line(peer.sasl)
    line.open()
    answer = line.exchange("SaslHandshake", 1, {"Mechanism": "NONE-SUCH"})
    line.close()
    return answer["ErrorCode"], 33


def early(peer, _):
    """A request before the login: closed without an answer."""
    line = Line(peer.sasl)
    line.open()
    return line.exchange("Metadata", 4, {"Topics": None}), CLOSED


def address_of_six(peer, admin):
    """26 A client from ::1: a rule for `::1` is none, one in Java's spelling is."""
    found = []
    for host in ("::1", "0:0:0:0:0:0:0:1"):
        world = World(PREFIX, peer)
        admin(ruled([rule(CALLER, READ, TOPIC, world.name("read"), host=host)]))
        line = Line(peer.others["six"], (CALLER, PASSWORD))
        answer = line.exchange("Metadata", 4, names(world, 4, "read"))
        line.close()
        admin(unruled(ME))
        found.append(answer["Topics"][0]["ErrorCode"])
    return found, [29, 0]


def aging(peer, name=CALLER):
    """A session that lives for 2.5 s; its user is made where it is not known."""
    door = Driver(peer)
    door.lines["admin"] = Line(peer.door)
    door.value(user(name), None)
    door.close()
    line = Line(peer.others["aging"], (name, PASSWORD))
    line.open()
    return line


def anew(line, name=CALLER, mechanism="SCRAM-SHA-512"):
    """Proves oneself again; the code that it ends with."""
    answer = line.exchange("SaslHandshake", 1, {"Mechanism": mechanism})
    if answer == CLOSED or answer["ErrorCode"]:
        return answer if answer == CLOSED else answer["ErrorCode"]
    scram = Scram(name, PASSWORD, mechanism)
    answer = line.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.first()})
    if answer != CLOSED and not answer["ErrorCode"]:
        answer = line.exchange("SaslAuthenticate", 2, {"AuthBytes": scram.final(answer["AuthBytes"])})
    return answer if answer == CLOSED else answer["ErrorCode"]


def again_too_soon(peer, _):
    """20 A proof within a second of the last one's start: 34, and the session goes on."""
    line = aging(peer)
    found = [anew(line), anew(line), line.exchange("ApiVersions", 0, {})["ErrorCode"]]
    line.close()
    return found, [0, 34, 0]


def again_as_another(peer, _):
    """20 Another principal on the same connection: 58, and it ends; the same one: fine."""
    aging(peer, "a-second").close()
    line = aging(peer)
    time.sleep(1.2)
    same = anew(line)
    time.sleep(1.2)
    found = [same, anew(line, "a-second"), line.receive_bytes() if line.stream else CLOSED]
    line.close()
    return found, [0, 58, CLOSED]


def again_otherwise(peer, _):
    """20 Another mechanism on the same connection: it fails, and the connection ends."""
    line = aging(peer)
    time.sleep(1.2)
    failed = anew(line, mechanism="SCRAM-SHA-256") != 0
    ended = not line.stream or line.receive_bytes() == CLOSED
    line.close()
    return [failed, ended], [True, True]


def too_late(peer, _):
    """21 A request behind the end of the session: closed without an answer; a new proof at the same moment: fine."""
    late, renewed = aging(peer), aging(peer)
    time.sleep(2.8)
    found = [
        late.exchange("Metadata", 4, {"Topics": []}),
        anew(renewed),
        renewed.exchange("ApiVersions", 0, {})["ErrorCode"],
    ]
    renewed.close()
    return found, [CLOSED, 0, 0]


LOGINS = [
    another_nonce,
    wrong_password,
    other_mechanism,
    early,
    address_of_six,
    again_too_soon,
    again_as_another,
    again_otherwise,
    too_late,
]
