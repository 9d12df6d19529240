#!/bin/sh
# Removal leaves the names alone: a running job keeps its lock, and the number of its run.
# Purging removes the files of root's names that are free. Those of other users are theirs.
set -e

dir=/var/lib/sole

# used tells whether anybody holds or waits for the lock file $1. An inode of another
# filesystem may have the same number: then a file stays behind that need not.
used() {
	grep -q ":$(stat -c %i "$1") " /proc/locks
}

purge() {
	if [ ! -d "$dir" ] || [ -L "$dir" ]; then
		return
	fi
	for lock in "$dir"/*.lock; do
		if [ ! -f "$lock" ] || [ -L "$lock" ] || used "$lock"; then
			continue
		fi
		name=$(basename "$lock" .lock)
		# Whoever opened the file meanwhile finds that it is no longer at its path,
		# and begins anew.
		flock -n -x "$lock" rm -f "$lock" "$dir/$name.seats" "$dir/$name.sock" \
			"$dir/$name.pid" "$dir/.$name.pid.id" "$dir/.$name.pid.new" || true
	done
	for lock in "$dir"/*.lock; do
		if [ -e "$lock" ]; then
			echo "sole: $(basename "$lock" .lock) is held: $dir is not removed" >&2
			return
		fi
	done
	rm -f "$dir/.floor" "$dir"/*.history "$dir"/*.history.1
	rmdir --ignore-fail-on-non-empty "$dir"
}

if [ "$1" = purge ]; then
	purge
	if [ -d /var/lib/sole-users ] && [ ! -L /var/lib/sole-users ]; then
		rmdir --ignore-fail-on-non-empty /var/lib/sole-users
	fi
fi
