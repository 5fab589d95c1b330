#!/usr/bin/env bash
# The hooks as git runs them: real repositories, real pushes and commits.
# usage: tests/integration/hooks.sh [PROGRAM]
set -u
export LC_ALL=C.UTF-8 TZ=UTC
cw=$(realpath "${1:-build/clausewatch}")
hooks=$(realpath "$(dirname "$0")/../../hooks")
[ -x "$cw" ] || { echo "Bail out! no program $cw"; exit 1; }
t=$(mktemp -d)
trap 'chmod -R u+rwx "$t"; rm -rf "$t"' EXIT

# Nothing of this machine or of a host may show.
for name in $(env | sed -n 's/^\(GIT_[A-Z_]*\|GL_[A-Z_]*\|GITHUB_[A-Z_]*\|GITEA_[A-Z_]*\|CLAUSEWATCH[A-Z_]*\|PRE_COMMIT[A-Z_]*\)=.*/\1/p'); do
	unset "$name"
done
export HOME=$t GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com USER=ada
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
export CLAUSEWATCH=$cw CLAUSEWATCH_RULES=$t/rules CLAUSEWATCH_CONFIG=$t/config.yaml
n=0
bad=0

ok() { # ok NAME COMMAND...: the command must succeed
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$t/.check" 2>&1; then
		echo "ok $n - $name"
	else
		bad=$((bad + 1))
		echo "not ok $n - $name"
		sed 's/^/# /' "$t/.check" | head -n 30
	fi
}

run() { # run COMMAND...: keeps status and all it says; what a server says loses its mark
	"$@" >"$t/.all" 2>&1 </dev/null
	status=$?
	sed -n 's/^remote: //p' "$t/.all" | sed 's/ *$//' >"$t/.remote"
}

push() { run git -c pack.window=0 push -q "$@"; } # without deltas against what may be missing
accepted() { [ "$status" -eq 0 ] || { echo "status $status"; cat "$t/.all"; return 1; }; }
silent() { accepted && { [ ! -s "$t/.all" ] || { echo 'it said:'; cat "$t/.all"; return 1; }; }; }
says() {
	local word
	for word in "$@"; do
		grep -qF -- "$word" "$t/.all" || { echo "no '$word' in:"; cat "$t/.all"; return 1; }
	done
}
refused() { # refused WORDS...
	[ "$status" -ne 0 ] || { echo accepted; cat "$t/.all"; return 1; }
	says 'pre-receive hook declined' "$@"
}
warned() { accepted && says "$@"; }
lacks() { ! grep -F -- "$1" "$t/.all"; }
# At most forty lines, each begun as git colours it, none of them driving a terminal.
proper() {
	[ "$(wc -l <"$t/.remote")" -le 40 ] || { echo 'more than 40 lines'; return 1; }
	! grep -vE '^(error|warning|hint): ' "$t/.remote" || return 1
	! grep -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|[\x{202a}-\x{202e}]' "$t/.remote"
}
refused_properly() { refused "$@" && proper; }

config() { printf '%s\n' "$1" >"$t/config.yaml"; }
config 'hook: {timeout: 60s}'

mkdir "$t/rules"
cat >"$t/rules/test.yaml" <<'YAML'
pack: test
lexicons:
  t-vendor: {part: who, words: ["provider"]}
  t-may: {part: may, words: ["may"]}
  t-not: {part: may, words: ["shall not"]}
  t-train: {part: for, words: ["train"]}
  t-cap: {part: what, words: ["shall not exceed"]}
terms:
  data.training-grant:
    title: Training of models
    polarity: risk
    severity: critical
    why: The vendor may train on customer data.
    advice: Strike it.
  data.no-training:
    title: No training of models
    polarity: protection
    severity: high
    why: Without it the vendor may train on customer data.
    advice: Keep it.
  liab.cap:
    title: Limit of liability
    polarity: risk
    severity: medium
    why: Liability is limited.
    advice: Raise it.
