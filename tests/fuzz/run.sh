#!/bin/bash
# run.sh SECONDS: new inputs for each fuzzer with libFuzzer, ASan and UBSan, from its corpus on.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
tests/needs.sh clang "libclang-rt-$(clang -dumpversion 2>/dev/null | cut -d. -f1 || echo 14)-dev"
B=build/fuzz
san='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all'
make --no-print-directory -s B=$B CC=clang OPT='-O1 -g' HARDEN= SAN="$san" $B/libclausewatch.a
libs=$(pkg-config --libs libuv lmdb libgit2 libcurl jansson yaml-0.1 libxxhash libcrypto libzstd)
for src in tests/fuzz/fuzz_*.c; do
	name=$(basename "$src" .c)
	# shellcheck disable=SC2086
	clang -std=gnu17 -D_GNU_SOURCE -Iinclude -Idaemon -g -O1 \
		-fsanitize=address,undefined,fuzzer -fno-sanitize-recover=all \
		-o "$B/$name" "$src" $B/libclausewatch.a $libs -lpthread -lm
	mkdir -p "$B/corpus/$name"
	echo "== $name, $seconds s"
	"$B/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		"$B/corpus/$name" "tests/fuzz/corpus/${name#fuzz_}" 2>&1 |
		grep -E 'ERROR|SUMMARY|exec|number_of' || true
	if ls crash-* oom-* timeout-* >/dev/null 2>&1; then
		echo "error: $name found something: $(ls crash-* oom-* timeout-*)" >&2
		exit 1
	fi
done
