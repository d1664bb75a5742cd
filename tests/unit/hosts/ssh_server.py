"""A real SSH server in this process, for tests of the way in: passwords only, connections that can be cut."""

import socket
import subprocess
import threading

import paramiko


class _Session(paramiko.ServerInterface):
    def __init__(self, server):
        self._server = server

    def get_allowed_auths(self, username):
        return self._server.methods

    def check_auth_password(self, username, password):
        self._server.tried.append(password)
        right = password == self._server.password
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self._server.work, args=(channel, command.decode()), daemon=True).start()
        return True


class SshServer:
    """Listens on ``port`` of 127.0.0.1 until :meth:`close`.

    Attributes:
        password: the right one. methods: what may be tried (RFC 4252). tried: passwords in order.
        ran: commands in order. cut_in: cut the connection in the middle of so many of the next commands.
        accepts: false lets no new connection in.
    """

    def __init__(self, password="right", methods="password"):
        self.password, self.methods = password, methods
        self.tried, self.ran = [], []
        self.cut_in = 0
        self.accepts = True
        self._key = paramiko.RSAKey.generate(2048)
        self._transports = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def work(self, channel, command):
        self.ran.append(command)
        if self.cut_in:
            self.cut_in -= 1
            self.cut()
            return
        given = channel.makefile("rb").read()
        done = subprocess.run(["/bin/sh", "-c", command], input=given, capture_output=True, check=False)
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()

    def cut(self):
        cut, self._transports = self._transports, []  # and not those that come while we do it
        for transport in cut:
            transport.close()

    def close(self):
        self._listener.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            if not self.accepts:
                peer.close()
                continue
            transport = paramiko.Transport(peer)
            transport.add_server_key(self._key)
            transport.start_server(event=threading.Event(), server=_Session(self))
            self._transports.append(transport)