rules:
  - {id: data.training-grant/test, term: data.training-grant, frames: ["t-vendor .. t-may .. t-train"]}
  - {id: data.no-training/test, term: data.no-training, frames: ["t-vendor .. t-not .. t-train"]}
  - {id: liab.cap/test, term: liab.cap, frames: ["t-cap"]}
YAML

protects='Provider shall not use Customer Content to train any machine learning model.'
grants='Provider may use Customer Content to train any machine learning model.'
agreement() { # agreement CLAUSE
	cat <<-MD
		# Master Agreement

		## 1. Services

		1.1 Scope. Supplier delivers the hosted services described in an order form.

		1.2 Support. Supplier answers requests for help on working days.

		## 10. Data

		10.4 Customer Content. $1

		## 12. Fees

		12.1 Payment. Customer pays each invoice within thirty days after receipt.

		12.2 Taxes. Fees are exclusive of taxes, which Customer bears.
	MD
}
commit() { git add -A && git commit -q --allow-empty -m "${1:-change}"; }
back() { git reset -q --hard origin/main; git clean -qfd; }

# begin NAME: a server with the hook, and a clone that has one agreement pushed
begin() {
	cd "$t" || exit 1
	git init -q --bare -b main "$1.git"
	rm -rf "$1.git/hooks"
	mkdir "$1.git/hooks"
	ln -s "$hooks/pre-receive" "$1.git/hooks/pre-receive"
	git init -q -b main "$1"
	cd "$1" || exit 1
	git remote add origin "../$1.git"
	mkdir contracts
	agreement "$protects" >contracts/msa.md
	commit first
}

begin a
push origin main; ok 'first push of a protective agreement' silent
git fetch -q

# what an edit does
echo 'x = 1' >code.py; commit; push origin main; ok 'no document' silent
sed -i 's/working days/business days/' contracts/msa.md; commit; push origin main
ok 'harmless edit' silent
sed -i 's/^1\.1 /1.01 /; s/Provider shall not use Customer Content/Provider shall not\nuse  Customer Content/' contracts/msa.md
sed -i 's/## 10. Data/## X. Data/' contracts/msa.md; commit; push origin main
ok 'renumbered and reflowed' silent
agreement "$grants" >contracts/msa.md; commit; push origin main
ok 'risky edit' refused_properly 'error: push refused: 2 riskier changes in 1 document (pushed by ada)' \
	'contracts/msa.md, 10.4 Customer Content, line 11: Training of models (critical, appeared)' \
	"after: “$grants”" 'why: The vendor may train' 'Strike it.' 'clausewatch explain CW-' \
	'checked 1 document, 0 not checked'
ok 'the lost protection of it' says 'former line' "before: “$protects”" '(high, removed)'
agreement "$protects" >contracts/msa.md; commit; push origin main
ok 'fixed by a later commit' silent
sed -i '/10.4/d' contracts/msa.md; commit; push origin main
ok 'protection deleted' refused_properly 'No training of models (high, removed)' "before: “$protects”"
back
agreement "$protects The total shall not exceed ten dollars." >contracts/msa.md; commit
push origin main; ok 'below fail_on' warned 'warning: contracts/msa.md' 'Limit of liability (medium'
rm contracts/msa.md; commit; push origin main
ok 'deleted document' warned 'warning: contracts/msa.md is deleted, and with it 1 protection: No training of models'
agreement "$protects" >contracts/msa.md; commit; push origin main; git fetch -q
long=$(printf 'and so the parties agree %.0s' $(seq 60))
sed -i "s/Supplier answers/Whereas $long, Provider may train, $long. Supplier answers/" contracts/msa.md
commit; push origin main
ok 'long sentence' refused_properly 'Provider may train'
ok 'shortened' [ "$(awk '{ if (length > m) m = length } END { print m }' "$t/.remote")" -lt 300 ]
back

