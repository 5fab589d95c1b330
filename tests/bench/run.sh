#!/bin/bash
# Figures of the parts, then of the program beside others over the same files; about two minutes.
# Documents come from $CORPORA (../shared/corpora), else the samples stand in for them.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
CORPORA=${CORPORA:-../shared/corpora}
texts=("$CORPORA"/gold-dev/docs "$CORPORA"/cuad-dev/txt)
if [ ! -d "${texts[0]}" ] || [ ! -d "${texts[1]}" ]; then
	echo "no documents in $CORPORA (set CORPORA): the samples, many times over, stand in for them"
	mkdir "$t/texts"
	for i in $(seq 100); do
		for f in config/samples/contracts/*; do
			cp "$f" "$t/texts/$i-$(basename "$f")"
		done
	done
	texts=("$t/texts")
fi
find -L "${texts[@]}" -type f \( -name '*.txt' -o -name '*.md' \) -print0 | sort -z >"$t/list"

libs=$(pkg-config --libs libuv lmdb libgit2 libcurl jansson yaml-0.1 libxxhash libcrypto libzstd)
for src in tests/bench/bench_*.c; do
	name=$(basename "$src" .c)
	# shellcheck disable=SC2086
	${CC:-cc} -std=gnu17 -O2 -g -D_GNU_SOURCE -Iinclude -Idaemon -o "$t/$name" "$src" \
		"$B/libclausewatch.a" $libs -lpthread -lm
	echo "== $name"
	case $name in
	bench_text) xargs -0 "$t/$name" <"$t/list" ;;
	bench_store) mkdir "$t/store" && "$t/$name" "$t/store" 2000 ;;
	*) "$t/$name" ;;
	esac
done
python3 tests/bench/programs.py "$B/clausewatch" "$t" "$t/list"
