"""A relay between clients and gateway that can break connections in the middle of an exchange.

In: pairs of ports. Orders: cut every connection with a reset (SO_LINGER 0), or first carry nothing back for a while, so
that requests are carried out whose answers are lost. It reads nothing of what it carries: that is TLS.
"""

import asyncio
import contextlib
import multiprocessing
import socket
import struct

LINGER = struct.pack("ii", 1, 0)


class Relay:
    """The relay, in a process of its own."""

    def __init__(self, routes):
        """`routes` are pairs (port to listen on, port of the gateway), all on loopback."""
        self.orders, far = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=work, args=(routes, far), daemon=True)
        self.process.start()
        self.orders.recv()

    def cut(self, mute=0.0):
        """Resets all connections after `mute` seconds without an answer; gives how many there were."""
        self.orders.send(mute)
        return self.orders.recv()

    def stop(self):
        self.process.kill()
        self.process.join()


def work(routes, orders):
    asyncio.run(Work(orders).run(routes))


class Work:
    def __init__(self, orders):
        self.orders, self.pairs, self.tasks = orders, set(), set()
        self.answers = asyncio.Event()
        self.answers.set()

    async def run(self, routes):
        loop = asyncio.get_running_loop()
        listeners = [socket.create_server(("127.0.0.1", port), backlog=256) for port, _ in routes]
        for listener, (_, target) in zip(listeners, routes):
            listener.setblocking(False)
            self.spawn(self.accept(listener, target))
        loop.add_reader(self.orders.fileno(), lambda: self.spawn(self.cut(self.orders.recv())))
        self.orders.send("ready")
        await asyncio.Event().wait()

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def accept(self, listener, target):
        loop = asyncio.get_running_loop()
        while True:
            near, _ = await loop.sock_accept(listener)
            self.spawn(self.connect(near, target))

    async def connect(self, near, target):
        loop = asyncio.get_running_loop()
        far = socket.socket()
        far.setblocking(False)
        near.setblocking(False)
        try:
            await loop.sock_connect(far, ("127.0.0.1", target))
        except OSError:
            near.close()
            far.close()
            return
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (near, far)
        self.pairs.add(pair)
        there = loop.create_task(self.carry(near, far, None))
        back = loop.create_task(self.carry(far, near, self.answers))
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        back.cancel()
        await asyncio.gather(there, back, return_exceptions=True)
        self.pairs.discard(pair)
        near.close()
        far.close()

    async def carry(self, source, sink, gate):
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while chunk := await loop.sock_recv(source, 1 << 16):
                if gate:
                    await gate.wait()
                await loop.sock_sendall(sink, chunk)

    async def cut(self, mute):
        if mute:
            self.answers.clear()
            await asyncio.sleep(mute)
        pairs = list(self.pairs)
        for pair in pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
                    # A reset at once; the tasks that read it end with an error and clean up.
                    one.shutdown(socket.SHUT_RD)
        # Time for them to end, so that no answer slips out.
        await asyncio.sleep(0.05)
        self.answers.set()
        self.orders.send(len(pairs))
