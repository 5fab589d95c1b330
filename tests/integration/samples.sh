#!/bin/bash
# `make run` as a new user sees it: four alerts arrive, and the one that the README shows is printed.
cd "$(dirname "$0")/../.." || exit 1
out=$(BUILD=${B:-build} config/samples/run.sh --once 2>&1)
status=$?
if [ "$status" = 0 ]; then
	echo "ok 1 - the samples run and stop"
else
	echo "not ok 1 - the samples ended with $status"
	sed 's/^/# /' <<<"$out" | tail -20
fi
alerts=$(grep -c 'signature ok, answered 200' <<<"$out")
[ "$alerts" = 4 ] && echo "ok 2 - four signed alerts" || echo "not ok 2 - $alerts signed alerts, not 4"
missing=$(sed -n '/^dev\.clausewatch\.protection\.lost/,/^```/p' README.md | grep -v -e '^```' -e '^  evt_' |
	while IFS= read -r line; do
		grep -qxF -- "$line" <<<"$out" || echo "# $line"
	done)
[ -z "$missing" ] && echo "ok 3 - the README shows what is printed" ||
	printf 'not ok 3 - the README shows what is not printed:\n%s\n' "$missing"