# references
git checkout -q -b topic; agreement "$protects" | sed 's/thirty/sixty/' >contracts/msa.md; commit
push origin topic; ok 'new branch' silent
agreement "$grants" >contracts/msa.md; commit; push origin topic topic:other
ok 'two references, one state' refused_properly 'push refused: 2 riskier changes in 1 document'
git checkout -q main; back
git checkout -q -b risky; agreement "$grants" >contracts/msa.md; commit
git checkout -q main; echo text >readme.txt; commit
push origin main risky; ok 'two references, one of them risky' refused 'Training of models'
push origin main; ok 'the other alone' silent
git fetch -q
push origin :topic; ok 'deleted branch' silent
git tag -a v1 -m one; push origin v1; ok 'tag of what is there' silent
git tag v2 risky; push origin v2; ok 'tag of what is not' refused 'Training of models'
git tag blob "$(git rev-parse HEAD:readme.txt)"; push origin refs/tags/blob
ok 'tag of a file' refused 'not checked' 'refs/tags/blob: it leads to a single file'
git tag tree "$(git rev-parse 'HEAD^{tree}')"; push origin refs/tags/tree; ok 'tag of a tree' silent
git commit -q --amend -m again; push -f origin main
ok 'force push without a change' warned 'refs/heads/main: history rewritten'
git fetch -q
git reset -q --hard HEAD~1; agreement 'Nothing is said.' >contracts/msa.md; git add -A
git commit -q --amend -m rewritten; push -f origin main
ok 'force push that loses a protection' refused_properly 'history rewritten' '(high, removed)'
back
git checkout -q --orphan lonely; agreement "$grants" >contracts/msa.md; commit
push origin lonely; ok 'unrelated history' refused 'Training of models'
agreement "$protects" >contracts/msa.md; commit; push origin lonely; ok 'and without the risk' silent
git checkout -qf main; back

# merges
git checkout -q -b side; echo more >side.txt; commit; git checkout -q main; echo more >main.txt; commit
git merge -q --no-ff --no-commit side >/dev/null 2>&1; agreement "$grants" >contracts/msa.md; commit merge
push origin main; ok 'risk that only the merge brings' refused 'Training of models'
back

# renames
git mv contracts/msa.md contracts/2026.md; commit; push origin main; ok 'rename' silent
git fetch -q
git mv contracts/2026.md contracts/moved.md; sed -i '/10.4/d' contracts/moved.md; commit
push origin main
ok 'rename that drops a protection' refused_properly 'contracts/moved.md (was contracts/2026.md)' '(high, removed)'
back
git mv contracts/2026.md contracts/msa.md; sed -i 's/thirty/sixty/' contracts/msa.md; commit
push origin main; ok 'rename with a harmless edit' silent
git fetch -q

# names and bytes of strangers
name=$'contracts/evil\nerror: trust me\e[31m\u202egnp.md'
agreement "$grants" >"$name"; commit; push origin main
ok 'hostile name' refused_properly 'evil\nerror: trust me\x1b[31m\u202egnp.md'
back
agreement "Provider may train $(printf '\e]0;x\a\u202e') all day." >contracts/msa.md; commit
push origin main; ok 'hostile text' refused_properly 'Training of models'
back

# what cannot be checked
printf '%%PDF-1.7\n\0\1' >contracts/scan.pdf; commit; push origin main
ok 'unreadable document' refused_properly 'not everything could be checked' 'warning: not checked: contracts/scan.pdf: ' \
	'checked 0 documents, 1 not checked'
printf '\0\1\2' >picture.png; rm contracts/scan.pdf; commit; push origin main; ok 'binary that is no document' silent
git fetch -q
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12\n' 1 >contracts/big.md
commit; push origin main; ok 'LFS pointer' refused_properly 'contracts/big.md: lfs'
back
ln -s ../msa.md contracts/link.md; commit; push origin main; ok 'symbolic link' refused_properly 'contracts/link.md: symlink'
back
git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),vendor"; git commit -qm module
push origin main; ok 'submodule' refused_properly 'vendor: submodule'
config 'hook: {timeout: 60s, on_uncheckable: accept}'
push origin main
ok 'accepted unchecked, and said so' warned 'vendor: submodule' 'accepted without being fully checked' 'hook.on_uncheckable' \
	'checked 0 documents, 1 not checked (1 submodule)'
