#!/bin/bash
# Every shipped rule keeps the word of its own examples, one line an example that does not.
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
export CLAUSEWATCH_RULES=$PWD/config/rules
out=$("$B/clausewatch" rules test --config tests/integration/empty.yaml)
status=$?
grep -E ": rule '" <<<"$out" | sed 's/^/not ok - /'
count=$(sed -n 's/^\([0-9]*\) examples of .*/\1/p' <<<"$out")
if [ "$status" = 0 ] && [ "${count:-0}" -gt 0 ]; then
	echo "ok 1 - $count examples"
else
	echo "not ok 1 - rules test ended with $status: $out"
fi
