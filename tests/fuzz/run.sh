#!/bin/bash
# run.sh SECONDS [NAME...]: new inputs for each fuzzer (or those named) with libFuzzer, ASan and
# UBSan, from its corpus on.  What it finds is kept in build/fuzz/found/.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- $(basename -s .c tests/fuzz/fuzz_*.c | sed 's/^fuzz_//')
tests/needs.sh clang "libclang-rt-$(clang -dumpversion 2>/dev/null | cut -d. -f1 || echo 14)-dev"
B=build/fuzz
san='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all'
make --no-print-directory -s B=$B CC=clang OPT='-O1 -g' HARDEN= SAN="$san" $B/libclausewatch.a
libs=$(pkg-config --libs libuv lmdb libgit2 libcurl jansson yaml-0.1 libxxhash libcrypto libzstd)
mkdir -p $B/found
found=0
for name in "$@"; do
	# shellcheck disable=SC2086
	clang -std=gnu17 -D_GNU_SOURCE -Iinclude -Idaemon -g -O1 \
		-fsanitize=address,undefined,fuzzer -fno-sanitize-recover=all \
		-o "$B/fuzz_$name" "tests/fuzz/fuzz_$name.c" $B/libclausewatch.a $libs -lpthread -lm
	mkdir -p "$B/corpus/$name"
	echo "== $name, $seconds s"
	log=$B/found/$name.log
	if "$B/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$B/found/$name-" \
		"$B/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		grep -E 'number_of_executed|new_units|peak_rss' "$log"
		rm "$log"
	else
		grep -E 'ERROR|SUMMARY|runtime error|does not hold|Test unit|^    #[0-9] .*/(daemon|tests)/' "$log" || tail "$log"
		echo "error: $name found something, see $log" >&2
		found=1
	fi
done
exit $found
