#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Install python3 with its whole standard library if it is not there.  The tool
# needs it to start, and installs everything else.

whole() {
	# Debian's python3-minimal has a python3 without most modules.
	python3 -c 'import json, shutil, unittest' 2>/dev/null
}

give_up() {
	echo "tdxtest: python3 is missing or lacks modules, and $1" >&2
	exit 125
}

# Another program may hold a lock of apt: a machine that was just started updates itself.
apt() {
	told=
	for _ in $(seq 60); do
		$root apt-get -q -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 && return
		grep -Eq 'Could not get lock|Unable to lock' "$log" || break
		[ "$told" ] || echo "apt: waiting for another program: $(grep -m 1 lock "$log")"
		told=1
		sleep 5
	done
	cat "$log" >&2
	return 1
}

whole && exit

# sudo would remove the variables that name a proxy.
set_env='env DEBIAN_FRONTEND=noninteractive LC_ALL=C LANGUAGE='
for name in http_proxy https_proxy ftp_proxy no_proxy; do
	eval "value=\${$name:-}"
	[ -z "$value" ] || set_env="$set_env $name=$value"
done

by_hand='run as root: apt-get update && apt-get install python3'
command -v apt-get >/dev/null || give_up 'there is no apt-get; install Python 3.11 or later'
if [ "$(id -u)" = 0 ]; then
	root=$set_env
elif command -v sudo >/dev/null; then
	root="sudo $set_env"
else
	give_up "there is neither root nor sudo; $by_hand"
fi

echo 'apt: will install python3 (runs the tool)'
if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
	(: </dev/tty) 2>/dev/null ||
		give_up "there is no terminal where sudo can ask for a password; $by_hand"
	sudo -v || give_up "sudo refuses; $by_hand"
fi
log=$(mktemp) || exit 125
trap 'rm -f "$log"' EXIT
# A source that cannot be read may be one that has no python3.
apt update -o APT::Update::Error-Mode=any
apt install -y --no-install-recommends python3 || give_up "apt-get failed; $by_hand"
whole || give_up "the package python3 does not change that: $(command -v python3) is another"
