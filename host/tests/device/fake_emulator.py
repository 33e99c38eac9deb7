"""Not an emulator: a program that behaves as one which offers its serial line at a TCP port.

    fake_emulator.py PORT           sends back every byte; takes one client after the other, as Renode does
    fake_emulator.py PORT PROGRAM   runs a program that names a terminal in its output, and passes the bytes on

It listens until it is killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import subprocess
import sys


def serve(listening: socket.socket, master: int | None) -> None:
    """One client, until it goes."""
    client, _ = listening.accept()
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            sources = [client.fileno(), *([master] if master is not None else [])]
            ready, _, _ = select.select(sources, [], [])
            if master is not None and master in ready:
                client.sendall(os.read(master, 4096))
            if client.fileno() in ready:
                data = client.recv(4096)
                if not data:
                    return
                if master is None:
                    client.sendall(data)
                else:
                    os.write(master, data)


def main() -> None:
    """Listens, and stays."""
    master = None
    if len(sys.argv) > 2:
        program = subprocess.Popen([sys.argv[2]], stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        named = re.search(r"redirected to (\S+)", program.stdout.readline())
        assert named is not None
        master = os.open(named[1], os.O_RDWR | os.O_NOCTTY)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(sys.argv[1])))
        listening.listen(1)
        while True:
            # A client that goes with bytes unread, such as the demo's, resets the connection; an emulator bears that.
            with contextlib.suppress(ConnectionError):
                serve(listening, master)


if __name__ == "__main__":
    main()
