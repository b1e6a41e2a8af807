# SPDX-License-Identifier: LGPL-2.1-or-later
"""fork(2) for the whole virtual machine, from Python: libvmfork by ctypes.

    import vmfork

    with vmfork.Machine() as vm, vm.ticket(4) as ticket:
        me = ticket.clone()
        if me:                                  # in each clone, with its ID
            ticket.send(str(me * me).encode())
            vm.exit(0)
        for record in ticket:                   # in the parent
            print(record)

Errors of calls are OSError, with libvmfork's words for them. Descriptors belong to the
objects; fileno() lets them be polled. LIBVMFORK names another library file.
"""
import ctypes
import ctypes.util
import os
import sys
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_size_t, c_uint, c_void_p
from ctypes import c_int32, c_uint8, c_uint32, c_uint64
from typing import NamedTuple

TICKET_EXACT = 1
CLONE_SYNC = 1
CLONE_DROP_CACHE = 2
WAIT_NOHANG = 1
WAIT_NOREAP = 2
MSG_MAX = 16384
PARAMS_MAX = 16384
RECORD_DATA = 1
RECORD_EXIT = 2
REASONS = {1: "exited", 2: "killed", 3: "lost", 4: "expired", 5: "out-of-memory",
           6: "unidentified"}

# enum vmfork_call
_OTHER, _OPEN, _TICKET, _CLONE, _CHECKPOINT, _EXIT, _MESSAGE, _PARAMS, _SECRET, _AGENT = range(10)


class Api(ctypes.Structure):
    """struct vmfork_api"""
    _fields_ = [("version", c_uint32), ("clones_max", c_uint32), ("features", c_uint64),
                ("hazards", c_uint64), ("reserved", c_uint64 * 5)]


class Identity(ctypes.Structure):
    """struct vmfork_identity"""
    _fields_ = [("id", c_uint32), ("depth", c_uint32), ("family", c_uint64), ("vm", c_uint64),
                ("parent", c_uint64), ("checkpoint", c_uint64), ("generation", c_uint64),
                ("clones", c_uint32), ("reserved", c_uint32 * 7)]


class Net(ctypes.Structure):
    """struct vmfork_net; addresses are bytes in network order"""
    _fields_ = [("flags", c_uint32), ("mtu", c_uint32), ("mac", c_uint8 * 6),
                ("old_mac", c_uint8 * 6), ("address", c_uint8 * 4), ("gateway", c_uint8 * 4),
                ("dns", c_uint8 * 4), ("prefix", c_uint32), ("index", c_uint32),
                ("hostname", c_char * 64), ("domain", c_char * 64), ("reserved", c_uint64 * 4)]


class _ExitInfo(ctypes.Structure):
    _fields_ = [("id", c_uint32), ("reason", c_uint32), ("status", c_int32),
                ("reserved", c_uint32), ("why", c_char * 112)]


class _Record(ctypes.Structure):
    _fields_ = [("type", c_uint32), ("id", c_uint32), ("tag", c_uint32), ("len", c_uint32)]


class _Limits(ctypes.Structure):
    _fields_ = [("lifetime_s", c_uint), ("memory_mib", c_uint), ("cpu_weight", c_uint)]


class Exit(NamedTuple):
    """How a clone ended."""
    id: int
    reason: str
    status: int
    why: str


class Message(NamedTuple):
    """What a clone sent (id 0: the parent)."""
    id: int
    tag: int
    data: bytes


def _exit_of(info):
    reason = REASONS.get(info.reason, str(info.reason))
    return Exit(info.id, reason, info.status, info.why.decode("ascii", "replace"))


def _load():
    name = os.environ.get("LIBVMFORK") or ctypes.util.find_library("vmfork") or "libvmfork.so.0"
    lib = ctypes.CDLL(name)
    for function, arguments in {
        "vmfork_open": [],
        "vmfork_get_api": [c_int, POINTER(Api)],
        "vmfork_get_identity": [c_int, POINTER(Identity)],
        "vmfork_wait_identity": [c_int, POINTER(Identity)],
        "vmfork_request_ticket_limits": [c_int, c_uint, c_uint, POINTER(_Limits),
                                         POINTER(c_uint)],
        "vmfork_clone": [c_int, c_uint],
        "vmfork_checkpoint": [c_int, c_char_p, c_uint, POINTER(c_int)],
        "vmfork_open_checkpoint": [c_int, c_char_p],
        "vmfork_create_clones": [c_int, c_int],
        "vmfork_exit": [c_int, c_int],
        "vmfork_wait": [c_int, c_uint, c_uint, POINTER(_ExitInfo)],
        "vmfork_kill": [c_int, c_uint],
        "vmfork_send": [c_int, c_uint, c_uint, c_char_p, c_size_t],
        "vmfork_recv": [c_int, POINTER(_Record), c_void_p, c_size_t],
        "vmfork_set_params": [c_int, c_uint, c_char_p, c_size_t],
        "vmfork_get_params": [c_int, c_void_p, c_size_t, POINTER(c_size_t)],
        "vmfork_get_net": [c_int, POINTER(Net)],
        "vmfork_secret_deny": [c_int],
    }.items():
        getattr(lib, function).argtypes = arguments
    lib.vmfork_strerror.argtypes = [c_int, c_int]
    lib.vmfork_strerror.restype = c_char_p
    return lib


_lib = _load()


def _check(result, call=_OTHER):
    if result < 0:
        raise OSError(-result, _lib.vmfork_strerror(result, call).decode())
    return result


