#!/usr/bin/env bash
# The command line as a user meets it: exit statuses, messages, odd files, every output.
# usage: tests/integration/cli.sh [PROGRAM]; needs jq and xmllint for some of the checks.
set -u
export LC_ALL=C.UTF-8
cw=$(realpath "${1:-build/clausewatch}")
[ -x "$cw" ] || { echo "Bail out! no program $cw"; exit 1; }
t=$(mktemp -d)
trap 'chmod -R u+rwx "$t"; rm -rf "$t"' EXIT
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
		sed 's/^/# /' "$t/.check" | head -n 20
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

run() { # run ARGS...: keeps status, .out and .err
	"$cw" "$@" >"$t/.out" 2>"$t/.err" </dev/null
	status=$?
}

is() { # is STATUS [WORDS on standard error]
	[ "$status" -eq "$1" ] || { echo "status $status, not $1"; cat "$t/.err"; return 1; }
	[ $# -lt 2 ] || grep -qF -- "$2" "$t/.err" || { echo "no '$2' in:"; cat "$t/.err"; return 1; }
}

out_has() { grep -qF -- "$1" "$t/.out" || { echo "no '$1' in:"; cat "$t/.out"; return 1; }; }
json() { jq -e "$1" "$t/.out"; }
lines() { jq -se "$1" "$t/.out"; }

# A pack of its own, so that these tests say nothing of the shipped rules.
mkdir "$t/rules" "$t/docs"
cat >"$t/rules/test.yaml" <<'YAML'
pack: test
lexicons:
  t-vendor: {part: who, words: ["supplier", "we"]}
  t-train: {part: for, words: ["train~", "fine tune~"]}
  t-model: {part: what, words: ["model+"]}
terms:
  data.training-grant:
    codes: [USE-04]
    title: Training of models
    polarity: risk
    severity: high
    why: The vendor may train on customer data.
    advice: Strike it.
    wording: Vendor shall not train models.
rules:
  - id: data.training-grant/test
    term: data.training-grant
    frames: ["t-vendor .. t-train .. t-model"]
    match: ["Supplier may use Customer Data to train models."]
    no_match: ["Supplier shall deliver the goods."]
YAML
export CLAUSEWATCH_RULES=$t/rules

risky='Supplier may use Customer Data to train its models, "=1+1".'
printf '# Agreement\n\n## 10.4 Customer Content\n\n%s\n' "$risky" >"$t/docs/risky.md"
printf '# Agreement\n\nSupplier shall deliver the goods.\n' >"$t/docs/clean.md"
cd "$t" || exit 1

# exit statuses and options
run --version; ok 'version' is 0
run; ok 'no verb' is 2
run scna; ok 'nearest verb' is 2 "did you mean 'scan'?"
run scan; ok 'no path' is 2 'which PATH'
run scan --fail-onn high docs; ok 'nearest option' is 2 "did you mean '--fail-on'?"
run scan --fail-on hihg docs; ok 'nearest severity' is 2 "did you mean 'high'?"
run scan --format sarfi docs; ok 'nearest format' is 2 "did you mean 'sarif'?"
run scan -o sarif docs; ok 'output without file' is 2 'FORMAT=FILE'
run scan --jobs 0 docs; ok 'no jobs' is 2 "'--jobs'"
run scan --legacy-before 2022-02-30 docs; ok 'no such day' is 2 'YYYY-MM-DD'
run scan --term 'data.nothing*' docs; ok 'no such term' is 2 'no term'
run scan docs/clean.md; ok 'clean' is 0
run scan docs/risky.md; ok 'risk' is 1
run scan --fail-on critical docs/risky.md; ok 'below --fail-on' is 0
run scan --min-severity critical docs/risky.md; ok 'below --min-severity' is 0
run scan --term 'liab.*' docs/risky.md; ok 'glob without terms' is 2
run scan --term 'data.*' docs/risky.md; ok 'other terms' is 1
run scan docs/missing.md; ok 'missing file' is 3 'No such file'
run scan docs/missing.md docs/risky.md; ok 'findings beat unchecked' is 1
run scan -o jsonl=/nowhere/x docs; ok 'output that cannot be written' is 2 '/nowhere/x'
run scan --rules "$t/none" docs; ok 'missing rules' is 2 "$t/none"
mkdir bad && printf 'rulez: []\n' >bad/x.yaml
run scan --rules bad docs; ok 'wrong rules' is 2 'bad/x.yaml:1:'
CLAUSEWATCH_RULES=$t/none run scan docs; ok 'no shipped rules' is 2

# standard input
"$cw" scan --format jsonl --stdin-name mail.txt - <docs/risky.md >.out 2>.err
status=$?
ok 'standard input' is 1
ok 'its name' lines 'all(.[] | select(.path); .path == "mail.txt")'

# files that cannot be read, and odd ones
printf '%%PDF-1.7\n' >docs/x.pdf
head -c 300 /dev/zero >docs/zeros.txt
printf 'x' >docs/logo.png
printf '\377\376' >docs/wide.txt
iconv -t UTF-16LE docs/risky.md >>docs/wide.txt
printf 'Supplier\222s right: Supplier may use data to train models. Caf\351.\n' >docs/old.txt
cp docs/risky.md 'docs/new
line.md'
cp docs/risky.md $'docs/bad\xff.md'
: >docs/empty.txt
ln -s loop docs/loop
mkdir docs/sub && ln -s .. docs/sub/up && cp docs/clean.md docs/sub
run scan --format jsonl docs
ok 'odd files' is 1
ok 'PDF is named' lines 'any(.[]; .kind == "error" and .code == "unsupported" and .path == "docs/x.pdf")'
ok 'binary is no text' lines 'any(.[]; .kind == "error" and .path == "docs/zeros.txt")'
ok 'looping link is unreadable' lines 'any(.[]; .code == "unreadable" and .path == "docs/loop")'
ok 'UTF-16' lines 'any(.[]; .kind == "finding" and .path == "docs/wide.txt")'
ok 'Windows-1252' lines 'any(.[]; .encoding == "windows-1252" and .path == "docs/old.txt")'
ok 'newline in a name' lines 'any(.[]; .kind == "finding" and .path == "docs/new\nline.md")'
ok 'name that is no UTF-8' lines 'any(.[]; .path_bytes == "ZG9jcy9iYWT/Lm1k")'
ok 'empty file' lines 'any(.[]; .kind == "document" and .path == "docs/empty.txt")'
ok 'directory link is not followed upwards' lines '[.[] | select(.kind == "document" and .path == "docs/sub/clean.md")] | length == 1'
ok 'kind comes first' sh -c "test -s .out && ! grep -v '^{\"kind\":' .out"
ok 'summary' lines '.[-1] | .kind == "summary" and .errors == 3 and .other_files == 1 and .not_checked == 4'
ok 'exact quote' lines 'any(.[]; .path == "docs/risky.md" and .kind == "finding" and (.quote | contains("Customer Data to train its models")) and .line_start == 5 and .section == "10.4")'
if [ "$(id -u)" -eq 0 ]; then
	skip 'no permission' 'root may read everything'
else
	cp docs/clean.md secret.md && chmod 0 secret.md
	run scan secret.md
	ok 'no permission' is 3 'Permission denied'
fi
truncate -s 70M big.txt
run scan --format jsonl big.txt
ok 'too large' lines 'any(.[]; .code == "too-large")'
ok 'too large is not clean' is 3
run scan docs/x.pdf
ok 'named PDF is not clean' is 3 'PDF'

# the same bytes whatever the number of threads
mkdir many
for i in $(seq 60); do sed "s/data/data $i/" docs/risky.md >"many/$i.md"; done
run scan --jobs 1 --format jsonl many; sed 's/"seconds":.*//' .out >one
run scan --jobs 7 --format jsonl many; sed 's/"seconds":.*//' .out >seven
ok 'order does not depend on --jobs' sh -c "test -s one && cmp one seven"

# what is left out
mkdir -p repo/drafts repo/.hidden repo/keep
for d in drafts .hidden keep; do cp docs/risky.md repo/$d/a.md; done
cp docs/risky.md repo/b.tmp.md
printf 'drafts/\n' >repo/.gitignore
printf '*.tmp.md\n' >repo/.clausewatchignore
run scan --list-files repo
ok 'ignore files' sh -c '[ "$(cat .out)" = repo/keep/a.md ]'
(cd repo && "$cw" scan --list-files .) >.out
ok 'the current directory' sh -c '[ "$(cat .out)" = keep/a.md ]'
run scan repo/drafts/a.md
ok 'a named file is never ignored' is 1

# outputs
run scan -o sarif=x.sarif -o junit=x.xml -o csv=x.csv -o html=x.html -o json=x.json docs
ok 'several outputs' is 1
ok 'human summary' out_has 'documents checked'
ok 'no colour in a pipe' sh -c "test -s .out && ! grep -q $'\\033' .out"
ok 'json is an array' jq -e 'type == "array" and (.[-1].kind == "summary")' x.json
ok 'sarif head' jq -e '.version == "2.1.0" and (.["$schema"] | test("sarif-2.1.0")) and .runs[0].tool.driver.name == "clausewatch"' x.sarif
ok 'sarif results' jq -e '.runs[0] | .tool.driver.rules as $r | (.results | length) > 3 and all(.results[]; $r[.ruleIndex].id == .ruleId and (.message.text | length) > 0 and .locations[0].physicalLocation.region.startLine >= 1 and (.partialFingerprints["clausewatchClause/v1"] | length) == 16 and .partialFingerprints["clausewatchFinding/v1"] == .properties.id)' x.sarif
ok 'sarif locations' jq -e '[.runs[0].results[].locations[0].physicalLocation.artifactLocation.uri] | index("docs/new%0Aline.md") and index("docs/bad%FF.md")' x.sarif
ok 'sarif bytes' jq -e '[.runs[0].results[] | select(.locations[0].physicalLocation.artifactLocation.uri == "docs/wide.txt")][0].locations[0].physicalLocation.region | has("byteOffset") | not' x.sarif
ok 'sarif errors' jq -e '.runs[0].invocations[0] | .executionSuccessful == false and (.toolExecutionNotifications | length) == 3' x.sarif
ok 'csv guards against formulas' sh -c "printf '%s\n' '=cmd,x' >'=x.txt'; printf 'We train models.' >'=x.txt'; '$cw' scan --format csv '=x.txt' | grep -q \"finding,\\\"'=x.txt\\\"\""
ok 'csv quotes' grep -q '""=1+1""' x.csv
ok 'csv lines end in CRLF' grep -q $'waiver\r$' x.csv
ok 'html is escaped' sh -c "! grep -q '<script' x.html && grep -q '&quot;=1+1&quot;' x.html"
if command -v xmllint >/dev/null; then
	ok 'junit is XML' xmllint --noout x.xml
else
	skip 'junit is XML' 'no xmllint'
fi
ok 'junit failures' grep -q '<failure type="data.training-grant"' x.xml
ok 'junit errors' grep -q '<error type="unsupported"' x.xml

# rules and explain
run rules list; ok 'rules list' is 0
ok 'its term' out_has 'data.training-grant'
run rules show data.training-grant; ok 'rules show' out_has 'Vendor shall not train models.'
run rules show data.training-grnt; ok 'nearest term' is 2 "did you mean 'data.training-grant'?"
run rules test; ok 'rules test' is 0
run rules tset; ok 'nearest word of rules' is 2 "did you mean 'test'?"
cat >mine.yaml <<'YAML'
pack: mine
terms:
  data.mine: {codes: [X-1], title: Mine, polarity: risk, severity: low, why: w, advice: a}
rules:
  - id: data.mine/goods
    term: data.mine
    frames: ["t-vendor .. \"deliver\""]
    match: ["Supplier shall deliver the goods."]
    no_match: ["Supplier waits."]
YAML
run rules try mine.yaml --on docs/clean.md; ok 'rules try' is 0
ok 'what it finds' out_has 'docs/clean.md:3: data.mine/goods'
id=$("$cw" scan --format jsonl docs/risky.md | jq -r 'select(.kind == "finding").id')
run explain "$id" docs; ok 'explain a finding' is 0
ok 'its parts' out_has 'who:     Supplier'
ok 'its rule' out_has 'test.yaml:16'
run explain CW-000000 docs; ok 'explain an unknown finding' is 1 'no finding'
run explain data.training-grant; ok 'explain a term' out_has 'Strike it.'

# the configuration
cat >c.yaml <<'YAML'
terms:
  data.*: {severity: low}
YAML
run config check --config c.yaml; ok 'config check' is 0
run config show --config c.yaml; ok 'config show' out_has 'data.*'
run scan --config c.yaml docs/risky.md; ok 'severity from the configuration' is 0
printf 'terms:\n  data.*: {mode: "off"}\n' >c.yaml
run scan --config c.yaml docs/risky.md; ok 'a term switched off' out_has 'no risk found'
printf 'legacy_befor: 2020-01-01\n' >c.yaml
run config check --config c.yaml; ok 'nearest option of the file' is 2 'c.yaml:1:1'
run scan --config c.yaml docs; ok 'wrong configuration' is 2 'legacy_before'
run config check --config none.yaml; ok 'missing configuration' is 2 'none.yaml'
run config chekc; ok 'nearest word of config' is 2 "did you mean 'check'?"

echo "1..$n"
echo "# $((n - bad)) of $n passed"
[ "$bad" -eq 0 ]
