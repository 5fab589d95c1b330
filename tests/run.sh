#!/bin/bash
# Every test, one after the other; the last line counts them: "N passed, N failed".
# Each program is one run; within it, cmocka and TAP lines are counted one by one.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# count_cmocka STATUS NAME
count_cmocka() {
	local ok bad
	ok=$(grep -c '^\[       OK \]' "$log")
	bad=$(grep -c '^\[  FAILED  \] [a-z]' "$log")
	[ "$1" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
	tally "$2" "$ok" "$bad" 0
}

count_tap() {
	local ok bad skip
	ok=$(grep -c '^ok ' "$log")
	skip=$(grep -c '^ok .*# [Ss][Kk][Ii][Pp]' "$log")
	bad=$(grep -c '^not ok ' "$log")
	[ "$1" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
	[ "$1" -eq 0 ] && [ $((ok + bad)) -eq 0 ] && bad=1
	tally "$2" $((ok - skip)) "$bad" "$skip"
}

# tally NAME PASSED FAILED SKIPPED
tally() {
	passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
	printf '%-32s %4d passed %3d failed %3d skipped\n' "$@"
	[ "$4" -eq 0 ] || grep '^ok .*# [Ss][Kk][Ii][Pp]' "$log"
	[ "$3" -eq 0 ] || sed 's/^/    /' "$log"
}

limit=${TEST_TIMEOUT:-600}
for src in tests/unit/test_*.c; do
	name=$(basename "$src" .c)
	timeout "$limit" "$B/tests/$name" >"$log" 2>&1
	count_cmocka $? "$name"
done
for src in tests/fuzz/fuzz_*.c; do
	name=$(basename "$src" .c)
	timeout "$limit" "$B/tests/$name" "tests/fuzz/corpus/${name#fuzz_}" >"$log" 2>&1
	count_tap $? "$name"
done
for script in tests/integration/*.sh; do
	[ -x "$script" ] || continue
	timeout "$limit" "$script" >"$log" 2>&1
	count_tap $? "$(basename "$script" .sh)"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