class _Descriptor:
    """A file descriptor that is closed with its object, or by close()."""

    def __init__(self, fd):
        self._fd = fd

    def fileno(self):
        """The descriptor, for select and poll."""
        return self._fd

    def close(self):
        """Of a ticket in the parent: kills the clones that are left."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


class _Link(_Descriptor):
    """What carries messages: a ticket, or in a clone of it a checkpoint."""

    def send(self, data, id=0, tag=0):
        """Send a message of 1..MSG_MAX bytes to clone id, or from a clone to its parent."""
        _check(_lib.vmfork_send(self._fd, id, tag, bytes(data), len(data)), _MESSAGE)

    def recv(self):
        """The next Message or, in the parent, Exit; None: nothing can come any more."""
        record = _Record()
        buf = ctypes.create_string_buffer(MSG_MAX)
        if not _check(_lib.vmfork_recv(self._fd, byref(record), buf, MSG_MAX), _MESSAGE):
            return None
        if record.type == RECORD_EXIT:
            return _exit_of(_ExitInfo.from_buffer_copy(buf))
        return Message(record.id, record.tag, buf.raw[:record.len])

    def __iter__(self):
        return iter(self.recv, None)


def _reseed():
    """The random module's state came from the parent, and all clones have the same."""
    if "random" in sys.modules:
        sys.modules["random"].seed()


class Ticket(_Link):
    """The right to a number of clones; then the parent's end of them, or a clone's link."""

    def __init__(self, fd, granted):
        super().__init__(fd)
        self.granted = granted

    def clone(self, flags=0):
        """Fork this machine. Return: 0 in the parent, 1..granted in the clones."""
        sys.stdout.flush()
        sys.stderr.flush()
        me = _check(_lib.vmfork_clone(self._fd, flags), _CLONE)
        if me:
            _reseed()
        return me

    def create_clones(self, checkpoint):
        """Make the clones of a Checkpoint instead."""
        _check(_lib.vmfork_create_clones(self._fd, checkpoint.fileno()), _CLONE)

    def set_params(self, data, id=0):
        """Parameters of clone id, or of all that are given none of their own."""
        _check(_lib.vmfork_set_params(self._fd, id, bytes(data), len(data)), _PARAMS)

    def wait(self, id=0, flags=0):
        """Wait for an Exit, of any clone or of this one."""
        info = _ExitInfo()
        _check(_lib.vmfork_wait(self._fd, id, flags, byref(info)))
        return _exit_of(info)

    def kill(self, id=0):
        """End this clone, or all."""
        _check(_lib.vmfork_kill(self._fd, id))


class Checkpoint(_Link):
    """An instant of a machine; in a clone made of it, its link to its parent."""


class Machine(_Descriptor):
    """The machine that this program runs in."""

    def __init__(self):
        super().__init__(-1)
        self._fd = _check(_lib.vmfork_open(), _OPEN)

    def api(self):
        """What can be done here: Api."""
        api = Api()
        _check(_lib.vmfork_get_api(self._fd, byref(api)))
        return api

    def identity(self):
        """Who this machine is: Identity."""
        identity = Identity()
        _check(_lib.vmfork_get_identity(self._fd, byref(identity)))
        return identity

    def wait_identity(self):
        """Wait until this machine has become a clone: Identity."""
        identity = Identity()
        _check(_lib.vmfork_wait_identity(self._fd, byref(identity)))
        return identity

    def ticket(self, clones, exact=False, lifetime=0, memory=0, cpu_weight=0):
        """Ask for clones: Ticket. Limits are seconds, MiB, and a cgroup v2 weight."""
        granted = c_uint()
        limits = _Limits(lifetime, memory, cpu_weight)
        fd = _check(_lib.vmfork_request_ticket_limits(
            self._fd, clones, TICKET_EXACT if exact else 0, byref(limits), byref(granted)),
            _TICKET)
        return Ticket(fd, granted.value)

    def checkpoint(self, name=None, flags=0):
        """Keep this instant. Return: (0 here or a clone's ID there, Checkpoint)."""
        fd = c_int(-1)
        me = _check(_lib.vmfork_checkpoint(self._fd, name.encode() if name else None, flags,
                                           byref(fd)), _CHECKPOINT)
        if me:
            _reseed()
        return me, Checkpoint(fd.value)

    def open_checkpoint(self, name):
        """A named checkpoint of this family: Checkpoint."""
        return Checkpoint(_check(_lib.vmfork_open_checkpoint(self._fd, name.encode()),
                                 _CHECKPOINT))

    def params(self):
        """The bytes that this clone was given; OSError ENODATA: none."""
        buf = ctypes.create_string_buffer(PARAMS_MAX)
        length = c_size_t()
        _check(_lib.vmfork_get_params(self._fd, buf, PARAMS_MAX, byref(length)), _PARAMS)
        return buf.raw[:length.value]

    def net(self):
        """What the host says of the network: Net; OSError ENODATA: nothing."""
        net = Net()
        _check(_lib.vmfork_get_net(self._fd, byref(net)), _AGENT)
        return net

    def deny(self):
        """No fork and no checkpoint of this machine until this object is closed."""
        _check(_lib.vmfork_secret_deny(self._fd), _SECRET)

    def exit(self, status=0):
        """End this clone; does not return there."""
        sys.stdout.flush()
        sys.stderr.flush()
        _check(_lib.vmfork_exit(self._fd, status), _EXIT)
