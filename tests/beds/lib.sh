# shellcheck shell=sh
# What the beds share. A bed is a script NAME that reads this file, defines up() (and down(), where the namespaces
# leave something behind), and ends with: bed "$@". POSIX sh.
#
# up() runs as root in the program's namespaces (mounts, pids, network, hostname), with $BED an empty directory on
# a tmpfs that all the beds of a program share: a bed works in $BED/NAME. It returns when everything answers. What it
# prints by `give` is in the environment of the tests. What it starts stays until the namespaces end.
# down() runs outside of them, when all is dead, and after an up() that failed too. $BED is empty then.
set -eu
beds=$MITOFS_BEDS
me=${0##*/}

die() {
	printf '%s: %s\n' "$me" "$*" >&2
	exit 1
}

# Exit as one that cannot be had on this machine: its tests are skipped, and say why.
missing() {
	printf '%s\n' "$*" >&2
	exit 77
}

# Exit so unless these commands are there: need_commands COMMAND...
need_commands() {
	for command in "$@"; do
		command -v "$command" >/dev/null 2>&1 || missing "there is no $command"
	done
}

# give NAME VALUE
give() {
	printf '%s=%s\n' "$1" "$2"
}

# Set another bed up that this one stands on, unless it stands already. Its variables are given too.
need_bed() {
	if [ ! -e "$BED/$1.up" ]; then
		"$beds/$1" up || exit
	fi
}

# await SECONDS COMMAND...: look until the command succeeds. For what the kernel tells nobody.
await() {
	await_until=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -le "$await_until" ] || die "it did not come: $*"
		sleep 0.01
	done
}

# Lay a copy over directories that exist, in these namespaces only: what is written there stays in $BED.
cover() {
	for directory in "$@"; do
		layer=$BED/cover$directory
		[ ! -e "$layer/upper" ] || continue
		mkdir -p "$layer/upper" "$layer/work"
		chmod --reference="$directory" "$layer/upper"
		mount -t overlay -o "lowerdir=$directory,upperdir=$layer/upper,workdir=$layer/work" bed "$directory"
	done
}

# The pids of a daemon that may come anew while tests run: daemon NAME PID...; with no pid it is gone.
daemon() {
	mkdir -p "$BED/daemons"
	daemon_file=$BED/daemons/$1
	shift
	printf '%s\n' "$*" >"$daemon_file"
}

# One file for all ssh clients: what beds put into $BED/ssh_config.d, then what holds for every host, since the first
# value wins.
client_config() {
	[ ! -e "$BED/ssh_config" ] || return 0
	mkdir -p "$BED/ssh_config.d"
	ssh-keygen -q -t ed25519 -N '' -C bed -f "$BED/id"
	: >"$BED/known_hosts"
	cat >"$BED/ssh_config" <<-END
		Include $BED/ssh_config.d/*
		Host *
		    UserKnownHostsFile $BED/known_hosts
		    GlobalKnownHostsFile /dev/null
		    StrictHostKeyChecking yes
		    UpdateHostKeys no
		    BatchMode yes
		    IdentitiesOnly yes
		Host * !denied
		    IdentityFile $BED/id
	END
}

# Write a line to one FIFO and wait for the line that comes back on the other: ask DIRECTORY LINE. It has "commands"
# and "answers", and one asks at a time. Fails unless the answer is "ok".
ask() (
	exec 9>"$1/lock"
	flock 9
	echo "$2" >"$1/commands"
	read -r answer <"$1/answers"
	[ "$answer" = ok ] || die "$2: $answer"
)

down() {
	:
}

# bed VERB [ARGUMENT...]: run what a script defines under that name.
bed() {
	"$@"
	if [ "$1" = up ]; then
		: >"$BED/$me.up"
	fi
}
