"""Ansible's way to the contexts of a mitofs: a connection plugin that reads and writes the files of its mount
(mitofs(5)), and needs nothing else. `ansible-doc -t connection mitofs` shows what follows."""

import contextlib
import errno
import fcntl
import os
import re
import threading

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

DOCUMENTATION = """
name: mitofs
short_description: run tasks in contexts of a mitofs
description:
    - A host is a context, a directory below C(children/) of a mounted mitofs; what runs there runs at the place of that
      context, in fresh contexts below it that are removed again.
    - With C(become) by C(sudo), C(su) or C(doas) all of a task runs at a place of the other user, in a context that is
      connected below that of the host when it is first needed. Other become methods are words in front of a command,
      as for every connection.
    - A context below another one can be connected when that one is, so such hosts belong into a later play, or behind a
      C(ping) of those that they stand on.
    - Contexts that were connected stay, and serve the next task and the next play. C(reset_connection) removes
      those of become.
options:
    context:
        description: The context of the host, a path of names such as C(web1/db).
        default: inventory_hostname
        vars:
            - name: inventory_hostname
            - name: mitofs_context
    mount:
        description: The mountpoint. By default the only mitofs that this user has mounted.
        vars:
            - name: mitofs_mount
        env:
            - name: MITO
    connect:
        description:
            - What is written behind C(connect) when the context is not there or has lost its link, such as
              C(ssh -p 2222 ann@web1). By default the context has to be there.
        vars:
            - name: mitofs_connect
    password:
        description: The answer to what C(connect) asks for.
        vars:
            - name: ansible_password
            - name: mitofs_password
    become_context:
        description: The context of tasks with C(become), in place of one that is made below that of the host.
        vars:
            - name: mitofs_become_context
    pipelining:
        description: Modules go by stdin, and no file is made for them.
        type: boolean
        default: true
        vars:
            - name: ansible_pipelining
        env:
            - name: ANSIBLE_PIPELINING
        ini:
            - section: defaults
              key: pipelining
            - section: connection
              key: pipelining
"""

display = Display()

# How a method of mitofs gets to the user of a become method.
BECOME = {
    "sudo": ["sudo", "-H", "-u"],
    "su": ["su"],
    "doas": ["doas", "-u"],
}
PIECE = 1 << 16  # bytes that are copied at a time


def quote(word):
    """A word as ctl takes it."""
    return "'" + word.replace("'", "'\\''") + "'"


def unescape(path):
    """A path as /proc/self/mountinfo writes it."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)


def mounts():
    """Where mitofs are mounted for this user."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as rows:
        for row in rows:
            fields, _, rest = row.partition(" - ")
            kind, _, options = rest.split()
            if kind == "fuse.mitofs" and "user_id=%d" % os.getuid() in options.split(","):
                yield unescape(fields.split()[4])


