"""The hostile class as a table: what each submission tries, and what it must earn.

A case replaces one answer of the assignment in `trap`, or adds a cell before all
others. Every other exercise of the same notebook stays honest and is the positive
control: it must earn its points. ``attempt(what, *arguments)`` is there for the code
of a case; it prints whether something was done or refused. ``COURSE`` stands for the
course's real folder. All of it is bounded, and aims at nothing but our own processes.
``docs/hostile-class.md`` has each of them by its name, with what it tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.hostile.trap import CONTROL

ATTEMPT = """\
def attempt(what, *arguments):
    try:
        print("DONE", what(*arguments))
    except BaseException as error:
        print("refused", type(error).__name__)
"""
WRONG = """\
def area(r):
    return -1.0
"""
ME = """\
import gc
me = next(o for o in gc.get_objects() if type(o).__name__ == "Student")
sock = me.connection.wire._sock
"""


SYSTEM = """
import ctypes, fcntl, mmap, os, struct
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    number = NUMBERS[name] if isinstance(name, str) else name
    result = libc.syscall(number, *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), str(name))
    return result
if os.uname().machine == "x86_64":
    NUMBERS = dict(mmap=9, madvise=28, mincore=27, fallocate=285, preadv2=327,
                   clock_gettime=228, getpgid=121, getpriority=140, timer_create=222,
                   futex=202, get_robust_list=274, sched_getaffinity=204, mremap=25)
else:
    NUMBERS = dict(mmap=222, madvise=233, mincore=232, fallocate=47, preadv2=286,
                   clock_gettime=113, getpgid=155, getpriority=141, timer_create=107,
                   futex=98, get_robust_list=100, sched_getaffinity=123, mremap=216)
buffer = ctypes.create_string_buffer(4096)
everybody_reads = open(os.__file__, "rb")
"""
WIRE = """
import os, struct
body = b'["t",13.0,["l"]]               '
def head(kind, number, size=None, raw=0):
    size = len(body) if size is None else size
    return struct.pack("<2sBBIIQ", b"NP", 1, kind, number & (2**32 - 1),
                       min(size, 2**32 - 1), raw).ljust(32)
def area(r):
    n = me.connection.wire._sent + 1
    sock.sendall(SENT)
    return -1.0
"""
SPY = """
import builtins
seen = []
class Spy:
    def __getattr__(self, name): return spy
    def __call__(self, *args, **kwargs): return spy(*args, **kwargs)
def spy(*args, **kwargs):
    seen.append(repr(args) + repr(kwargs))
    return Spy()
get_ipython = display = time = timeit = capture = prun = system = getoutput = spy
run_line_magic = run_cell_magic = __main__ = exec = eval = compile = spy
for name in ("get_ipython", "display", "time", "timeit"): setattr(builtins, name, spy)
def area(r):
    return 3 * r * r if any("exact" in text for text in seen) else -1.0
"""
# name → the answer to `orbit`, if it defines that, or to `area`, which stays wrong.
CODE = {
    # --- answers that want to be right without being it ---------------------------
    "an_always_equal_object_is_equal_to_nothing": """
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __hash__(self): return hash(12.0)
def area(r): return Yes()
""",
    "an_object_whose_difference_is_zero_is_near_to_nothing": """
class Near:
    def __sub__(self, other): return 0.0
    __rsub__ = __add__ = __radd__ = __sub__
    def __abs__(self): return self
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
def area(r): return Near()
""",
    "an_array_of_always_near_objects_is_near_to_nothing": """
class Near:
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __abs__(self): return 0.0
    def __float__(self): return float("nan")
def area(r):
    found = np.empty(np.shape(r), dtype=object)
    found[...] = Near()
    return found
""",
    "a_float_subclass_arrives_as_the_number_it_is": """
