"""Turns the kill of a server into a loss of power: what it had not made durable is taken back.

In: the journal that `power.c`, preloaded into the server, has kept. Out: the files as a disk could have held them: of each
file the writes up to some moment behind its last sync, of the directories the changes up to some moment behind theirs.
Which moments, a seeded choice says. It does not tear single writes; the broker's own tests do.
"""

import os
import pathlib
import struct
import subprocess

RECORD = struct.Struct("=IIQQQQ")
SOURCE = pathlib.Path(__file__).with_name("power.c")


class Power:
    """The power supply of what runs on one mounted file system."""

    def __init__(self, root, home, sync=0.01):
        """`root` is a directory on the mount, `home` a directory elsewhere; a sync takes so many seconds."""
        self.sync = sync
        self.root, self.home = pathlib.Path(root), pathlib.Path(home)
        self.library, self.journal, self.stash = self.home / "power.so", self.home / "power.journal", self.root / "stash"
        self.stash.mkdir(exist_ok=True)
        self.journal.touch()
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", self.library, SOURCE, "-ldl", "-lpthread"]
        subprocess.run(command, check=True)

    def environment(self):
        """With this a program is supplied."""
        return {
            **os.environ, "LD_PRELOAD": str(self.library), "KASTELLAN_POWER_ROOT": str(self.root),
            "KASTELLAN_POWER_JOURNAL": str(self.journal), "KASTELLAN_POWER_STASH": str(self.stash),
            "KASTELLAN_POWER_SYNC_US": str(round(self.sync * 1e6)),
        }

    def compact(self):
        """Forgets what is durable by now. Nothing may be running on the supply."""
        pending = self._pending()
        kept = {record.stash for record in pending if record.stash}
        self.journal.write_bytes(b"".join(record.whole for record in pending))
        for path in self.stash.iterdir():
            if str(path) not in kept:
                path.unlink()

    def lose(self, rng):
        """Takes back what a loss of power may take; gives how many writes and changes of directories that were."""
        pending = self._pending()
        groups = {}
        for record in pending:
            groups.setdefault(record.ino if record.kind == b"W" else "directories", []).append(record)
        lost = []
        for group in groups.values():
            # Half of the time nothing that was not synced survives.
            lost += group[rng.choice((0, rng.randint(0, len(group)))):]
        paths = self._paths()
        # Contents first: they belong to a file, whatever its name is by now.
        for record in sorted(lost, key=lambda record: (record.kind == b"W", record.seq), reverse=True):
            record.undo(paths)
        self.journal.write_bytes(b"")
        self.compact()
        return len(lost)

    def _pending(self):
        """What no sync has made durable, oldest first."""
        records = list(read(self.journal.read_bytes()))
        durable = {}
        for record in records:
            if record.kind == b"S":
                durable[record.ino] = max(durable.get(record.ino, 0), record.offset)
        return [record for record in records if record.kind != b"S" and record.seq >= durable.get(record.ino, 0)]

    def _paths(self):
        return {path.stat().st_ino: path for path in self.root.rglob("*") if path.is_file()}


class Record:
    def __init__(self, whole):
        kind, _, self.seq, self.ino, self.offset, self.size = RECORD.unpack_from(whole)
        self.whole, self.kind, self.content = whole, bytes([kind]), whole[RECORD.size:]
        names = self.content.decode().split("\0") if self.kind in (b"C", b"U", b"R") else []
        self.names = names
        self.stash = names[-1] if self.kind in (b"U", b"R") else None

    def undo(self, paths):
        if self.kind == b"W":
            if path := paths.get(self.ino):
                with open(path, "r+b") as file:
                    file.truncate(max(self.size, self.offset + len(self.content)))
                    file.seek(self.offset)
                    file.write(self.content)
                    file.truncate(self.size)
        elif self.kind == b"C":
            pathlib.Path(self.names[0]).unlink(missing_ok=True)
        elif self.kind == b"U":
            os.rename(self.stash, self.names[0])
        else:
            os.rename(self.names[1], self.names[0])
            if self.stash:
                os.rename(self.stash, self.names[1])


def read(journal):
    """The whole records of a journal; a kill can have cut the last."""
    at = 0
    while at + RECORD.size <= len(journal):
        end = at + RECORD.size + RECORD.unpack_from(journal, at)[1]
        if end > len(journal):
            return
        yield Record(journal[at:end])
        at = end