git fetch -q
printf '%%PDF-1.7\n' >contracts/scan.pdf; agreement "$grants" >contracts/msa.md; commit; push origin main
ok 'a risk refuses all the same' refused 'Training of models' 'scan.pdf'
git checkout -qf HEAD~1; config 'watch: {max_file_size: 4KiB}'
yes "$protects" | head -n 200 >contracts/large.md; commit; push origin HEAD:refs/heads/large
ok 'too large' refused 'large.md: too-large'
config 'hook: {timeout: 60s}'; git checkout -qf main; back

# configuration and rules
config 'hook: {fail_onn: high}'; agreement "$grants" >contracts/msa.md; commit; push origin main
ok 'wrong configuration' refused 'the configuration cannot be used' 'config.yaml:1:8'
config 'hook: {timeout: 60s}'
CLAUSEWATCH_RULES=$t/none push origin main; ok 'no rules' refused 'the rules cannot be used' "$t/none"
mkdir "$t/broken"; echo 'rulez: []' >"$t/broken/x.yaml"
CLAUSEWATCH_RULES=$t/broken push origin main; ok 'broken rules' refused 'the rules cannot be used' 'x.yaml:1:1'
config 'hook: {fail_on: critical, timeout: 60s}'; push origin main
ok 'fail_on' refused 'push refused: 1 riskier change in 1 document' 'warning: contracts/msa.md'
config 'terms: {"data.*": {mode: warn}}'; push origin HEAD:refs/heads/warn
ok 'mode warn' warned 'warning: contracts/msa.md, 10.4 Customer Content'
config 'terms: {"data.*": {mode: shadow}}'; push origin HEAD:refs/heads/shadow; ok 'mode shadow' silent
config 'terms: {"data.*": {mode: "off"}}'; push origin HEAD:refs/heads/off; ok 'mode off' silent
push origin :warn :shadow :off
config 'terms: {"data.*": {severity: low}}'; push origin HEAD:refs/heads/low; ok 'severity from the configuration' silent
push origin :low
config 'hook: {timeout: 60s}'

# hosts
GL_PROTOCOL=web GL_USERNAME=gil push origin main
ok 'one line for a web page' [ "$(grep -c . "$t/.remote")" -eq 1 ]
ok 'that is marked' refused 'GL-HOOK-ERR: push refused: 2 riskier changes in 1 document (pushed by gil): contracts/msa.md, 10.4'
GITHUB_USER_LOGIN=hub push origin main; ok 'who pushes: GitHub' refused 'pushed by hub'
GITEA_PUSHER_NAME=tea push origin main; ok 'who pushes: Gitea' refused 'pushed by tea'
GL_USER=lite push origin main; ok 'who pushes: gitolite' refused 'pushed by lite'
GL_USER=$'x\ny\e[1m' push origin main; ok 'who pushes: hostile' refused_properly 'pushed by x\ny\x1b[1m'
back

# many
for i in $(seq 200); do agreement "$protects Number $i." >"contracts/$i.md"; done; commit
push origin main; ok '200 documents' silent
git fetch -q
for i in $(seq 60); do agreement "$grants Number $i." >"contracts/$i.md"; done
for i in $(seq 61 90); do printf '%%PDF-1.7 %s' "$i" >"contracts/$i.pdf"; done
rm contracts/1[0-9][0-9].md; commit; push origin main
ok 'more than can be told' refused_properly '120 riskier changes in 60 documents' 'and 115 more' 'not checked: 26 more' \
	'checked 60 documents, 30 not checked (30 unsupported)'
back

