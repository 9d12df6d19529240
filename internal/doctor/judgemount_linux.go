package doctor

import (
	"slices"
	"strings"
)

// Kinds of filesystems by what is known of their locks.
var (
	localKinds = [...]string{
		"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "jfs", "reiserfs", "nilfs2", "bcachefs",
	}
	memoryKinds  = [...]string{"tmpfs", "ramfs", "devtmpfs", "hugetlbfs", "rootfs"}
	clusterKinds = [...]string{"ceph", "lustre", "gfs2", "ocfs2", "afs", "gpfs", "beegfs", "orangefs", "pvfs2"}
)

const localDir = "name a directory on a local filesystem with --dir or SOLE_DIR"

// judgeMount says what the kind of filesystem and its options mean for locks.
func judgeMount(m mount) Result {
	where := m.kind + " on " + cutPath(m.point)
	switch {
	case m.has("ro"):
		return fail(Lock, "name a directory on a writable filesystem with --dir or SOLE_DIR, or remount it",
			"%s is read-only", where)
	case slices.Contains(localKinds[:], m.kind):
		return ok("%s, a local filesystem", where)
	case slices.Contains(memoryKinds[:], m.kind):
		return warn("where run numbers matter "+otherDir,
			"%s is in memory: it is empty after a restart, so run numbers start anew", where)
	case m.kind == "nfs" || m.kind == "nfs4":
		return judgeNFS(m, where)
	case m.kind == "cifs" || m.kind == "smb3" || m.kind == "smbfs":
		return judgeCIFS(m, where)
	case m.kind == "9p":
		return warn(localDir, "%s (%s): whether locks reach the server, and so other clients, is up to the server",
			where, orNothing(m.first("version", "trans", "cache")))
	case m.kind == "overlay":
		return judgeOverlay(m, where)
	case m.kind == "virtiofs" || m.kind == "fuse" || m.kind == "fuseblk" || strings.HasPrefix(m.kind, "fuse."):
		return judgeFUSE(m, where)
	case slices.Contains(clusterKinds[:], m.kind):
		return judgeCluster(m, where)
	}
	return warn("", "%s is a filesystem that sole was not tried on; see what flock, ofd and posix found", where)
}

func judgeNFS(m mount, where string) Result {
	if v, ok := m.option("vers"); ok {
		where += ", version " + v
	}
	if o := m.first("nolock"); o != "" || isLocal(m) {
		if o == "" {
			o = m.first("local_lock")
		}
		return warn("start jobs on this host only, "+localDir,
			"%s, with %s: locks are not sent to the server, so starts on other hosts are not excluded", where, o)
	}
	if m.has("soft") || m.has("softerr") {
		return warn(localDir+", or mount it hard",
			"%s, mounted soft: a lock can fail or be lost when the server is slow", where)
	}
	return warn(localDir,
		"%s: locks are the server's; flock(2) and fcntl(2) locks exclude each other, and a server that is away hangs each start", where)
}

// isLocal reports whether some of the locks stay on this host. The kernel also shows
// local_lock=none.
func isLocal(m mount) bool {
	v, ok := m.option("local_lock")
	return ok && v != "none"
}

func judgeCIFS(m mount, where string) Result {
	if o := m.first("nobrl", "nolease", "forcemandatorylock"); o == "nobrl" {
		return warn("start jobs on this host only, "+localDir,
			"%s, with nobrl: locks are not sent to the server, so starts on other hosts are not excluded", where)
	}
	return warn(localDir, "%s: locks are the server's, which may make them mandatory or lose them on a reconnect", where)
}

func judgeOverlay(m mount, where string) Result {
	r := warn("for names that outlive the container or are shared, mount a directory of the host there",
		"%s: locks exclude within this mount; two overlay mounts of the same lower directory do not exclude each other, and a container's is removed with it", where)
	for _, o := range []string{"lowerdir", "upperdir"} {
		if v, ok := m.option(o); ok {
			r = r.with(o, v)
		}
	}
	if m.has("volatile") {
		r.Found += "; volatile: nothing in it survives a crash"
	}
	return r
}

func judgeFUSE(m mount, where string) Result {
	return warn("let all starts use this mount, or all the directory behind it, not both",
		"%s, from %s: flock, ofd and posix tell of this mount alone; whether the directory or server behind it knows the locks cannot be seen from here",
		where, cutPath(m.source))
}

func judgeCluster(m mount, where string) Result {
	if o := m.first("localflock", "localflocks", "noflock"); o != "" {
		return warn("start jobs on this host only, or mount it without that",
			"%s, with %s: starts on other hosts are not excluded", where, o)
	}
	return warn(localDir, "%s: locks are the cluster's; this host alone cannot tell whether they reach the others", where)
}

func orNothing(s string) string {
	if s == "" {
		return "no options"
	}
	return s
}
