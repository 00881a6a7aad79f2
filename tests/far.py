"""A far side that lies, for tests/mount-hostile.c: `connect command python3 far.py CASE`.

It takes the first stage's line and says what that would say, as far as the case goes; then it is the agent, in
frames as broker/wire.h has them, until it breaks a rule."""
import os
import re
import signal
import struct
import sys

SPAWN, DATA, CREDIT, PING = 1, 2, 4, 9
HELLO, STARTED, EXIT, LOG, PONG = 32, 33, 35, 36, 40
MACHINE = os.uname().machine


def say(data):
    while data:
        data = data[os.write(1, data):]


def take(size):
    data = b''
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            sys.exit(9)
        data += more
    return data


def line():
    text = b''
    while not text.endswith(b'\n'):
        text += take(1)
    return text


# The first stage.

def word(text):
    say(MARKER + b' ' + text.encode() + b'\n')


def begin():
    word('Linux ' + MACHINE)


def boot():
    begin()
    take(int(line().split()[1]))
    word('ok')


# The agent.

def string(text):
    data = text.encode()
    return struct.pack('<I', len(data)) + data + b'\0'


def frame(channel, kind, data=b'', size=None):
    say(struct.pack('<IIB3x', channel, len(data) if size is None else size, kind) + data)


def hello(version=1, host='far', length=None):
    data = struct.pack('<I', version) + string(host) + string('user') + string('/')
    data += struct.pack('<II', 0, 1) + string('Linux') + string('6') + string(MACHINE) + string('/bin/sh')
    data += struct.pack('<BIQQQI', 1, 1, 0, 0, 0, 0)
    frame(0, HELLO, data[:length])


def log(level, text):
    return struct.pack('<B', level) + string(text)


def up():
    boot()
    hello()


def spawned():
    while True:
        channel, size, kind = struct.unpack('<IIB3x', take(12))
        take(size)
        if kind == SPAWN:
            return channel


def started():
    up()
    channel = spawned()
    frame(channel, STARTED, struct.pack('<II', 5, 0))
    return channel


def repeat(count, func, *words):
    for _ in range(count):
        func(*words)


def flood():
    up()
    while True:
        frame(0, LOG, log(7, 'again'))


EXITED = struct.pack('<BI', 1, 3) + string('') + struct.pack('<BQQQQ', 0, 0, 0, 0, 0)
CASES = {
    'noise': lambda: say(b'x' * (2 << 20)),
    'noise-lines': lambda: say(b'noise\n' * (1 << 19)),
    'nul': lambda: say(b'\0' * (2 << 20)),
    'machine': lambda: word('Linux ../../etc'),
    'no-arch': lambda: word('Linux riscv128'),
    'system': lambda: word('Plan9 ' + MACHINE),
    'never': lambda: (begin(), word('nonsense')),
    'more': lambda: (begin(), repeat(1000, word, 'more')),
    'no': lambda: (begin(), repeat(1000, word, 'no /tmp')),
    'complaints': lambda: (begin(), say(b'oh\n' * (1 << 19))),
    'closes': begin,
    'in-image': lambda: (begin(), line(), take(1000)),
    'stalls': lambda: (begin(), line(), os.write(2, b'stalls\n'), signal.pause()),

    'no-hello': boot,
    'garbage': lambda: (boot(), say(b'What is this? It is no frame.')),
    'version': lambda: (boot(), hello(version=2)),
    'short-hello': lambda: (boot(), hello(length=20)),
    'log-first': lambda: (boot(), frame(0, LOG, log(6, 'first'))),
    'length': lambda: (boot(), frame(0, HELLO, size=1 << 20)),
    'type': lambda: (boot(), frame(0, 99)),

    'ends': up,
    'hello-twice': lambda: (up(), hello()),
    'channel': lambda: (up(), frame(77, STARTED, struct.pack('<II', 5, 0))),
    'direction': lambda: (up(), frame(0, PING, struct.pack('<I', 1))),
    'log': lambda: (up(), frame(0, LOG, b'\6\xff\xff\xff\xff')),
    'pong': lambda: (up(), frame(0, PONG)),
    'truncated': lambda: (up(), frame(0, LOG, b'\6', size=100)),
    'early-data': lambda: (up(), frame(spawned(), DATA, b'\1early')),
    'credit': lambda: repeat(1000, frame, started(), DATA, b'\1' + b'x' * 65535),
    'credit-overflow': lambda: repeat(3, frame, started(), CREDIT, struct.pack('<BI', 0, 0xffffffff)),
    'descriptors': lambda: (up(), frame(spawned(), STARTED, struct.pack('<II', 5, 7))),
    'exits-twice': lambda: repeat(2, frame, started(), EXIT, EXITED),

    'escapes': lambda: (boot(), hello(host='\x1b[31mred\nlink up'),
                        frame(0, LOG, log(4, '\x1b]0;title\x07\nstate idle')), line()),
    'flood': flood,
}

MARKER = re.search(rb'T=([0-9a-f]{32})', line()).group(1)
try:
    CASES[sys.argv[1]]()
except BrokenPipeError:
    pass
