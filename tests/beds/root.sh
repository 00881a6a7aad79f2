# shellcheck shell=sh
# A small root directory for the beds that have places of their own kind. Read by a bed after lib.sh. POSIX sh.

# busybox_root DIR: Debian's static busybox and a link for each of its applets, the users root and app (uid 1000), and
# nothing else. Its shell runs an applet whose link is removed all the same, through /proc/self/exe.
busybox_root() {
	need_commands busybox
	for directory in bin dev etc home/app proc root run sys tmp usr var; do
		mkdir -p "$1/$directory"
	done
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	chroot "$1" /bin/busybox --install -s /bin || missing "this busybox needs libraries: install busybox-static"
	ln -s bin "$1/sbin"
	ln -s ../bin "$1/usr/bin"
	ln -s ../bin "$1/usr/sbin"
	ln -s ../tmp "$1/var/tmp"
	printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\napp:x:1000:\n' >"$1/etc/group"
	chown 1000:1000 "$1/home/app"
}

# remove_groups NAME: the control groups of this name and all below them, when their processes are gone. They outlive
# the namespaces.
remove_groups() {
	find /sys/fs/cgroup -depth -type d \( -name "$1" -o -path "*/$1/*" \) -exec rmdir {} +
}
