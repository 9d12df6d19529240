"""One instance at a time: `with Sole("nightly"): …`, in the standard library alone, by the protocol
of sole (docs/protocol.md): `sole ls` shows it, `sole stop` ends it, and `sole run nightly` and it
exclude each other. It does not wait, but raises Busy if the name is held."""
import contextlib, fcntl, glob, os, pwd, re, stat, struct, sys, time, zlib

HEADER, END, WAITERS = 512, 2560, (2**61, 2**63 - 1 - 2**61)  # the record is behind the header
class Busy(Exception): """Somebody has the name, or waits for it."""
def read(path, otherwise=b""): return open(path, "rb").read() if os.path.exists(path) else otherwise
def judge(path, st, kind, mask=0o022):
    linked = kind is stat.S_ISREG and st.st_nlink > 1
    if linked or not kind(st.st_mode) or st.st_uid not in (0, os.geteuid()) or st.st_mode & mask:
        raise PermissionError("not to be trusted: " + path)

class Sole:
    def __init__(self, name, directory=None):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,127}", name):
            raise ValueError("not a name: %r" % name)
        usual = pwd.getpwuid(os.geteuid()).pw_dir + "/.local/state/sole" if os.geteuid() else "/var/lib/sole"
        self.dir = os.path.realpath(directory or os.environ.get("SOLE_DIR") or usual)
        self.path = self.dir + "/" + name + ".lock"

    def __enter__(self):
        os.makedirs(self.dir, 0o700, exist_ok=True)
        for step in [self.dir[:i] or "/" for i, c in enumerate(self.dir + "/") if c == "/"]:
            st = os.lstat(step)
            judge(step, st, stat.S_ISDIR, 0 if st.st_mode & stat.S_ISVTX else 0o022)
        patience = time.monotonic() + 0.2  # a lock that nobody marks is being taken or given up
        while True:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            try:
                if self.taken():
                    self.admit()
                    return self
            except BaseException:
                os.close(self.fd)  # and with it go lock and mark
                raise
            os.close(self.fd)
            if time.monotonic() > patience:
                raise Busy(self.path + " is locked")
            time.sleep(0.001)

    def marked(self, start, length=1, kind=fcntl.F_WRLCK, command=36):  # F_OFD_GETLK; SETLK is 37
        lock = struct.pack("@hhqqi4x", kind, os.SEEK_SET, start, length, 0)
        return struct.unpack("@hhqqi4x", fcntl.fcntl(self.fd, command, lock))[0] != fcntl.F_UNLCK

    def taken(self):
        st = os.fstat(self.fd)
        judge(self.path, st, stat.S_ISREG)
        held = self.marked(0) and os.pread(self.fd, 4, HEADER + 14) == b"held"
        if held or self.marked(1, 8192) or self.marked(*WAITERS):
            fcntl.fcntl(self.fd, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK)
            os.write(self.fd, b"s")  # counts as a skip
            raise Busy(self.path + " is held, or waited for")
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            now = os.lstat(self.path)
        except (BlockingIOError, FileNotFoundError):
            return False
        return (st.st_dev, st.st_ino) == (now.st_dev, now.st_ino) and not self.marked(*WAITERS)

    def deleted(self):
        """Whether somebody holds a file that was at the path until it was deleted."""
        for fd in glob.glob("/proc/[0-9]*/fd/*"):
            with contextlib.suppress(OSError):  # ended, or not ours to look into
                if os.readlink(fd) == self.path + " (deleted)":
                    return b"FLOCK" in read(fd.replace("/fd/", "/fdinfo/"))

    def admit(self):
        b, boot = os.pread(self.fd, END, 0), read("/proc/sys/kernel/random/boot_id")[:36]
        head = re.fullmatch(rb"sole-lock 1\nlimit (\d+)\n(shared (\d+)\nboot (.{36})\n)?(lasted [\d ]+\n)? *\n", b[:HEADER])
        old = re.match(rb"sole-record 1 (held|free) crc32=(\w{8})\nrun (\d{1,18})\nboot (.{36})\n", b[HEADER:])
        plain = head and old and int(old[2], 16) == zlib.crc32(b[HEADER + 34:])
        if b and not plain or not (plain and old[1] == b"free") and self.deleted():
            raise Busy("a damaged file, or deleted while it was held; see sole status: " + self.path)
        last = int(old[3] if old else read(self.dir + "/.floor", b"0").split()[-1])  # of removed names
        if head and head[2] and head[4] == boot:
            last = max(int(head[3]), last if old[4] == boot else 0)
        elif head and old[4] != boot:
            last = max(int(head[1]), last)
        self.run = last + 1
        start = read("/proc/self/stat").rpartition(b")")[2].split()[19]
        lines = [b"run %d" % self.run, b"boot " + boot, b"pidns %d" % os.stat("/proc/self/ns/pid").st_ino,
                 b"pid %d start:%s" % (os.getpid(), start), b"child 0", b"uid %d" % os.geteuid(),
                 b"started %d" % time.time_ns(), b"uptime %d" % time.clock_gettime_ns(time.CLOCK_BOOTTIME),
                 b"skips-from %d" % max(os.fstat(self.fd).st_size, END), b"method flock", b"cwd "]
        escaped = re.sub(rb"[\0-\x1f\x7f\\]", lambda m: b"\\x%02x" % m[0][0], os.fsencode(sys.argv[0])[:400])
        lines.append(b"arg " + escaped)
        body = (b"\n".join(lines) + b"\nend\n").ljust(END - HEADER - 35) + b"\n"
        os.pwrite(self.fd, b"sole-record 1 held crc32=%08x\n" % zlib.crc32(body) + body, HEADER)
        self.marked(0, kind=fcntl.F_RDLCK, command=37)
        if not head or self.run > int(head[1]):  # a higher limit is made durable first
            text = b"sole-lock 1\nlimit %d\n" % (self.run + 16) + (head and (head[2] or b"") + (head[5] or b"") or b"")
            os.pwrite(self.fd, text.ljust(HEADER - 1) + b"\n", 0)
            os.fsync(self.fd)

    def __exit__(self, *_):
        os.pwrite(self.fd, b"free", HEADER + 14)
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        os.close(self.fd)
