package doctor

import "testing"

// Lines as Linux writes them.
const someMounts = `22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw,hidepid=invisible
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw,errors=remount-ro
31 28 0:26 / /run rw,nosuid,nodev - tmpfs tmpfs rw,size=803928k,mode=755
40 28 0:45 / /srv/jobs rw,relatime shared:70 master:3 - nfs4 filer:/export/jobs rw,vers=4.2,rsize=1048576,hard,proto=tcp,timeo=600,clientaddr=10.0.0.2,local_lock=none,addr=10.0.0.1
41 28 0:46 / /srv/v3 rw,relatime - nfs filer:/export/v3 rw,vers=3,hard,nolock,proto=tcp,mountproto=udp,local_lock=all,addr=10.0.0.1
42 28 0:47 / /srv/half rw,relatime - nfs4 filer:/half rw,vers=4.1,hard,local_lock=flock,addr=10.0.0.1
43 28 0:48 / /srv/soft rw,relatime - nfs4 filer:/soft rw,vers=4.2,soft,local_lock=none
44 28 0:49 / /mnt/share rw,relatime - cifs //server/share rw,vers=3.1.1,cache=strict,username=me,uid=0
45 28 0:50 / /mnt/nobrl rw,relatime - cifs //server/share rw,vers=3.1.1,nobrl
46 28 0:51 / /host rw,relatime - 9p host0 rw,dirsync,access=client,trans=virtio,version=9p2000.L
47 28 0:52 / /mnt/with\040blank\011and\134more rw,nosuid,nodev,relatime - fuse.sshfs me@host: rw,user_id=1000,group_id=1000
48 28 0:53 / /var/lib/docker/merged rw,relatime - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w,volatile
49 28 8:17 / /mnt/usb ro,relatime - vfat /dev/sdb1 rw,fmask=0022
50 28 0:54 / /mnt/cluster rw,relatime - lustre mgs@tcp:/fs rw,localflock
51 28 0:55 / /mnt/ceph rw,relatime - ceph 10.0.0.1:/ rw,name=admin
52 28 0:56 / /mnt/vm rw,relatime - virtiofs share rw
53 28 0:57 /@home /home rw,relatime shared:9 - btrfs /dev/sda2 rw,space_cache=v2,subvolid=257,subvol=/@home
54 28 0:58 / /mnt/new rw,relatime - whateverfs none rw
55 28 0:59 / /empty rw -  none rw
`

func TestMountsAreJudged(t *testing.T) {
	for _, c := range []struct {
		id    int
		point string
		want  Status
		words []string
	}{
		{28, "/", OK, []string{"ext4 on /", "local"}},
		{53, "/home", OK, []string{"btrfs"}},
		{31, "/run", Warning, []string{"tmpfs", "restart"}},
		{40, "/srv/jobs", Warning, []string{"nfs4", "version 4.2", "server"}},
		{41, "/srv/v3", Warning, []string{"nolock", "other hosts", "version 3"}},
		{42, "/srv/half", Warning, []string{"local_lock=flock", "other hosts"}},
		{43, "/srv/soft", Warning, []string{"soft"}},
		{44, "/mnt/share", Warning, []string{"cifs", "server"}},
		{45, "/mnt/nobrl", Warning, []string{"nobrl", "other hosts"}},
		{46, "/host", Warning, []string{"9p", "version=9p2000.L"}},
		{47, "/mnt/with blank\tand\\more", Warning, []string{"fuse.sshfs", "me@host:", "this mount alone", `"/mnt/with blank\tand\\more"`}},
		{48, "/var/lib/docker/merged", Warning, []string{"overlay", "lower directory", "volatile"}},
		{49, "/mnt/usb", Failure, []string{"read-only"}},
		{50, "/mnt/cluster", Warning, []string{"localflock", "other hosts"}},
		{51, "/mnt/ceph", Warning, []string{"ceph", "cluster"}},
		{52, "/mnt/vm", Warning, []string{"virtiofs", "this mount alone"}},
		{54, "/mnt/new", Warning, []string{"whateverfs", "not tried"}},
	} {
		m, ok := mountByID(someMounts, c.id)
		if !ok || m.point != c.point {
			t.Errorf("mount %d: %v, %+v", c.id, ok, m)
			continue
		}
		expect(t, m.point, judgeMount(m), c.want, c.words...)
	}
	if m, _ := mountByID(someMounts, 22); m.first("hidepid") != "hidepid=invisible" {
		t.Errorf("%+v", m)
	}
	if r := judgeMount(mount{kind: "overlay", super: []string{"lowerdir=/l/A:/l/B"}}); r.Facts["lowerdir"] != "/l/A:/l/B" {
		t.Errorf("%+v", r)
	}
}

func TestLinesThatAreNoMounts(t *testing.T) {
	for _, line := range []string{"", "\n", "28", "28 1 254:0 / / rw", "28 1 254:0 / / rw - ext4", "x 1 254:0 / / rw - ext4 s rw",
		"28 1 254:0 / / rw shared:1 ext4 s rw", " - ", "28 1 - ext4 s rw"} {
		if m, ok := parseMount(line); ok {
			t.Errorf("%q is taken for %+v", line, m)
		}
	}
	if s := unescape(`a\040b\777c\04`); s != `a b\777c\04` {
		t.Errorf("%q", s)
	}
}

func FuzzMount(f *testing.F) {
	f.Add(someMounts)
	f.Fuzz(func(t *testing.T, line string) {
		if m, ok := parseMount(line); ok {
			_ = judgeMount(m)
		}
	})
}