# time
yes "$protects $long" | head -n 3000 | nl -ba >"$t/huge.txt"
for i in $(seq 12); do sed "s/^/$i/" "$t/huge.txt" >"contracts/huge$i.txt"; done; commit
config 'hook: {timeout: 100ms}'; push origin main
ok 'no time' refused 'could' 'be checked within 100 ms'
config 'hook: {timeout: 100ms, on_timeout: accept, on_uncheckable: reject}'; push origin HEAD:refs/heads/late
ok 'no time, accepted' warned 'accepted without being'
config 'hook: {timeout: 60s}'; back

# what no check may do: take for ever, or end in silence
mkfifo "$t/fifo"
start() { # a hook whose list of updates never ends
	GIT_DIR=$t/a.git "$cw" hook pre-receive <"$t/fifo" >"$t/.all" 2>&1 &
	pid=$!
	exec 8>"$t/fifo"
}
finish() { wait "$pid" 2>/dev/null; status=$?; exec 8>&-; }
guards() { (((0x$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status") & 0x20) != 0)); }
config 'hook: {timeout: 100ms}'; start; finish
ok 'out of time' says 'error: push refused: it could not be checked within 100 ms'
ok 'its status' [ "$status" -eq 3 ]
config 'hook: {timeout: 60s}'; start
for _ in $(seq 1000); do guards && break; sleep 0.01; done
kill -ABRT "$pid"; finish
ok 'broken down' says 'error: push refused: the check itself broke down'
ok 'its status' [ "$status" -eq 3 ]

# other repositories
if git init -q --bare --object-format=sha256 -b main "$t/sha256.git" 2>/dev/null; then
	cp -P "$t/a.git/hooks/pre-receive" "$t/sha256.git/hooks"
	git init -q --object-format=sha256 -b main "$t/sha256"
	cd "$t/sha256" && agreement "$protects" >a.md && commit
	push "$t/sha256.git" main; ok 'SHA-256' refused 'not checked: unsupported'
	config 'hook: {on_uncheckable: accept}'; push "$t/sha256.git" main
	ok 'SHA-256, accepted' warned 'not checked: unsupported' 'accepted without being fully checked'
	config 'hook: {timeout: 60s}'
fi
begin damaged
push origin main; ok 'before the damage' silent
object=$(git rev-parse HEAD:contracts/msa.md)
agreement "$protects More." >contracts/msa.md; commit
find "$t/damaged.git/objects" -path "*${object:0:2}/${object:2}" -delete
push --no-thin origin main; ok 'missing object' refused 'not checked: contracts/msa.md: unreadable: the version before'
begin first
agreement "$grants" >contracts/msa.md; commit; push origin main
ok 'risky first push' refused 'Training of models (critical, appeared)'
cd "$t" && run sh -c "echo nonsense | GIT_DIR=$t/a.git '$cw' hook pre-receive"
ok 'nonsense on standard input' [ "$status" -eq 2 ]
run "$cw" hook pre-recieve; ok 'nearest hook' says "did you mean 'pre-receive'?"
PATH=/usr/bin:/bin CLAUSEWATCH='' run sh "$t/a.git/hooks/pre-receive"
ok 'program not found' says 'the program clausewatch is not found'

# at work
begin work
printf '#!/bin/sh\nexit 0\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
run "$cw" hook install; ok 'a foreign hook stays' [ "$status" -eq 2 ]
ok 'with the cure' says '--chain' 'pre-commit.d/00-previous'
rm .git/hooks/pre-commit
run "$cw" hook install; ok 'install' warned 'installed' '.git/hooks/pre-commit'
run "$cw" hook install; ok 'install twice' warned 'installed already'
sed -i 's/version .*/version 0.0.0./' .git/hooks/pre-commit
run "$cw" hook install; ok 'install over an older one' warned 'updated'
run git commit -q --allow-empty -m nothing; ok 'commit of nothing' silent
agreement "$grants" >contracts/msa.md
run git commit -q --allow-empty -m unstaged; ok 'only what is staged counts' silent
run git commit -qam risky
ok 'risky commit' [ "$status" -eq 1 ]
ok 'its words' says 'error: commit refused: 2 riskier changes in 1 document' 'contracts/msa.md, 10.4'
ok 'nobody pushes' lacks 'pushed by'
git add -A; agreement "$protects" >contracts/msa.md
run git commit -q -m staged; ok 'staged, though repaired since' [ "$status" -eq 1 ]
git add -A; run git commit -q --allow-empty -m repaired; ok 'repaired commit' silent
run git commit -q --amend --allow-empty -m amended; ok 'amended commit' silent
run "$cw" hook doctor; ok 'doctor' warned 'pre-commit runs clausewatch' 'refuses from high up'
chmod -x .git/hooks/pre-commit
run "$cw" hook doctor; ok 'doctor finds what is wrong' says 'bad:' 'not executable'
ok 'and says so' [ "$status" -eq 1 ]
mkdir .git/hooks/other; git config core.hooksPath .git/hooks/other
run "$cw" hook install; ok 'core.hooksPath' says 'core.hooksPath' 'git config --unset'
ok 'and nothing is written' [ "$status" -eq 2 ]
git config --unset core.hooksPath
run "$cw" hook install --type nonsense; ok 'no such type' [ "$status" -eq 2 ]
rm .git/hooks/pre-commit
git init -q --bare "$t/plain.git"; git remote add plain "$t/plain.git"
run "$cw" hook install --type pre-push; ok 'install before a push' accepted
push plain main; ok 'push' silent
agreement "$grants" >contracts/msa.md; commit; push plain main
ok 'risky push does not leave' says 'error: push refused' 'Training of models'
git checkout -q -b other; push plain other; ok 'nor as a new branch' says 'error: push refused'
push plain :main; ok 'deleted from here' [ "$status" -eq 0 -o "$(grep -c 'push refused' "$t/.all")" -eq 0 ]
PRE_COMMIT_REMOTE_BRANCH=refs/heads/main PRE_COMMIT_FROM_REF=HEAD~1 PRE_COMMIT_TO_REF=HEAD \
	run "$cw" hook pre-push plain "$t/plain.git"
ok 'through a framework' [ "$status" -eq 1 ]

# on a server
run "$cw" hook install "$t/plain.git"; ok 'install in a bare repository' says 'plain.git/hooks/pre-receive'
printf '#!/bin/sh\ncat >>%s/previous\n' "$t" >"$t/plain.git/hooks/pre-receive"
run "$cw" hook install --chain "$t/plain.git"; ok 'chain' accepted
push --no-verify plain other; ok 'chained' refused 'Training of models'
ok 'the previous one read the updates too' grep -q refs/heads/other "$t/previous"
printf '#!/bin/sh\nexit 7\n' >"$t/plain.git/hooks/pre-receive.d/00-previous"
git checkout -qf main; git reset -q --hard HEAD~1
push --no-verify plain main:harmless; ok 'the previous one may refuse' refused

# after a push
cat >"$t/listen.py" <<'PY'
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
server.settimeout(20)
print("ready", flush=True)
print(server.accept()[0].makefile().readline(), end="", flush=True)
PY
config "socket: $t/control.sock"
ln -s "$hooks/post-receive" "$t/a.git/hooks/post-receive"; cd "$t/a" || exit 1
echo x >>readme.txt; commit; push origin HEAD:refs/heads/nudge; ok 'no daemon' silent
exec 9< <(python3 "$t/listen.py" "$t/control.sock")
read -r -u 9 line
echo y >>readme.txt; commit; push origin HEAD:refs/heads/nudge; ok 'daemon' silent
read -r -u 9 line
ok 'it was told' [ "$line" = "{\"op\":\"nudge\",\"repository\":\"$(realpath "$t/a.git")\"}" ]

echo "1..$n"
echo "# $((n - bad)) of $n passed"
[ "$bad" -eq 0 ]
