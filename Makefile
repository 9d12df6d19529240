# make        build bin/sole
# make demo   build it, and run a job, a start that is skipped, ls and history
# make test   everything that must hold before a change lands
# make man    write docs/man/*.1 anew, from the tables of cmd/sole and docs/man/src
# make package  Debian and RPM packages in dist
# make bench  the figures of docs/figures.md, as ratios against the peers

GO      ?= go
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X main.version=$(VERSION) $(EARLY)
# Enter the program before the Go runtime starts (internal/early). EARLY= leaves it out.
EARLY   ?= $(if $(filter linux/amd64 linux/arm64,$(shell $(GO) env GOOS)/$(shell $(GO) env GOARCH)),-E _sole_early)
# How long the long targets run.
DURATION ?= 1m
BIN      ?= bin/sole

export CGO_ENABLED = 0

.PHONY: build demo test man check race cross vuln torture fuzz bench install clean

build:
	$(GO) build -trimpath $(BUILDFLAGS) -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/sole
	$(GO) build -trimpath $(BUILDFLAGS) -ldflags '-s -w' -o $(dir $(BIN))sole-top ./cmd/sole-top

demo: build
	sh examples/demo.sh bin/sole

test:
	sh scripts/test-packages.sh
	$(MAKE) check cross arm64 spin race fuzz-short bench-short vuln

check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt: the files above are not formatted'; exit 1; }
	$(GO) vet ./...
	cd bench && $(GO) vet ./...
	GOOS=linux GOARCH=arm64 $(GO) vet ./...
	$(GO) tool staticcheck ./...
	shellcheck scripts/*.sh examples/*.sh examples/sh/*.sh packaging/*.sh cmd/sole/completion/sole.bash test/spin/*.sh .ci/run
	mandoc -T lint -W warning docs/man/*.1

# A test says when this is due.
man:
	$(GO) test -count=1 -run '^TestManPages$$' ./cmd/sole -update

# The race detector needs cgo. internal/early has a single thread, and reads a disassembly for
# minutes under it. Each program with it sleeps for a second at its end unless told otherwise.
race:
	GORACE=atexit_sleep_ms=0 CGO_ENABLED=1 $(GO) test -race -timeout 12m $$($(GO) list ./... | grep -v /internal/early$$)
	$(GO) test -timeout 12m ./internal/early
	cd bench && CGO_ENABLED=1 $(GO) test -race ./...

cross:
	set -e; for t in linux/amd64 linux/arm64 darwin/arm64 freebsd/amd64 windows/amd64; do \
		echo "build $$t"; GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -o /dev/null ./cmd/sole; \
		GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build ./...; done

.PHONY: arm64
arm64:
	sh scripts/arm64.sh

# The model of the queue, and its seeded faults.
.PHONY: spin
spin:
	sh test/spin/check.sh

vuln:
	sh scripts/vuln.sh

torture:
	DURATION=$(DURATION) SOLE_FULL=1 $(GO) test -count=1 -timeout 0 -v ./test/torture ./test/model

.PHONY: fuzz-short bench-short
fuzz-short:
	$(MAKE) fuzz DURATION=3s

fuzz:
	$(GO) test -run xxx -fuzz FuzzDecode -fuzztime $(DURATION) ./internal/record
	$(GO) test -run xxx -fuzz FuzzSealed -fuzztime $(DURATION) ./internal/record
	$(GO) test -run xxx -fuzz FuzzRoundTrip -fuzztime $(DURATION) ./internal/record
	$(GO) test -run xxx -fuzz FuzzParse -fuzztime $(DURATION) ./internal/history
	$(GO) test -run xxx -fuzz FuzzCrontab -fuzztime $(DURATION) ./internal/crontab
	$(GO) test -run xxx -fuzz FuzzMount -fuzztime $(DURATION) ./internal/doctor
	$(GO) test -run xxx -fuzz FuzzRule -fuzztime $(DURATION) ./internal/doctor
	$(GO) test -run xxx -fuzz FuzzIdentity -fuzztime $(DURATION) ./internal/pidfile
	$(GO) test -run xxx -fuzz FuzzRequest -fuzztime $(DURATION) ./internal/control
	$(GO) test -run xxx -fuzz FuzzFrame -fuzztime $(DURATION) ./internal/control

bench: build
	cd bench && $(GO) run . -sole ../bin/sole -duration $(DURATION)

bench-short: build
	cd bench && $(GO) run . -sole ../bin/sole -duration 8s

install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 bin/sole $(DESTDIR)$(PREFIX)/bin/sole
	install -d $(DESTDIR)$(PREFIX)/libexec/sole
	install -m 755 bin/sole-top $(DESTDIR)$(PREFIX)/libexec/sole/sole-top
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	bin/sole completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sole
	bin/sole completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sole
	bin/sole completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/sole.fish

# dist/*.deb and dist/*.rpm, for amd64 and arm64.
.PHONY: package
package:
	VERSION='$(VERSION)' sh packaging/build.sh

clean:
	rm -rf bin dist