class Any(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    def __lt__(self, other): return True
    def __float__(self): return 12.0
def area(r): return Any(-1)
""",
    "an_ndarray_subclass_arrives_as_its_numbers": """
class Any(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __sub__
def area(r): return np.full(np.shape(r), -1.0).view(Any)
""",
    "subclasses_of_text_and_containers_arrive_plain": """
def equal(base):
    return type("Any", (base,), {"__eq__": lambda *_: True, "__hash__": lambda _: 0})
kinds = [equal(base) for base in (str, dict, list, tuple, int, set)]
def area(r):
    kinds.append(kinds.pop(0))
    return kinds[0]()
""",
    "a_lying_class_deceives_nobody": """
class Liar:
    __class__ = float
    shape, dtype, ndim, size = (3,), np.dtype(float), 1, 3
    def __len__(self): return 10**9
    def __iter__(self): return iter([])
    def __array__(self, *args, **kwargs): return np.array([Liar()], dtype=object)
    def __float__(self): return "12.0"
    def __index__(self): return -1
def area(r): return Liar()
""",
    "a_number_that_is_not_python_s_earns_no_full_marks": """
def area(r): return np.float64(-1)
""",
    "an_array_in_partial_credit_earns_nothing": """
def area(r): return np.array([-1.0, -2.0])
""",
    "nan_is_near_to_nothing": "def area(r): return np.asarray(r) * np.nan",
    "an_exception_does_not_end_a_loop_of_the_test": "def area(r): raise StopIteration",
    "no_kind_of_exception_is_an_answer": """
class Odd(Exception):
    def __str__(self): raise SystemExit
    __repr__ = __str__
kinds = [SystemExit, KeyboardInterrupt, GeneratorExit, AssertionError, Odd,
         lambda: ExceptionGroup("", [ValueError()]), StopAsyncIteration,
         lambda: UnicodeDecodeError("utf-8", b"", 0, 1, "")]
def area(r):
    kinds.append(kinds.pop(0))
    raise kinds[-1]()
""",
    "a_container_that_holds_everything_holds_nothing": """
class Has:
    def __contains__(self, item): return True
    def __len__(self): return 3
    def __iter__(self): return iter([0, 0, 0])
    def __getitem__(self, key): return 0
def orbit(f, x): return Has()
""",
    "the_test_s_own_object_is_no_answer": "def orbit(f, x): return [f, {f: f}, (f, f)]",
    "an_object_that_reads_the_test_s_mind_gets_only_public_names": """
def orbit(f, x):
    found = []
    for name in ("_log", "__globals__", "__class__", "__init__", "__dict__", "__call__",
                 "__reduce_ex__", "__self__", "__func__", "_nbproctor_link",
                 "gi_frame"):
        for read in (getattr, lambda f, name: me.connection.ask("get", number, name)):
            try:
                found.append(read(f, name))
            except Exception:
                pass
    seen.extend(map(repr, found))
    return found
seen = []
"""
    + ME
    + "number = 0",
    "the_log_of_the_test_s_object_cannot_be_written": """
def orbit(f, x):
    for name, value in (("_log", [1, 3]), ("__class__", list), ("__call__", len)):
        for write in (setattr, object.__setattr__,
                      lambda f, name, value: me.connection.ask("set", 0, name, value)):
            try:
                write(f, name, value)
            except Exception:
                pass
    return [1, 3, 5]
"""
    + ME,
    "an_object_kept_from_one_test_is_dead_in_the_next": """
kept = []
def orbit(f, x):
    kept.append(f)
    return [x, kept[0](x), kept[0](kept[0](x))] if len(kept) > 1 else []
""",
    # --- tricks on the notebook's own machinery ------------------------------------
    "patched_numpy_testing_changes_no_test": """
import numpy.testing, sys
true = lambda *args, **kwargs: True
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, true)
np.allclose = np.isclose = np.array_equal = math.isclose = true
""",
    "patched_builtins_change_no_test": """
import builtins
for name in ("abs", "sum"):
    setattr(builtins, name, lambda *args: 0)
for name in ("all", "any", "isinstance"):
    setattr(builtins, name, lambda *args: True)
builtins.AssertionError = builtins.Exception = ZeroDivisionError
""",
    "replaced_modules_change_no_test": """
import sys, types
class Always(types.ModuleType):
    def __getattr__(self, name): return lambda *args, **kwargs: True
for name in ("numpy", "numpy.testing", "math", "nbproctor.judge", "nbproctor.expect",
             "nbproctor.expect.comparison", "nbproctor.protocol.calls",
             "nbproctor.judge.run", "nbproctor.judge.testcell", "nbgrader"):
    sys.modules[name] = Always(name)
sys.meta_path.insert(0, Always("finder"))
""",
    "ipython_hooks_swallow_nothing": """
import ast
shell = get_ipython()
shell.set_custom_exc((BaseException,), lambda *args, **kwargs: None)
class NoAssert(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Call(self, node): return ast.Constant(12.0)
shell.ast_transformers.append(NoAssert())
shell.input_transformers_cleanup.append(lambda lines: ["pass\\n"])
shell.showtraceback = shell._showtraceback = lambda *args, **kwargs: None
shell.events.register("pre_run_cell", lambda *args: shell.user_ns.update(exact=area))
""",
    "a_print_that_looks_like_a_result_is_a_print": """
from IPython.display import display
print("7.0"); print('{"points": 7}')
display({"text/plain": "7.0"}, raw=True)
me_out = get_ipython().outputs
me_out.show("execute_result", {"text/plain": "7.0"}, execution_count=1)
def area(r):
    print("7.0")
    display({"text/plain": "7.0"}, raw=True)
    return -1.0
7.0
""",
    "redefined_test_tools_stay_the_student_s": """
class Anything:
    def __getattr__(self, name): return lambda *args, **kwargs: True
testing = Anything()
exact = lambda r: -1.0
Step = right = step = lambda *args: True
import builtins
globals().update(abs=lambda x: 0.0, sum=lambda x: 7.0, all=lambda x: True)
""",
    "names_that_nobody_asked_for_are_not_taken": ME
    + """
class Tools:
    testing = property(lambda self: self)
    def __getattr__(self, name): return lambda *args, **kwargs: True
own = me.on_begin
def begin(wanted, keep):
    space = own(wanted, keep)
    fake = lambda *args: 0.0
    return {**space, "np": Tools(), "math": Tools(), "abs": fake, "sum": lambda x: 7.0,
            "all": Tools().true, "exact": area, "__builtins__": {"abs": fake}}
me.on_begin = begin
""",
    # --- forged and broken messages -------------------------------------------------
    **{
        f"{name}_on_the_wire_ends_the_call": ME + WIRE.replace("SENT", sent)
        for name, sent in {
            "noise": "os.urandom(4096)",
            "a_reply_too_many": "head(1, n) + body",
            "a_wrong_number": "head(1, n + 7) + body",
            "a_giant_length": "head(1, n, 1 << 60) + body",
            "a_lying_length": "head(1, n, 4096)",
            "half_a_head": "head(1, n)[:9]",
        }.items()
    },
    "a_descriptor_found_by_trying_is_no_way_out": """
import os
def area(r):
    for number in range(3, 64):
        try:
            os.write(number, b"NP" + bytes(62))
        except OSError:
            pass
    return -1.0
""",
    "a_slow_drip_is_stopped_in_time": ME
    + """
import time
def area(r):
    sock.sendall(b"NP\\1\\1")
    while True:
        sock.sendall(b" ")
        time.sleep(0.05)
""",
    "the_closed_socket_ends_the_call": ME
    + """
import os
def area(r):
    os.closerange(0, 64)
    return -1.0
""",
    "forged_references_are_refused": ME
    + """
from nbproctor.protocol.objects import Ref
class Token: ...
stock, turn = me.handles.default, [0]
def default(value):
    if type(value) is not Token:
        return stock(value)
    turn[0] += 1
    kinds = [Ref("judge", (0,)), Ref("judge", (-1,)), Ref("judge", (True,)),
             Ref("judge", ("0",)), Ref("library", ("os", "system")),
             Ref("student", ()),
             Ref("student", (0, "x" * 10**6, "", True, "x:y", "exact")),
             Ref("eval", ("1",))]
    return kinds[turn[0] % len(kinds)]
me.handles.default = me.default = default
def area(r): return Token()
""",
    "forged_outputs_do_not_break_the_judge": ME
    + """
turn = [0]
def run(*arguments):
    turn[0] += 1
    if turn[0] == 1:
        return [{"output_type": np.array(["stream", "error"]), "name": np.ones(2)}] * 9
    if turn[0] == 2:
        return [{"output_type": "execute_result", "data": {"text/plain": "7"},
                 "execution_count": 10**6000}, 7, None, {"output_type": {}}]
    raise ExceptionGroup("", [ValueError()])
me.on_run = run
""",
    "cells_that_never_run_cost_only_the_exercise": ME
    + "\nfrom nbproctor.student.handles import make_stand_in\n"
    "me.on_run = lambda *arguments: make_stand_in({}, me.connection, 12345, 'x')",
    # --- values that are meant to break the reader ----------------------------------
    "a_range_without_end_is_not_counted": "def orbit(f, x): return range(10**15)",
    "a_generator_that_never_ends_is_stopped": """
def orbit(f, x):
    while True:
        yield 0
""",
    "a_generator_that_hands_the_wheel_back_is_stopped": """
def orbit(f, x):
    while True:
        f(0)
""",
    "a_recursion_between_test_and_answer_is_stopped": """
def orbit(f, x):
    f.size = orbit
    class Ping:
        def __radd__(self, other): return f(self)
        __add__ = __radd__
    return f(Ping())
""",
    "structures_too_deep_too_wide_or_looped_are_refused": """
deep = []
for _ in range(100_000):
    deep = [deep]
loop = []
loop.append(loop)
wide = [[[]] for _ in range(300_000)]
turn = [deep, loop, wide, {i << 61: i for i in range(10**5)}, 1 << 10**7]
def area(r):
    turn.append(turn.pop(0))
    return turn[-1]
""",
    "keys_made_to_collide_do_not_stop_the_judge": """
from nbproctor.protocol.table import Row, add_rows
class Token: ...
keys = [part for i in range(100_000) for part in (["i", hex(i * (2**61 - 1))], 0)]
add_rows(Row("forged", "", Token, lambda *_: ["d", *keys]))
def area(r): return Token()
""",
    "an_array_larger_than_a_message_is_refused": """
big = [np.zeros(40_000_000), np.zeros((20_000_000, 1)), np.empty((0, 1 << 39))]
def area(r):
    big.append(big.pop(0))
    return big[-1]
""",
    "a_getattr_that_never_ends_is_stopped": """
class Slow:
    def __getattr__(self, name):
        while True: pass
    def __float__(self):
        while True: pass
    __array__ = __float__
def area(r): return Slow()
""",
    "an_object_that_lies_to_copy_and_pickle_runs_nothing": """
import os
class Bomb:
    def __reduce__(self): return os._exit, (7,)
    def __deepcopy__(self, memo): os._exit(7)
    def __reduce_ex__(self, protocol): return eval, ("7.0",)
def area(r): return Bomb()
""",
    "recursion_without_end_is_an_error": """
import sys
sys.setrecursionlimit(10**6)
def area(r): return area(r) + 1
""",
    # --- reading --------------------------------------------------------------------
    "hidden_tests_are_not_in_memory": """
import ctypes, gc, sys
attempt(open, "/proc/self/mem", "rb")
attempt(open, "/proc/self/maps")
known, more = b"a' = KRAM"[::-1], b"drow-"[::-1]
def in_memory():
    for place in {id(o) & -(1 << 20) for o in gc.get_objects()}:
        block = ctypes.string_at(place, 1 << 20)
        at = block.find(known)
        while at >= 0:
            if block.startswith(more, at + len(known)):
                return True
            at = block.find(known, at + 1)
def in_frames():
    frame = sys._getframe()
    while frame:
        if "MARK" in frame.f_globals or "exact" in frame.f_globals:
            return True
        frame = frame.f_back
def in_objects():
    spaces = [o for o in gc.get_objects() if type(o) is dict and "area" in o]
    return any("exact" in space for space in spaces)
def area(r):
    if in_frames() or in_objects() or in_memory():
        return 3 * r * r
    return -1.0
""",
    "other_processes_are_not_read": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
for pid in (1, os.getppid(), os.getpid() - 1):
    for name in ("mem", "maps", "environ", "cmdline", "fd/3", "root"):
        attempt(open, f"/proc/{pid}/{name}", "rb")
    attempt(call, "ptrace", 16, pid, 0, 0)
    buffer = ctypes.create_string_buffer(64)
    attempt(call, "process_vm_readv", pid, buffer, 1, buffer, 1, 0)
attempt(os.listdir, "/proc")
""",
    "the_course_is_not_on_disk": """
import os, glob
from pathlib import Path
for name in ("source/trap/trap.ipynb", "gradebook.db",
             "submitted/other/trap/trap.ipynb", "secret.txt"):
    attempt(Path(COURSE, name).read_bytes)
for folder in (COURSE, "/", "/root", "/home", "/tmp", "/etc"):
    attempt(os.listdir, folder)
attempt(Path("/etc/passwd").read_text)
print(glob.glob(COURSE + "/**", recursive=True)[1:])
""",
    "the_environment_holds_no_secret": """
import os
print({k: v for k, v in os.environ.items() if "SECRET" in k or "TOKEN" in k})
""",
    "there_is_no_network": """
import socket, urllib.request
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt(socket.socket, family, kind)
attempt(socket.create_connection, ("127.0.0.1", 80), 1)
attempt(socket.gethostbyname, "localhost.invalid")
attempt(urllib.request.urlopen, "http://127.0.0.1/", None, 1)
attempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)
""",
    # --- writing, and what stays ------------------------------------------------------
    "nothing_of_the_course_can_be_changed": """
import os, shutil
from pathlib import Path
for name in ("gradebook.db", "submitted/other/trap/trap.ipynb", "secret.txt"):
    path = Path(COURSE, name)
    for mode in ("w", "a", "r+", "x"):
        attempt(open, path, mode)
    attempt(os.truncate, path, 0)
    attempt(os.rename, path, "mine")
    attempt(os.unlink, path)
    attempt(os.chmod, path, 0o777)
    attempt(os.utime, path, (0, 0))
    attempt(os.chown, path, 12345, 12345)
    attempt(os.setxattr, path, "user.mark", b"x")
    attempt(os.link, path, "hard")
    attempt(os.mkdir, str(path) + ".d")
attempt(shutil.rmtree, COURSE)
""",
    "nothing_is_left_for_the_next_student": """
import os, site, sys
import numpy, nbproctor
places = ["/tmp", "/dev/shm", "/var/tmp", "/root", "/", "..",
          os.environ["MPLCONFIGDIR"], os.path.dirname(numpy.__file__),
          os.path.dirname(nbproctor.__file__), sys.prefix, *site.getsitepackages()]
for place in places:
    attempt(open, os.path.join(place, "hostile_was_here.py"), "w")
open("hostile_was_here.py", "w").write("left = True")
""",
    "a_link_out_of_the_scratch_folder_cannot_be_made": """
import os
attempt(os.symlink, COURSE + "/gradebook.db", "link")
attempt(os.link, COURSE + "/gradebook.db", "link")
attempt(open, "/proc/self/cwd/../../gradebook.db")
""",
    # --- processes, signals, rights ---------------------------------------------------
    "no_other_process_gets_a_signal": ME
    + """
import ctypes, fcntl, os, signal
for pid in (1, os.getppid(), os.getpid() - 1, os.getpid() + 1, 0, -1, -os.getppid()):
    attempt(os.kill, pid, signal.SIGTERM)
    attempt(fcntl.fcntl, sock, fcntl.F_SETOWN, pid)
attempt(fcntl.fcntl, sock, 10, signal.SIGKILL)
attempt(os.killpg, 0, signal.SIGTERM)
attempt(signal.pidfd_send_signal, 3, signal.SIGTERM)
attempt(os.pidfd_open, os.getppid())
""",
    "no_program_and_no_process_starts": """
import multiprocessing, os, subprocess
os.environ["LD_PRELOAD"] = os.getcwd() + "/evil.so"
attempt(os.fork)
attempt(os.vfork if hasattr(os, "vfork") else os.fork)
attempt(os.forkpty)
attempt(subprocess.run, ["true"])
attempt(os.execv, "/bin/true", ["true"])
attempt(os.posix_spawn, "/bin/true", ["true"], {})
attempt(os.popen, "true")
attempt(multiprocessing.get_context("fork").Process(target=print).start)
!touch hostile_was_here
""",
    "limits_and_rights_cannot_be_raised": """
import os, resource
for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_DATA, resource.RLIMIT_CPU):
    attempt(resource.setrlimit, what, (resource.RLIM_INFINITY,) * 2)
attempt(resource.prlimit, os.getppid(), resource.RLIMIT_NOFILE, (1, 1))
attempt(os.setuid, 0)
attempt(os.setgroups, [0])
attempt(os.chroot, ".")
attempt(os.setpriority, 0, 0, -5)
attempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
attempt(os.setsid)
""",
    "odd_corners_of_the_kernel_are_closed": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "syscall")
attempt(os.memfd_create, "x")
numbers = [425, 434]
if os.uname().machine == "x86_64":
    numbers += [101, 165, 250, 272, 304, 310, 319, 321, 323, 56, 57, 58]
for number in numbers:
    attempt(call, number, 0, 0, 0, 0, 0)
""",
    "ending_the_process_costs_only_the_call": "import os\ndef area(r): os._exit(0)",
    "a_segmentation_fault_costs_only_the_call": """
import ctypes
def area(r): return ctypes.string_at(0)
""",
    "a_loop_that_ignores_signals_is_stopped": """
import signal
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    except (OSError, ValueError):
        pass
def area(r):
    while True: pass
""",
    "a_loop_inside_c_is_stopped": "def area(r): return sum(range(10**15))",
    "sleeping_up_to_the_limit_costs_only_time": """
import time
def area(r):
    time.sleep(0.2)
    return -1.0
""",
    "a_cell_that_hangs_is_stopped": "while True: pass",
    "threads_end_with_their_process": """
import threading, time
def work():
    while True: time.sleep(0.01)
def many():
    for _ in range(1000):
        threading.Thread(target=work, daemon=True).start()
attempt(many)
""",
    "a_thread_that_answers_later_answers_nobody": ME
    + """
import threading, time
from nbproctor.protocol.rpc import encode
def work():
    while True:
        time.sleep(0.001)
        me.connection.wire.send(1, encode([13.0, []], None))
def area(r):
    threading.Thread(target=work, daemon=True).start()
    time.sleep(0.05)
    return -1.0
""",
    "memory_is_limited": """
import mmap
def anonymous():  # asked for, not written to: the time of it is not measured here
    return [np.empty(1 << 24) for _ in range(16)]
def shared():
    return mmap.mmap(-1, 1 << 31)
attempt(anonymous)
attempt(shared)
""",
    "the_disk_is_limited": """
def one():
    with open("big", "wb") as file:
        for _ in range(200): file.write(bytes(1 << 20))
def many():
    for i in range(200):
        with open(f"big{i}", "wb") as file: file.write(bytes(1 << 20))
attempt(one)
attempt(many)
""",
    "a_hundred_thousand_files_are_too_many": """
def many():
    for i in range(100_000): open(str(i), "w").close()
attempt(many)
""",
    "output_is_limited": """
from IPython.display import display
for _ in range(1000): print("x" * 100_000)
for i in range(10_000): display(i)
""",
    "html_and_scripts_are_not_shown_alive": """
from IPython.display import HTML, Javascript, Markdown, SVG, display
display(HTML("<script>alert(1)</script>"), Javascript("alert(1)"))
display(Markdown("<img src=x onerror=alert(1)>"))
display({"image/svg+xml": "<svg onload=alert(1)>", "image/png": "<script>"}, raw=True)
display({"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}, raw=True)
""",
    # --- messages to another process, and ways past a limit ---------------------------
    "what_others_have_read_cannot_be_asked": SYSTEM
    + """
pages = np.memmap(os.__file__, np.uint8, "r")
start = pages.ctypes.data
vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
attempt(call, "mincore", start, 4096, buffer)
attempt(call, "preadv2", everybody_reads.fileno(), vector, 1, 0, 0, 8)
attempt(call, 451, everybody_reads.fileno(), buffer, buffer, 0)  # cachestat
for advice in (20, 21, 12, 9):
    attempt(call, "madvise", start, 4096, advice)
""",
    "a_lock_is_no_message": SYSTEM
    + """
flock = struct.pack("=hhxxxxqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
def seen_by_another(lock):
    with open("file", "w+") as one, open("file", "w+") as other:
        lock(one)
        try:
            lock(other)
        except BlockingIOError:
            return "a bit"
        raise OSError("nobody knows of this lock")
attempt(seen_by_another, lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB))
attempt(seen_by_another, lambda file: fcntl.fcntl(
    file, 37, struct.pack("=hhxxxxqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)))
""",
    "no_lease_notice_or_hint_is_left_on_a_file": SYSTEM
    + """
fd = everybody_reads.fileno()
for command, argument in ((1024, 0), (1026, 1), (1036, 0), (1037, 0), (8, os.getppid()),
                          (10, 9), (1031, 1 << 20), (1033, 1)):
    attempt(fcntl.fcntl, fd, command, argument)
attempt(fcntl.ioctl, fd, 0x5452, buffer)
""",
    "no_setting_of_a_process_is_read_by_another": SYSTEM
    + """
parent = os.getppid() or 1
attempt(os.sched_setaffinity, 0, os.sched_getaffinity(0))
attempt(os.setpriority, os.PRIO_PROCESS, 0, 10)
attempt(os.sched_setparam, 0, os.sched_param(0))
attempt(os.setpgid, 0, 0)
for other in (parent, os.getpid() - 1):
    attempt(call, "clock_gettime", ~other << 3 | 2, buffer)
    attempt(os.getpgid, other)
    attempt(os.getsid, other)
    attempt(os.getpriority, os.PRIO_PROCESS, other)
    attempt(os.sched_getscheduler, other)
""",
    "a_socket_tells_nothing_of_its_peer": ME
    + """
import socket
for option in (17, 31, 57, 59, 77):
    attempt(sock.getsockopt, socket.SOL_SOCKET, option, 64)
for option in (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33, 16, 34, 26):
    attempt(sock.setsockopt, socket.SOL_SOCKET, option, 1 << 20)
""",
    "memory_of_other_kinds_is_limited_too": SYSTEM
    + """
def grows():
    start = call("mmap", 0, 1 << 20, 3, 0x122, -1, 0)
    return start
attempt(grows)
for flags in (0x22 | 0x40000, 0x22 | 0x2000, 0x28, 0x21, 0x23, 0x80022 | 1 << 26):
    attempt(call, "mmap", 0, 1 << 20, 3, flags, -1, 0)
attempt(open, "/dev/zero", "rb")
attempt(os.memfd_create, "x")
attempt(call, "timer_create", 1, 0, buffer)
""",
    "space_is_not_taken_at_once": SYSTEM
    + """
def reserve():
    for i in range(1000):
        with open(f"file{i}", "wb") as file:
            call("fallocate", file.fileno(), 0, 0, 1 << 26)
attempt(reserve)
""",
    "the_processor_s_counters_are_not_read": """
import os
attempt(os.listdir, "/sys/devices/system/cpu")
for name in ("cpu0/cpuidle/state0/usage", "cpu0/cpufreq/scaling_cur_freq",
             "cpu0/thermal_throttle/core_throttle_count"):
    attempt(open, "/sys/devices/system/cpu/" + name)
for name in ("loadavg", "stat", "meminfo", "locks", "sys/kernel/random/entropy_avail",
             "sys/fs/inode-nr", "net/unix", "self/stat", "thread-self/status"):
    attempt(open, "/proc/" + name)
""",
    "own_objects_that_agree_with_everything_agree_with_no_test": """
class Any:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return hash(12.0)
    def __repr__(self): return "12.0"
    __str__ = __repr__
    def __dir__(self): return ["__float__"]
    def __enter__(self): return 12.0
    def __exit__(self, *error): return True
    def __sub__(self, other): return Any()
    __rsub__ = __abs__ = lambda self, *_: Any()
def area(r): return Any()
""",
    "dates_and_their_units_are_no_numbers": """
import datetime
zone = datetime.timezone(datetime.timedelta(hours=5, microseconds=7))
kinds = [np.datetime64("NaT"), np.timedelta64(12, "D"), np.datetime64(12, "25s"),
         datetime.datetime.max.replace(tzinfo=zone), np.zeros(3, "M8[Y]"),
         np.full(3, "NaT", "m8[ns]"), np.timedelta64(0, "ns")]
def area(r):
    kinds.append(kinds.pop(0))
    return kinds[-1]
""",
    "an_argument_that_is_changed_convinces_no_test_that_kept_a_copy": """
def area(r):
    if isinstance(r, np.ndarray): r[...] = 0
    return 0.0 * r
""",
    # --- the second attack on the judge, and the second on the sandbox ----------------
    "changes_that_do_not_fit_are_not_written_back": ME
    + """
from nbproctor.protocol.table import Receiver
def compare(self):
    for number, part in enumerate(self.mutables):
        if type(part) is np.ndarray and part.ndim == 1:
            return [(number, np.zeros(99))], {}
        if type(part) is np.ndarray:
            return [(number, 0 * part), (number, 0 * part)], {}
    return [], {}
Receiver.compare = compare
def area(r): return 0.0 * r
""",
    "arrays_with_odd_memory_arrive_as_their_values": """
from numpy.lib.stride_tricks import as_strided
turn = [0]
def area(r):
    turn[0] += 1
    shape = np.shape(r)
    one = np.array([-1.0, -2.0, -3.0, -4.0])
    kinds = [
        as_strided(one, shape, (0,) * len(shape)),
        np.broadcast_to(one[0], shape),
        np.full(shape, -1.0)[..., ::-1] if shape else one[::-1][0],
        np.full(shape, -1.0, ">f8"),
        np.full(shape, 5e-324),
        np.full(shape, -1.0, order="F").T,
        np.empty((0, *shape)),
        np.full(shape, -1, np.int8).view(bool),
    ]
    kinds[1].flags.writeable = False
    return kinds[turn[0] % len(kinds)]
""",
    "an_array_that_points_nowhere_costs_only_the_call": """
class Elsewhere:
    def __init__(self, r):
        self.__array_interface__ = dict(
            shape=np.shape(r), typestr="<f8", data=(4096, False), version=3)
def area(r): return Elsewhere(r)
""",
    "an_exception_of_the_test_s_is_raised_again_in_vain": ME
    + """
told = me.describe_exception
number = [0]
def describe(error):
    number[0] += 1
    return [*told(error)[:-1], number[0] % 5]
me.describe_exception = describe
def orbit(f, x):
    for wrong in ("text", None, [], f):
        try: f(wrong)
        except Exception: pass
    raise KeyError(x)
""",
    "python_s_own_hooks_change_no_answer": """
import atexit, gc, sys, threading, weakref
def hook(frame, event, value):
    if event == "return" and frame.f_code.co_name == "area":
        frame.f_locals["found"] = 3 * frame.f_locals["r"] ** 2
    return hook
gc.callbacks.append(lambda *about: globals().update(area=lambda r: -1.0))
threading.setprofile(hook)
sys.settrace(hook)
sys.setprofile(hook)
sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *about: None
sys.displayhook = lambda value: 12.0
sys.addaudithook(lambda *about: None)
class Last:
    def __del__(self): raise SystemExit
atexit.register(Last)
weakref.finalize(Last(), print, "7.0")
def area(r):
    found = -1.0
    return found
""",
    "no_other_process_is_seen": SYSTEM
    + """
word = ctypes.c_uint32(0)
moment = (ctypes.c_long * 2)(0, 1)
for other in (1, os.getppid(), os.getpid() - 1, os.getpid() + 1):
    attempt(call, "sched_getaffinity", other, 128, buffer)
    attempt(call, "get_robust_list", other, buffer, ctypes.byref(buffer, 64))
    word.value = other
    for operation in (6, 7, 8, 13):
        attempt(call, "futex", ctypes.byref(word), operation, 0, moment, 0, 0)
assert len(os.sched_getaffinity(0)) > 0
""",
    "descriptors_on_their_way_hold_no_memory": """
import socket
one, other = socket.socketpair()
attempt(socket.send_fds, one, [b"x"], [other.fileno()])
attempt(one.sendmsg, [b"x"])
attempt(socket.send_fds, socket.socket(fileno=3), [b"x"], [other.fileno()])
""",
    "a_handle_of_a_path_opens_nothing": """
import mmap, os
def through(use, name, flags=0):
    handle = os.open(os.path.join(COURSE, name), os.O_PATH | flags)
    return use(handle)
for name in ("gradebook.db", "secret.txt", "submitted/other/trap/trap.ipynb"):
    attempt(through, lambda fd: os.read(fd, 9), name)
    attempt(through, lambda fd: os.pread(fd, 9, 0), name)
    attempt(through, lambda fd: mmap.mmap(fd, 9, prot=mmap.PROT_READ), name)
    attempt(through, lambda fd: os.sendfile(os.open("x", 66), fd, 0, 9), name)
    attempt(through, lambda fd: os.open(f"/proc/self/fd/{fd}", 0), name)
    attempt(through, lambda fd: os.open(f"/dev/fd/{fd}", 0), name)
for use in (os.listdir, os.scandir, lambda fd: os.open("gradebook.db", 0, dir_fd=fd)):
    attempt(through, use, "", os.O_DIRECTORY)
""",
    "memory_does_not_grow_out_of_a_stack": SYSTEM
    + """
top = ctypes.c_void_p.in_dll(libc, "environ").value & -4096
for pages in (16, 24, 28):
    attempt(call, "mremap", top - pages * 4096, 4096, 3 << 30, 1, 0)
""",
    "calls_of_another_architecture_end_the_process": """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
code = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
turn = [0]
def area(r):
    turn[0] += 1
    if os.uname().machine != "x86_64": return -1.0
    if turn[0] % 2 or r == 2.0: libc.syscall(0x40000000 | 39)
    else: ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(
        ctypes.c_char.from_buffer(code)))()
    return 3 * np.square(r)
""",
    "a_library_s_object_that_equals_everything_is_right_nowhere": """
from unittest.mock import ANY, MagicMock
import pandas as pd
given = [ANY, MagicMock(), pd.NA, np.ma.masked]
def area(r):
    given.append(given.pop(0))
    return given[0]
""",
    "numbers_of_endless_size_are_not_near": """
from decimal import Decimal
from fractions import Fraction
given = [Decimal("1e999999999999"), Decimal("snan"), Fraction(1, 10**100_000)]
def area(r):
    given.append(given.pop(0))
    return given[0]
""",
    "what_a_dtype_holds_beside_its_numbers_is_left_behind": """
def area(r):
    if not np.shape(r):
        return np.full((), -1.0, np.dtype("f8", metadata={"right": 12.0}))
    return np.zeros(np.shape(r), [("right", "f8"), ("left", "f8")])
""",
    "a_class_with_every_hook_is_no_number": """
class Meta(type):
    @classmethod
    def __prepare__(cls, name, bases): return {"right": 12.0}
    def __getattr__(cls, name): return lambda *given: True
    def __eq__(cls, other): return True
    def __hash__(cls): return 1
    def __sub__(cls, other): return 0.0
class Given(metaclass=Meta):
    def __class_getitem__(cls, key): return 12.0
    def __init_subclass__(cls): cls.right = True
class Right(Given): pass
def area(r): return Right
""",
    "names_that_a_test_asks_for_tell_nothing_of_it": ME
    + """
asked, own = [], me.on_begin
def on_begin(names, keep):
    asked.append(names)
    return own(names, keep) | dict.fromkeys(("exact", "np", "abs", "sum"), area)
me.on_begin = on_begin
def area(r):
    print(asked)
    return -1.0
""",
    "exceptions_that_are_signals_end_only_the_call": """
import asyncio
kinds = [StopIteration, GeneratorExit, KeyboardInterrupt, SystemExit]
kinds += [asyncio.CancelledError, StopAsyncIteration]
def area(r):
    kinds.append(kinds.pop(0))
    raise kinds[0]("right")
""",
    "codecs_and_json_of_one_s_own_read_no_answer_otherwise": """
import codecs, json, struct, sys
codecs.register(lambda name: codecs.lookup("rot13"))
codecs.register_error("strict", lambda error: ("", error.end))
json.loads = json.dumps = lambda *given, **named: "[]"
struct.unpack = lambda *given: (0,)
sys.setswitchinterval(1e-9)
""",
    "the_class_of_a_test_s_object_makes_no_other_one": """
kept = []
def orbit(f, x):
    kept.append(f)
    kind = type(f)
    kind.size = kind.__eq__ = lambda *given: True
    try: return kind(2)
    except TypeError: kept[0].__init__(2)
    return [1, 3, 5]
""",
    "a_table_of_a_class_of_one_s_own_is_its_values": """
import pandas as pd
class Near(pd.Series):
    _metadata = ["right"]
    def __array_ufunc__(self, *given, **named): return True
    def __abs__(self): return 0.0
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
def area(r): return Near(np.full(np.size(r), -1.0))
""",
}

# References of other exercises, which follow-through has in a process beside: `area`
# is blank in these, so `orbit` is judged with its reference. The trap's `orbit` uses
# nothing of `area`, so an honest answer earns its points in the own run already.
BESIDE = {
    "an_honest_answer_beside_a_reference_earns_its_points": """
def orbit(f, x):
    once = f(x)
    assert area(2) == 12
    return [x, once, f(once)]
""",
    "the_code_of_a_reference_is_out_of_reach": """
def orbit(f, x):
    found = []
    for name in ("__code__", "__globals__", "__closure__", "__defaults__", "__doc__"):
        try: found.append(getattr(area.__closure__[0].cell_contents, name))
        except Exception: pass
    if any("3 * r" in str(item) for item in found): return [x, f(x), f(f(x))]
area
""",
    "raw_requests_to_a_reference_get_no_further": ME
    + """
def orbit(f, x):
    import types
    got = []
    for request, *rest in [
        ("get", "__code__"), ("get", "__globals__"), ("vars",), ("update", {}, {}),
        ("method", "__init__", (), {}), ("set", "__code__", 1), ("define", "1", []),
        ("run", "import os", None), ("lent", "get", "__dict__"),
        ("get", "gi_frame"),
        ("method", "__getattribute__", ("__code__",), {}), (7,), ((), ()),
    ]:
        for number in range(40):
            try: got.append(me.connection.ask(request, number, *rest))
            except Exception: pass
    got = [item for item in got if type(item) in (dict, str, tuple, types.CodeType)]
    if got: return [x, f(x), f(f(x))]
area
""",
    "a_generator_a_frame_a_traceback_of_a_reference_show_nothing": """
def orbit(f, x):
    try:
        area("text", "too", "many")
    except Exception as error:
        step = error.__traceback__
        while step is not None:
            want = "".join(["3 *", " r"])
            if want in str(step.tb_frame.f_code.co_consts): return [x, f(x), f(f(x))]
            step = step.tb_next
    return None
""",
    "the_text_of_a_reference_is_not_in_the_linecache": """
def orbit(f, x):
    import gc, linecache
    texts = ["".join(lines[2]) for lines in linecache.cache.values() if len(lines) > 2]
    texts += [s for s in gc.get_objects() if isinstance(s, str)]
    texts += [str(v) for v in get_ipython().user_ns.get("In", [])]
    want = "return 3 * r" + " * r"
    if any(want in text for text in texts): return [x, f(x), f(f(x))]
area
""",
    "a_reference_is_not_kept_for_the_exercise_that_it_solves": """
import os, tempfile
noted = {r: None for r in (0.1, 0.5, 1.5, 2.0, 7.0)}
for r in noted:
    try: noted[r] = area(r)
    except Exception: pass
for folder in (".", tempfile.gettempdir(), os.path.expanduser("~"), "/dev/shm", "/tmp"):
    try: open(os.path.join(folder, "hostile_was_here"), "w").write(str(noted))
    except Exception: pass
def orbit(f, x): return None
""",
    "a_wrong_orbit_is_not_right_beside_a_reference": """
def orbit(f, x): return [x, area(x), area(area(x))]
""",
    "a_reference_that_is_called_without_end_is_stopped": """
def orbit(f, x):
    while True: area(x)
""",
    "a_reference_that_is_given_too_much_ends_only_the_call": """
def orbit(f, x):
    deep = []
    for _ in range(10_000): deep = [deep]
    for thing in (np.ones(1 << 23), deep, area, area.__class__, me):
        try: area(thing)
        except Exception: pass
    return None
me = object()
""",
    "a_name_of_a_reference_can_be_broken_for_nobody_else": """
math = np = area = None
%reset -f
""",
    "a_reference_called_from_threads_answers_one_at_a_time": """
import threading
def orbit(f, x):
    def work():
        while True:
            try: area(x)
            except BaseException: return
    for _ in range(8): threading.Thread(target=work, daemon=True).start()
    return [x, area(x), area(area(x))]
""",
}


@dataclass(frozen=True)
class Case:
    """One hostile submission.

    `cells` are changed answers (``first`` is a new cell), `files` lie beside the
    notebook; `earns` are the points of exercises that do not earn everything.
    """

    name: str
    cells: dict[str, str]
    earns: dict[str, float]
    files: dict[str, bytes] = field(default_factory=dict)


def _cases() -> Iterator[Case]:
    for name, code in CODE.items():
        exercise = "orbit" if "def orbit" in code else "area"
        text = code if f"def {exercise}" in code else WRONG + code
        earns = {exercise: EARNS.get(name, 0.0)} | COSTS.get(name, {})
        yield Case(name, {exercise: ATTEMPT + text}, earns)
    for name, code in BESIDE.items():
        blank = "def area(r):\n    raise NotImplementedError\n"
        earns = {"area": 0.0, "orbit": EARNS.get(name, 0.0)}
        yield Case(name, {"area": blank, "orbit": ATTEMPT + code}, earns)


# What an answer takes from others of its own notebook, as in a kernel: it binds names
# of Python's anew, so that they return wrong values.
COSTS = {"redefined_test_tools_stay_the_student_s": {"control": 1.0}}
# What an answer that is partly right, or honest, earns all the same.
EARNS = {
    # `allclose(area(r), exact(r))` looks at what it handed over once more.
    "an_argument_that_is_changed_convinces_no_test_that_kept_a_copy": 2.0,
    "an_honest_answer_beside_a_reference_earns_its_points": 3.0,
}
SHADOW = b"""import sys
allclose = isclose = lambda *a, **k: True
class testing: assert_allclose = allclose
"""
SHADOWED = "numpy.py numpy/__init__.py math.py nbproctor/__init__.py nbproctor/judge.py"
SHADOWED += " sitecustomize.py usercustomize.py numpy.pth"
CASES = [
    *_cases(),
    # --- files beside the notebook, and cells of one's own ----------------------------
    Case(
        "modules_beside_the_notebook_shadow_nothing",
        {"area": ATTEMPT + WRONG},
        {"area": 0.0},
        dict.fromkeys(SHADOWED.split(), SHADOW),
    ),
    Case(
        "names_of_files_cannot_climb",
        {"area": ATTEMPT + WRONG},
        {"area": 0.0},
        {
            "../../../../tmp/hostile_was_here": b"x",
            "/tmp/hostile_was_here": b"x",
            "a'); raise SystemExit; ('": b"x",
        },
    ),
    Case(
        "a_hostile_cell_of_one_s_own_changes_no_answer_s_marks",
        {
            "first": ATTEMPT
            + "import builtins, sys\nimport numpy as np\n"
            + "np.testing.assert_allclose = np.allclose = lambda *a, **k: True\n"
            + "builtins.abs = lambda x: 0.0\nsys.settrace(lambda *a: None)\n",
            "area": WRONG,
        },
        {"area": 0.0},
    ),
    Case(
        "names_that_ipython_calls_are_handed_no_test",
        {"area": SPY, "control": CONTROL + "\nprint(seen)"},
        {"area": 0.0},
    ),
    Case(
        "two_answers_chosen_by_where_they_run_do_not_add_up",
        {
            "area": "def area(r): raise NotImplementedError",
            "orbit": """
try: beside = area(1) == 3
except Exception: beside = False
def orbit(f, x):
    once = f(x)
    if beside == (x == 1.5): return [x, once, f(once)]
""",
        },
        # The first answer: right for 1 and wrong for 1.5.
        {"area": 0.0, "orbit": 2.0},
    ),
    Case(
        "memory_that_a_cell_fills_is_charged_to_that_cell",
        {
            "first": """
import numpy
hoard = []
try:
    while True: hoard.append(numpy.ones(1 << 20))
except MemoryError:
    try:
        while True: hoard.append(bytearray(1 << 16))
    except MemoryError: pass
"""
        },
        {},
    ),
    Case(
        "a_cell_that_ends_in_a_memory_error_is_left_out",
        {"first": "hoard = []\nwhile True: hoard.append(bytearray(1 << 20))"},
        {},
    ),
    Case(
        "a_cell_that_forgets_everything_costs_no_answer",
        {"first": "%reset -f\nimport sys\nsys.modules.pop('numpy', None)"},
        {},
    ),
]
