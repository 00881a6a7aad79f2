# shellcheck shell=sh
# What the scripts share: talking, installing packages, building. It is read by `. scripts/lib.sh` from a
# script that has changed to the top of the tree. POSIX sh.

say() {
	printf '== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Run a command as root: as it is for root, through sudo for anybody else.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		die "this needs root, and there is no sudo: $*"
	fi
}

installed() {
	dpkg -s "$1" 2>/dev/null | grep -q '^Status: .* installed$'
}

# The services that systemd would start at boot, one a line; none where there is no systemd.
enabled_units() {
	if command -v systemctl >/dev/null 2>&1; then
		systemctl --root=/ list-unit-files --state=enabled --no-legend 2>/dev/null | awk '{ print $1 }'
	fi
}

# Install packages, and let none of their daemons be started, neither now nor at the next boot: the tests start them
# where nobody else sees them. What starts them on Debian asks policy-rc.d, whose 101 says no.
install_packages() {
	policy=/usr/sbin/policy-rc.d
	before=$(enabled_units)
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	apt_status=0
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
		install -q -y --no-install-recommends "$@" </dev/null || apt_status=$?
	[ ! "$policy" ] || as_root rm -f $policy
	for unit in $(enabled_units); do
		printf '%s\n' "$before" | grep -qxF "$unit" || as_root systemctl --root=/ disable "$unit"
	done
	return $apt_status
}

# Install those of the Debian packages that are missing. `a|b` is satisfied by either, and installs a.
need_packages() {
	missing=
	for entry in "$@"; do
		found=
		for package in $(printf '%s' "$entry" | tr '|' ' '); do
			if installed "$package"; then
				found=yes
			fi
		done
		[ "$found" ] || missing="$missing ${entry%%|*}"
	done
	if [ -z "$missing" ]; then
		return 0
	fi
	command -v apt-get >/dev/null 2>&1 ||
		die "these packages are missing, and there is no apt-get:$missing"
	say "installing$missing"
	as_root apt-get update -q || say "apt-get update failed; trying with what is known"
	# shellcheck disable=SC2086 # one word for each package
	install_packages $missing
}

# What it takes to build mitofs, to mount it, and to run its tests.
# shellcheck disable=SC2034 # for those who read this
BUILD_PACKAGES='gcc libc6-dev meson ninja-build pkg-config|pkgconf libglib2.0-dev libfuse3-dev fuse3 uuid-dev
	musl-tools zopfli'

# What it takes to build the agent for other architectures, see scripts/foreign, and to run it here.
# shellcheck disable=SC2034
FOREIGN_PACKAGES='clang lld qemu-user-static gcc-riscv64-linux-gnu libc6-dev-riscv64-cross'
# shellcheck disable=SC2034
TEST_PACKAGES='bash dash busybox-static|busybox coreutils findutils procps util-linux python3 man-db
	systemd openssh-server openssh-client sudo opendoas iproute2 socat hostname passwd tmux graphviz
	make zsh ksh93u+m|ksh mksh fish tcsh csh rc
	rsync git parallel expect ripgrep pv less file perl-base vim-tiny
	podman runc lxc systemd-container slurmctld slurmd slurm-client munge ansible-core'
# shellcheck disable=SC2034
LINT_PACKAGES='clang clang-format clang-tidy cppcheck shellcheck man-db'
# What it takes to make the Debian package, and a Debian to install it in.
# shellcheck disable=SC2034
PACKAGE_PACKAGES='dpkg-dev debhelper fakeroot lintian debootstrap systemd-container git'

# Configure (once) and compile in a directory: build DIR [MESON OPTION...]
build() {
	build_dir=$1
	shift
	if [ -f "$build_dir/build.ninja" ]; then
		if [ $# -gt 0 ]; then
			meson configure "$build_dir" "$@"
		fi
		# Compilers for other architectures came after it was configured.
		if [ "$(find build-foreign/stamp -newer "$build_dir/build.ninja" 2>/dev/null)" ]; then
			meson setup --reconfigure "$build_dir"
		fi
	else
		meson setup "$build_dir" "$@"
	fi
	meson compile -C "$build_dir"
}

# Whether a FUSE device can be opened; says what to do where it cannot.
need_fuse() {
	if [ ! -e /dev/fuse ]; then
		die "/dev/fuse does not exist: load the module with: sudo modprobe fuse"
	fi
	# shellcheck disable=SC2188 # nothing but the open is wanted
	if ! (: <>/dev/fuse) 2>/dev/null; then
		ls -l /dev/fuse >&2
		die "$(id -un) cannot open /dev/fuse; allow it with: sudo chmod 666 /dev/fuse"
	fi
}

# Whether a mitofs is mounted on this directory. Reads no file of the mount, so that a dead one cannot hold it up.
# Four kinds of bytes are written as \ooo in mountinfo.
mounted() {
	DIR=$1 awk '
		BEGIN {
			dir = ENVIRON["DIR"]
			gsub(/\\/, "\\134", dir); gsub(/ /, "\\040", dir)
			gsub(/\t/, "\\011", dir); gsub(/\n/, "\\012", dir)
		}
		$5 == dir { for (i = 7; i < NF; i++) if ($i == "-") type = $(i + 1) }
		END { exit type != "fuse.mitofs" }
	' /proc/self/mountinfo
}
