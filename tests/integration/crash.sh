#!/usr/bin/env bash
# The daemon is killed at random moments while documents are edited.  In the end every document
# must be known as it is, every change must have been told, none that never was, and what was told
# twice must carry the same webhook-id.
# usage: tests/integration/crash.sh [BUILD_DIRECTORY [KILLS [SEED]]]; needs jq.
build=$(realpath "${1:-${B:-build}}")
kills=${2:-10}
RANDOM=${3:-$$}
t=$(mktemp -d)
. "$(dirname "$0")/daemon_lib.sh"
trap finish EXIT
docs=6

start_receiver || { echo "Bail out! no receiver"; exit 1; }
write_config
# Each document swings between a protection and a grant; the number in it makes every text new.
write_doc() { # write_doc NUMBER ROUND
	local sentence=$PROTECT
	[ $(($2 % 2)) -eq 0 ] || sentence=$GRANT
	agreement "number $1, round $2" "$sentence" "$CAP" >"$t/legal/.doc$1" &&
		mv "$t/legal/.doc$1" "$t/legal/doc$1.md"
}
for d in $(seq $docs); do write_doc "$d" 0; done
start_daemon
heard '.data.cause == "first-scan"' >/dev/null || { echo "Bail out! no first scan"; exit 1; }

told() { events | jq -s --arg path "doc$1.md" 'map(select(.data.path == $path)) | unique_by(.id) | length'; }
all_told() { [ "$(told "$1")" -ge "$expected" ]; }
round=0
expected=0
# An edit is only counted once the one before it was told: what nobody could see is not owed.
for kill in $(seq "$kills"); do
	round=$((round + 1))
	for d in $(seq $docs); do
		write_doc "$d" "$round"
		[ $((RANDOM % 3)) -ne 0 ] || sleep "0.0$((RANDOM % 10))"
	done
	sleep "0.$(printf '%03d' $((RANDOM % 200)))"
	kill -KILL "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null
	start_daemon
	expected=$((expected + 1))
	for d in $(seq $docs); do
		within 15 all_told "$d" || { echo "# doc$d: $(told "$d") of $expected"; break; }
	done
done
ok "ends in order" stop_daemon

lost=0
invented=0
for d in $(seq $docs); do
	have=$(told "$d")
	[ "$have" -ge "$expected" ] || lost=$((lost + expected - have))
	[ "$have" -le "$expected" ] || invented=$((invented + have - expected))
done
strangers=$(count '(.data.path // "" | test("^doc[0-9]+[.]md$") | not) and .data.cause != "first-scan"')
summaries=$(events | jq -s 'map(select(.data.cause == "first-scan")) | unique_by(.id) | length')
repeated=$(events | jq -r .id | sort | uniq -d | wc -l)
bodies=$(jq -r '[."webhook-id", .body] | @tsv' "$got" | sort -u | cut -f1 | uniq -d | wc -l)
ok "events lost: $lost" test "$lost" -eq 0
ok "events invented: $((invented + strangers))" test $((invented + strangers)) -eq 0
ok "one summary" test "$summaries" -eq 1
ok "sent again, with the same id and the same bytes: $repeated" test "$bodies" -eq 0
echo "1..$n"
echo "# $kills kills, $((docs * expected)) edits, $((n - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
