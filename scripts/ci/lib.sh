# shellcheck shell=sh
# What the CI cells share: counting. Read after scripts/lib.sh.
#
# A cell is a script scripts/ci/NAME that can be run alone. It runs its checks by check() and run_tests(),
# and ends with finish(), which prints the sum. With MITOFS_COUNTS set (by .ci/run) the sum is also added
# to that file, as a line "CELL PASSED FAILED".

passed=0
failed=0
skipped=0

# One check that counts as one: check NAME COMMAND...
check() {
	check_name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		printf 'ok      %s\n' "$check_name"
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$check_name"
	fi
}

# The programs that failed, at most three, once more and alone, since CI's machine may be a shared and busy one. What
# passes then is named as flaky: it is to be mended all the same.
try_again() {
	again=$(scripts/ci/failed "$(echo "$tests_dir"/meson-logs/testlog*.json)") || return 1
	[ "$again" ] && [ "$(printf '%s\n' "$again" | wc -l)" -le 3 ] || return 1
	# shellcheck disable=SC2086 # names
	meson test -C "$tests_dir" --no-rebuild --print-errorlogs --num-processes 1 --logbase again "$@" $again || return 1
	# shellcheck disable=SC2086 # names
	printf 'FLAKY: %s failed at first and passed when run again\n' $again
}

# Run a build directory's tests, all or those chosen: run_tests DIR [ARGUMENT OF meson test...]
# Each test case counts.
run_tests() {
	tests_dir=$1
	shift
	tests_status=0
	rm -f "$tests_dir"/meson-logs/testlog*.json
	meson test -C "$tests_dir" --no-rebuild --print-errorlogs "$@" || tests_status=$?
	flaky=1
	if [ "$tests_status" != 0 ] && [ "${CI-}" ]; then
		try_again "$@" && flaky=0
	fi
	# With a wrapper its name is part of the log's.
	counts=$(scripts/ci/count "$tests_dir"/meson-logs/testlog*.json) || counts='0 1 0'
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	if [ "$tests_status" != 0 ] && [ "$2" = 0 ]; then
		set -- "$1" 1 "$3"
	fi
	if [ "$2" != 0 ] && [ "$flaky" = 0 ]; then
		missing=$3 # counts as failed, and does so still
		[ "${MITOFS_SKIPS-}" != allowed ] || missing=0
		set -- "$(($1 + $2 - missing))" "$missing" "$3"
	fi
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

# Print the sum and end: finish CELL
finish() {
	if [ "${MITOFS_COUNTS-}" ]; then
		printf '%s %s %s\n' "$1" "$passed" "$failed" >>"$MITOFS_COUNTS"
	fi
	printf '%s: %s ok, %s not ok' "$1" "$passed" "$failed"
	[ "$skipped" = 0 ] || printf ', %s skipped' "$skipped"
	printf '\n'
	[ "$failed" = 0 ]
	exit
}
