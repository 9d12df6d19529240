module github.com/sole-run/sole/bench

go 1.26.0

replace github.com/sole-run/sole => ../

require (
	github.com/gofrs/flock v0.13.2
	github.com/nightlyone/lockfile v1.0.0
	github.com/sole-run/sole v0.0.0
	golang.org/x/sys v0.49.0
)