class Context:
    """A directory of the mount."""

    def __init__(self, mount, path):
        names = [name for name in path.split("/") if name]
        if ".." in names or "." in names:
            raise AnsibleError("mitofs: %s: not a path of names" % path)
        self.mount, self.path = mount, "/".join(names)
        self.directory = "/".join([mount] + ["children/" + name for name in names])

    def below(self, name):
        return Context(self.mount, self.path + "/" + name)

    def exists(self):
        return os.path.isdir(self.directory)

    def make(self):
        """Make it, and those above it."""
        names = self.path.split("/")
        for depth in range(len(names)):
            with contextlib.suppress(FileExistsError):
                os.mkdir(Context(self.mount, "/".join(names[: depth + 1])).directory)

    def open(self, name, mode):
        return open(self.directory + "/" + name, mode, buffering=0)

    def read(self, name):
        with open(self.directory + "/" + name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, text, name="ctl"):
        """Write in one piece. What fails is an errno, and a sentence in `error`."""
        try:
            with self.open(name, "wb") as file:
                file.write(to_bytes(text, errors="surrogate_or_strict"))
        except OSError as error:
            raise AnsibleConnectionFailure("mitofs: %s: %s" % (self.path, self.failure(error.errno)))

    def failure(self, number):
        """The newest sentence of `error`."""
        with contextlib.suppress(OSError, IndexError):
            return self.read("error").splitlines()[-1].split(" ", 3)[3]
        return os.strerror(number)

    def status(self):
        return dict(line.split(" ", 1) for line in self.read("status").splitlines())

    def link_is_up(self, own):
        """Whether commands can run; with @own, at a place of its own."""
        status = self.status()
        return status["link"] == "up" and (not own or status["place"] == status["path"])

    @contextlib.contextmanager
    def locked(self):
        """Processes of one play connect a context once."""
        directory = os.open(self.directory, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    def connect(self, words, password):
        """Connect it, unless it is. There is one answer to what is asked."""
        self.make()
        with self.locked():
            if self.link_is_up(own=True):
                return
            display.vvv("mitofs: %s: connect %s" % (self.path, words))
            if password:
                self.write(password + "\n", "prompt")
            with self.open("events", "rb") as events:
                self.write("async connect %s\n" % words)
                self.await_link(events)

    def await_link(self, events):
        """Return when it is connected. An event is `TIME PATH WHAT ...`, and a path may have blanks."""
        me = self.status()["path"]
        while True:
            event = self.event(events).partition(" ")[2]
            if event.startswith(me + " connected "):
                return
            if event.startswith(me + " failed verb=connect"):
                raise AnsibleConnectionFailure("mitofs: %s: %s" % (self.path, self.failure(errno.ENOTCONN)))
            if event.startswith(me + " prompting "):
                self.refuse_question()

    def refuse_question(self):
        """The answer that there was has been given before."""
        question = self.read("prompt").strip()
        if question:
            self.write("cancel\n")
            raise AnsibleAuthenticationFailure("mitofs: %s: no answer to: %s" % (self.path, question))

    @staticmethod
    def event(events):
        """The next line."""
        line = b""
        while not line.endswith(b"\n"):
            byte = events.read(1)
            if not byte:
                raise AnsibleConnectionFailure("mitofs: the mount is shutting down")
            line += byte
        return to_text(line)


class Run:
    """A command in a fresh context below another."""

    serial = 0

    def __init__(self, above, argv):
        Run.serial += 1
        self.context = above.below("ansible.%d.%d" % (os.getpid(), Run.serial))
        self.argv = argv

    def __enter__(self):
        try:
            os.mkdir(self.context.directory)
        except OSError as error:
            raise AnsibleConnectionFailure("mitofs: %s: %s" % (self.context.path, error.strerror))
        return self

    def __exit__(self, *_):
        with contextlib.suppress(AnsibleConnectionFailure):
            self.context.write("destroy\n")

    def finish(self, source, stdout, stderr):
        """Run it with the file @source for its input, bring its output to two files, and return its exit code."""
        settings = "pty off\neofmode trunc\nonclose none\noverflow block\ntimeout none\n"
        self.context.write(settings + "exec " + " ".join(quote(word) for word in self.argv) + "\n")
        feeder = threading.Thread(target=self.feed, args=(source,), daemon=True)
        reader = threading.Thread(target=self.bring, args=("stderr", stderr), daemon=True)
        feeder.start()
        reader.start()
        self.bring("stdout", stdout)
        reader.join()
        code, why, what = self.context.read("wait").split()[:3]
        if why == "lost":
            raise AnsibleConnectionFailure("mitofs: %s: the link was lost: %s" % (self.context.path, what))
        return int(code)

    def feed(self, source):
        """Whoever ends without having read it all did not want it."""
        with contextlib.suppress(OSError), self.context.open("stdin", "wb") as file:
            copy(source, file)

    def bring(self, name, target):
        with self.context.open(name, "rb") as file:
            copy(file, target)


def copy(source, target):
    """Copy @source, a file or None, to its end; a raw file may take a part of a piece."""
    for piece in iter(lambda: source.read(PIECE) if source else b"", b""):
        while piece:
            piece = piece[target.write(piece) :]


class Sink(list):
    """A file in memory."""

    def write(self, piece):
        self.append(piece)
        return len(piece)


class Source:
    """The same to be read."""

    def __init__(self, data):
        self.left = memoryview(data)

    def read(self, size):
        piece, self.left = bytes(self.left[:size]), self.left[size:]
        return piece


class Connection(ConnectionBase):
    transport = "mitofs"
    has_pipelining = True
    has_tty = False

    def set_become_plugin(self, plugin):
        """A method that leads to a place of its own puts nothing in front of a command."""
        super().set_become_plugin(plugin)
        if self._become_method():
            plugin.build_become_command = lambda command, shell: command

    def _become_method(self):
        """The name of the task's method, if it is one of BECOME."""
        name = self.become.name.rpartition(".")[2] if self.become else None
        return name if name in BECOME else None

    def _mount(self):
        found = [self.get_option("mount")] if self.get_option("mount") else list(mounts())
        if len(found) != 1:
            raise AnsibleError(
                "mitofs: %s; name it in mitofs_mount or $MITO"
                % ("several are mounted: " + " ".join(found) if found else "none is mounted for this user")
            )
        if not os.path.exists(found[0] + "/ctl"):
            raise AnsibleError("mitofs: none is mounted at %s" % found[0])
        return found[0].rstrip("/")

    def _connect(self):
        """The host's context, connected."""
        host = Context(self._mount(), self.get_option("context"))
        words = self.get_option("connect")
        if words:
            host.connect(words, self.get_option("password"))
        elif not host.exists():
            raise AnsibleConnectionFailure(
                "mitofs: %s: no such context; make it, or say in mitofs_connect how" % host.path
            )
        elif not host.link_is_up(own=False):
            raise AnsibleConnectionFailure("mitofs: %s: its link is not up; connect it" % host.path)
        self._connected = True
        return host

    def _context(self):
        """Where the present task runs."""
        method = self._become_method()
        if not method:
            return self._connect()
        if self.get_option("become_context"):
            return Context(self._mount(), self.get_option("become_context"))
        user = self.become.get_option("become_user") or "root"
        context = self._connect().below("become-%s-%s" % (method, user))
        words = " ".join(quote(word) for word in BECOME[method] + [user])
        context.connect(words, self.become.get_option("become_pass"))
        return context

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        shell = self._play_context.executable or "/bin/sh"
        stdout, stderr = Sink(), Sink()
        source = Source(to_bytes(in_data)) if in_data else None
        display.vvv("mitofs: %s" % to_text(cmd), host=self.get_option("context"))
        with Run(self._context(), [shell, "-c", to_text(cmd, errors="surrogate_or_strict")]) as run:
            code = run.finish(source, stdout, stderr)
        return code, b"".join(stdout), b"".join(stderr)

    def _transfer(self, script, path, source, target):
        stderr = Sink()
        with Run(self._context(), ["/bin/sh", "-c", script, "sh", to_text(path)]) as run:
            if run.finish(source, target, stderr) != 0:
                raise AnsibleError("mitofs: %s: %s" % (path, to_text(b"".join(stderr)).strip()))

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        try:
            source = open(to_bytes(in_path, errors="surrogate_or_strict"), "rb")
        except OSError as error:
            raise AnsibleError("mitofs: %s: %s" % (in_path, error.strerror))
        with source:
            self._transfer('exec cat >"$1"', out_path, source, Sink())

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with open(to_bytes(out_path, errors="surrogate_or_strict"), "wb") as target:
            self._transfer('exec cat <"$1"', in_path, None, target)

    def reset(self):
        """Those of become are made anew when they are needed."""
        host = Context(self._mount(), self.get_option("context"))
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(host.directory + "/children"):
                if name.startswith("become-"):
                    host.below(name).write("destroy\n")
        self.close()

    def close(self):
        self._connected = False
