#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs a bundle on a host: ssh_run.sh HOST BUNDLE CONSOLE [SSH-OPTION]...
set -eu

host=$1
bundle=$2
console=$3
shift 3

folder=$(ssh "$@" "$host" 'mktemp -d')
case $folder in
/*) ;;
*)
	echo "error: $host: mktemp gave no folder: $folder" >&2
	exit 1
	;;
esac
trap 'ssh "$@" "$host" "rm -rf $folder"' EXIT

ssh "$@" "$host" "tar -x -f - -C $folder" < "$bundle"
ssh "$@" "$host" "sh $folder/run.sh $folder" > "$console" < /dev/null
