#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs a plan on a host and writes KTAP as guest_src/init.c does: run.sh FOLDER
#
# The plan has lines "timeout SECONDS", "env NAME=VALUE", "test NAME [ARG]..." and
# "repetition N".
set -u

cd "$1" || exit 1
number=0
limit=600

grep -v '^#' kernel-warnings.list | grep . > patterns

# Write a line into the kernel log, for which root rights are needed.
mark()
{
	mark="tdxtest: $$ $number"
	{ echo "$mark" > /dev/kmsg; } 2> /dev/null && dmesg > /dev/null 2>&1
}

run_test()
{
	name=$1
	shift
	number=$((number + 1))
	mark && watched=yes || watched=
	begin=$(date +%s)

	{
		timeout -k 5 "$limit" "./tests/$name" "$@" 2>&1 < /dev/null
		echo $? > status
	} | while IFS= read -r line; do
		printf '  %s\n' "$line"
	done
	status=$(cat status)

	verdict=ok
	directive=
	case $status in
	0) ;;
	4) directive=' # SKIP' ;;
	124 | 137)
		verdict='not ok'
		directive=" # TIMEOUT $limit seconds"
		;;
	*)
		verdict='not ok'
		directive=" # exit=$status"
		;;
	esac
	if [ "$watched" ]; then
		# From the mark on: nothing if the log has run over it.
		dmesg | sed -n "/$mark\$/,\$p" > log
		if [ ! -s log ]; then
			verdict='not ok'
			directive=${directive:-' # its beginning is gone from the kernel log'}
		fi
		sed -e 1d -e 's/^/# kernel: /' log
		warnings=$(sed 1d log | grep -c -F -f patterns)
		if [ "$warnings" -gt 0 ]; then
			echo "# $name: the kernel warned $warnings time(s)"
			verdict='not ok'
		fi
	else
		echo "# $name: the kernel log cannot be watched"
	fi
	echo "# $name: $(($(date +%s) - begin)).00 s"
	echo "$verdict $number $name$directive"
}

echo 'KTAP version 1'
echo "1..$(grep -c '^test ' plan)"
while read -r verb rest <&3; do
	# Words of a plan hold no blanks, and patterns in them are not for the shell.
	set -f
	case $verb in
	timeout) limit=$rest ;;
	repetition) echo "# repetition $rest" ;;
	env) export "${rest?}" ;;
	# shellcheck disable=SC2086
	test) run_test $rest ;;
	esac
done 3< plan
echo '# tdxtest: done'
