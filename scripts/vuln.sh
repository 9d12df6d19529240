#!/bin/sh
# Looks for known vulnerabilities, where the database can be reached.
set -eu

if ! out=$(go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./... 2>&1); then
	case $out in
	*'vuln.go.dev'*|*'fetching vulnerabilities'*|*'dial tcp'*|*'proxy.golang.org'*)
		echo 'govulncheck: the database cannot be reached from here; not checked'
		exit 0
		;;
	esac
	printf '%s\n' "$out"
	exit 1
fi
printf '%s\n' "$out" | tail -n 3
