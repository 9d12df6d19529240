package lockdir

import "golang.org/x/sys/unix"

// What is decided here is decided without the Go runtime too (internal/early).

// FitDir reports whether a directory on the way to a lock can be trusted by euid.
func FitDir(mode, uid, euid uint32) bool {
	return mode&unix.S_IFMT == unix.S_IFDIR && ownedBy(uid, euid) &&
		(mode&0o022 == 0 || mode&unix.S_ISVTX != 0)
}

// FitFile reports whether a lock file can be trusted by euid.
func FitFile(mode, uid uint32, links uint64, euid uint32) bool {
	return mode&unix.S_IFMT == unix.S_IFREG && ownedBy(uid, euid) && links <= 1 && mode&0o022 == 0
}

func ownedBy(uid, euid uint32) bool { return uid == 0 || uid == euid }

// Odd returns the name of a kind of filesystem, given by its f_type (statfs(2)), that
// may grant a lock twice; "" for the others.
func Odd(kind int64) string {
	switch kind {
	case unix.FUSE_SUPER_MAGIC:
		return "FUSE"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC:
		return "SMB"
	case unix.SMB2_SUPER_MAGIC:
		return "SMB2"
	case 0xff534d42:
		return "CIFS"
	case unix.V9FS_MAGIC:
		return "9p"
	}
	return ""
}
