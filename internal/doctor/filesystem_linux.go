package doctor

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// checkFilesystem says what the directory is on.
func checkFilesystem(p Place) Result {
	s, err := p.find()
	if err != nil {
		return skip("there is no directory to look at")
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(s.dir, &st); err != nil {
		return trouble(os.NewSyscallError("fstatfs", err))
	}
	m, err := mountOf(s.dir)
	if err != nil {
		return warn("", "its mount cannot be looked up: %v", err).with("magic", fmt.Sprintf("%#x", st.Type))
	}
	if st.Flags&unix.ST_RDONLY != 0 && !m.has("ro") {
		m.options = append(m.options, "ro")
	}
	return judgeMount(m).
		with("type", m.kind).with("magic", fmt.Sprintf("%#x", st.Type)).
		with("source", m.source).with("mounted_on", m.point).
		with("options", strings.Join(m.options, ",")).with("super_options", strings.Join(m.super, ","))
}

// mountOf finds the mount that the open directory is on. By its number: paths can be
// hidden by later mounts.
func mountOf(dir int) (mount, error) {
	info, err := os.ReadFile("/proc/self/fdinfo/" + itoa(dir))
	if err != nil {
		return mount{}, err
	}
	id := -1
	for line := range strings.Lines(string(info)) {
		if v, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			id, err = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	if err != nil || id < 0 {
		return mount{}, errors.New("/proc/self/fdinfo does not tell the mount")
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return mount{}, err
	}
	m, ok := mountByID(string(text), id)
	if !ok {
		return mount{}, fmt.Errorf("mount %d is not in /proc/self/mountinfo", id)
	}
	return m, nil
}
