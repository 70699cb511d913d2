#!/bin/sh
# Installs, upgrades and removes pia-forwarder on a Linux host with systemd or OpenRC. README.md tells how.
set -eu
LC_ALL=C
export LC_ALL
umask 022

here=$(cd -- "$(dirname -- "$0")" && pwd)
name=pia-forwarder
program=/opt/pia-forwarder
etc=/etc/pia-forwarder
settings=$etc/pia-forwarder.env
state=/var/lib/pia-forwarder
unit=/etc/systemd/system/pia-forwarder.service
initd=/etc/init.d/pia-forwarder
confd=/etc/conf.d/pia-forwarder
log=/var/log/pia-forwarder.log
oldest_node=24

# The service this one takes over from, and what it was told.
old=pia-qbittorrent-sync
old_unit=/etc/systemd/system/$old.service
old_confd=/etc/conf.d/$old
carried="PIA_USERNAME PIA_PASSWORD PIA_TOKEN_FILE PIA_GATEWAY PIA_HOSTNAME PIA_CA_CERT QBITTORRENT_HOST
QBITTORRENT_USERNAME QBITTORRENT_PASSWORD CHECK_INTERVAL"
taken_over=$etc/taken-over

usage() {
	cat <<-END
		Usage: install.sh [options] install | upgrade | uninstall

		  install     install and start; an existing pia-qbittorrent-sync is stopped and its settings are taken over
		  upgrade     replace the program, keep the settings, restart what was running
		  uninstall   stop and remove; settings and state stay, unless --purge

		  --dry-run            tell what would be done, and do nothing
		  --bundle FILE        the built main.js (found beside this script or in ../dist)
		  --node PATH          the Node to run it with, $oldest_node or later (found in PATH)
		  --node-tarball FILE  unpack Node from this archive of nodejs.org, for pia-forwarder alone
		  --init NAME          systemd or openrc (found out)
		  --no-start           leave it stopped
		  --purge              with uninstall: also remove settings, state, log and user
	END
}

say() { printf '%s\n' "$*"; }
warn() { printf 'install.sh: %s\n' "$*" >&2; }
die() {
	warn "$*"
	exit 1
}

# Does what it is given, or tells it.
run() {
	if [ "$dry_run" = yes ]; then say "would run: $*"; else "$@"; fi
}

# Copies a text file: LF at line ends, under its name only when complete.
put() { # source destination mode
	if [ "$dry_run" = yes ]; then
		say "would write: $2"
		return
	fi
	(umask 077 && tr -d '\r' <"$1" >"$2.new")
	chmod "$3" "$2.new"
	mv -f "$2.new" "$2"
}

has_cr() { [ -f "$1" ] && [ "$(tr -cd '\r' <"$1" | wc -c)" -gt 0 ]; }

has() { command -v "$1" >/dev/null 2>&1; }

# --- init systems

find_init() {
	if [ -n "$init" ]; then return; fi
	if [ -d /run/systemd/system ]; then
		init=systemd
	elif [ -e /run/openrc/softlevel ] || { has openrc-run && ! has systemctl; }; then
		init=openrc
	elif has systemctl; then
		init=systemd
	else
		die "neither systemd nor OpenRC was found; --init systemd or --init openrc if it is there"
	fi
}

init_runs() {
	case $init in
	systemd) [ -d /run/systemd/system ] ;;
	openrc) [ -e /run/openrc/softlevel ] ;;
	esac
}

is_active() { # service
	init_runs || return 1
	case $init in
	systemd) systemctl --quiet is-active "$1.service" ;;
	openrc) [ -e "/etc/init.d/$1" ] && rc-service --quiet "$1" status >/dev/null 2>&1 ;;
	esac
}

is_enabled() { # service
	case $init in
	systemd) systemctl --quiet is-enabled "$1.service" 2>/dev/null ;;
	openrc) [ -n "$(find /etc/runlevels -name "$1" 2>/dev/null)" ] ;;
	esac
}

enable_service() { # service
	case $init in
	systemd) run systemctl --quiet enable "$1.service" ;;
	openrc) is_enabled "$1" || run rc-update --quiet add "$1" default ;;
	esac
}

stop_and_disable() { # service
	case $init in
	systemd)
		if is_active "$1"; then run systemctl stop "$1.service"; fi
		if is_enabled "$1"; then run systemctl --quiet disable "$1.service"; fi
		;;
	openrc)
		if is_active "$1"; then run rc-service --quiet "$1" stop; fi
		# Not --all: that fails for each runlevel the service is not in.
		for runlevel in /etc/runlevels/*; do
			if [ -L "$runlevel/$1" ]; then run rc-update --quiet del "$1" "${runlevel##*/}"; fi
		done
		;;
	esac
}

restart() { # service
	case $init in
	systemd) run systemctl restart "$1.service" ;;
	openrc) run rc-service --quiet "$1" restart ;;
	esac
}

how_to() { # start | restart | log | return-to-old
	case $init:$1 in
	systemd:log) say "journalctl -u $name" ;;
	openrc:log) say "tail $log" ;;
	systemd:return-to-old) say "systemctl enable --now $old" ;;
	openrc:return-to-old) say "rc-update add $old && rc-service $old start" ;;
	systemd:*) say "systemctl $1 $name" ;;
	openrc:*) say "rc-service $name $1" ;;
	esac
}

# --- Node and the program

node_is_good() { # path
	"$1" --lite-mode -e "process.exit(parseInt(process.versions.node) >= $oldest_node ? 0 : 1)" >/dev/null 2>&1
}

# Sets $node to one that will do, and $node_is to where it comes from: ours, host or tarball.
find_node() {
	if [ -n "$node_tarball" ]; then
		unpack_node
	elif [ -n "$node" ]; then
		node_is=host
	elif [ -x "$program/node" ] && node_is_good "$program/node"; then
		node=$program/node node_is=ours
	else
		node_is=host
		for candidate in node nodejs; do
			if has "$candidate" && node_is_good "$candidate"; then node=$(command -v "$candidate"); fi
		done
		[ -n "$node" ] || die "no Node $oldest_node or later was found. Either install one and give it as --node PATH,
or download the archive for this machine from https://nodejs.org/dist/latest-v24.x/ and give it as --node-tarball FILE.
Nothing else on the host will use it."
	fi
	if ! node_is_good "$node"; then
		version=$("$node" --version 2>&1) || version="which does not run here: $version"
		die "$node is not Node $oldest_node or later: $version"
	fi
}

unpack_node() {
	[ -f "$node_tarball" ] || die "there is no file $node_tarball"
	member=$(tar -tf "$node_tarball" | grep '^[^/]*/bin/node$') || die "$node_tarball has no bin/node in it"
	tar -xf "$node_tarball" -C "$temporary" "$member"
	node=$temporary/$member node_is=tarball
}

# Packages' Node is linked to, so that it is kept up to date; one where the service may not look is copied.
place_node() {
	[ "$node_is" != ours ] || return 0
	real=$(readlink -f "$node")
	case $real in
	/home/* | /root/* | /tmp/* | /var/tmp/* | /run/user/* | "$temporary"/*) run cp "$real" "$program/node.new" ;;
	*) run ln -sf "$(case $node in /*) say "$node" ;; *) say "$real" ;; esac)" "$program/node.new" ;;
	esac
	run mv -f "$program/node.new" "$program/node"
}

find_bundle() {
	if [ -z "$bundle" ]; then
		for candidate in "$here/main.js" "$here/../dist/main.js"; do
			if [ -z "$bundle" ] && [ -f "$candidate" ]; then bundle=$candidate; fi
		done
	fi
	[ -n "$bundle" ] || die "there is no main.js beside this script or in ../dist; npm run build makes it, or give --bundle"
	version=$("$node" --lite-mode "$bundle" --version) || die "$bundle does not run"
}

make_user() {
	if id -u "$name" >/dev/null 2>&1; then return; fi
	shell=/sbin/nologin
	[ -x $shell ] || shell=/usr/sbin/nologin
	if has useradd; then
		run useradd --system --user-group --home-dir "$state" --no-create-home --shell "$shell" "$name"
	else
		run addgroup -S "$name"
		run adduser -S -D -H -h "$state" -s "$shell" -G "$name" "$name"
	fi
}

place_files() {
	run mkdir -p "$program" "$etc"
	place_node
	run cp "$bundle" "$program/main.js.new"
	run chmod 644 "$program/main.js.new"
	run mv -f "$program/main.js.new" "$program/main.js"
	put "$here/let-read-token" "$program/let-read-token" 755
	case $init in
	systemd)
		put "$here/$name.service" "$unit" 644
		if init_runs; then run systemctl daemon-reload; fi
		;;
	openrc)
		run mkdir -p /etc/conf.d
		put "$here/$name.initd" "$initd" 755
		[ -f "$confd" ] || put "$here/$name.confd" "$confd" 644
		if has_cr "$confd"; then put "$confd" "$confd" 644; fi
		;;
	esac
}

# --- settings

# Runs a command with the settings in force and nothing else in its environment.
with_settings() {
	# shellcheck disable=SC2016  # the inner shell expands it
	env -i PATH="$PATH" STATE_DIR="$state" \
		sh -c 'set -a; eval "$(tr -d "\r" <"$1")" || exit 2; set +a; shift; exec "$@"' sh "$settings" "$@"
}

place_settings() {
	if [ -f "$settings" ]; then
		say "keeping the settings in $settings"
		if has_cr "$settings"; then
			put "$settings" "$settings" 600
			say "its line ends were CRLF and are LF now"
		fi
		return
	fi
	(umask 077 && : >"$temporary/values")
	read_old_settings >"$temporary/values"
	if [ -s "$temporary/values" ]; then
		say "taking over from $old: $(cut -d= -f1 "$temporary/values" | tr '\n' ' ')"
		mend_old_settings
	fi
	(umask 077 && fill_in "$temporary/values" "$here/$name.env" >"$temporary/settings")
	put "$temporary/settings" "$settings" 600
}

# NAME=value lines of what the old service was told.
read_old_settings() {
	if [ "$init" = systemd ] && [ -f "$old_unit" ]; then
		read_old_unit
	elif [ -f "$old_confd" ]; then
		read_old_confd
	elif [ -f "$old_unit" ]; then
		read_old_unit
	fi
}

read_old_unit() {
	for file in "$old_unit" "$old_unit".d/*.conf; do
		if [ -f "$file" ]; then tr -d '\r' <"$file"; fi
	done | tee "$temporary/old-unit" | awk -v carried="$carried" '
		BEGIN { count = split(carried, names, /[ \n]+/); for (i = 1; i <= count; i++) wanted[names[i]] = 1 }
		{
			line = pending $0; pending = ""
			if (sub(/\\$/, " ", line)) { pending = line; next }
			if (sub(/^[ \t]*Environment[ \t]*=[ \t]*/, "", line)) { if (line == "") split("", value); else assign(line) }
		}
		END { for (i = 1; i <= count; i++) if (value[names[i]] != "") print names[i] "=" value[names[i]] }

		# Words and quotes as systemd reads them (systemd.syntax(7)).
		function assign(line,   i, c, next_c, quote, word) {
			quote = ""; word = ""
			for (i = 1; i <= length(line) + 1; i++) {
				c = substr(line, i, 1); next_c = substr(line, i + 1, 1)
				if (c == "" || (quote == "" && c ~ /[ \t]/)) { keep(word); word = "" }
				else if (c == "\\" && next_c == "s") { word = word " "; i++ }
				else if (c == "\\" && next_c ~ /["\047\\]/) { word = word next_c; i++ }
				else if (c == quote) quote = ""
				else if (quote == "" && c ~ /["\047]/) quote = c
				else word = word c
			}
		}
		function keep(word,   at, key) {
			at = index(word, "="); key = substr(word, 1, at - 1)
			if (!(key in wanted)) return
			word = substr(word, at + 1); gsub(/%%/, "%", word); value[key] = word
		}'
	if grep -q '^[[:space:]]*EnvironmentFile' "$temporary/old-unit"; then
		warn "$old_unit reads an EnvironmentFile as well: copy from it what is missing in $settings"
	fi
}

# It is a shell script that OpenRC runs as root; so does this.
read_old_confd() (
	set +eu
	for variable in $carried; do unset "$variable"; done
	eval "$(tr -d '\r' <"$old_confd")" >/dev/null
	for variable in $carried; do
		eval "value=\${$variable-}"
		# shellcheck disable=SC2154  # set by the line above
		if [ -n "$value" ]; then printf '%s=%s\n' "$variable" "$value"; fi
	done
)

# What would not work any more, or never did.
mend_old_settings() {
	interval=$(sed -n 's/^CHECK_INTERVAL=//p' "$temporary/values")
	case $interval in
	"" | *[!0-9]*) ;;
	*) if [ "$interval" -gt 900 ]; then
		warn "CHECK_INTERVAL was $interval: PIA takes the port away after 900 seconds, so it is 300 now"
		drop CHECK_INTERVAL
	fi ;;
	esac
	for variable in $carried; do
		if grep -qi "^$variable=your[-_ ]" "$temporary/values"; then
			warn "$variable was never filled in"
			drop "$variable"
		fi
	done
	certificate=$(sed -n 's/^PIA_CA_CERT=//p' "$temporary/values")
	if [ -f "$certificate" ]; then
		say "copying PIA's certificate $certificate to $etc"
		put "$certificate" "$etc/ca.rsa.4096.crt" 644
		drop PIA_CA_CERT
		say "PIA_CA_CERT=$etc/ca.rsa.4096.crt" >>"$temporary/values"
	fi
}

drop() { # variable
	grep -v "^$1=" "$temporary/values" >"$temporary/values.new" || :
	mv "$temporary/values.new" "$temporary/values"
}

# The template with values in it, quoted so that systemd and a shell read the same: 'it'"'"'s'.
fill_in() { # values template
	tr -d '\r' <"$2" | awk -v values="$1" '
		BEGIN {
			while ((getline line <values) > 0) {
				at = index(line, "="); text = substr(line, at + 1); gsub(/\047/, "\047\"\047\"\047", text)
				value[substr(line, 1, at - 1)] = "\047" text "\047"
			}
		}
		match($0, /^#?[A-Z_]+=/) {
			key = substr($0, 1, RLENGTH - 1); sub(/^#/, "", key)
			if (key in value) { print key "=" value[key]; next }
		}
		{ print }'
}

# Whether there is anything to log in to PIA with.
is_configured() {
	# shellcheck disable=SC2016  # the inner shell expands it
	with_settings sh -c '[ -n "${PIA_USERNAME-}${PIA_USER-}${PIA_USERNAME_FILE-}${PIA_USER_FILE-}" ] ||
		[ -f "${PIA_TOKEN_FILE:-/var/run/pia_token}" ]'
}

# --- the old service

leave_old_service() {
	if ! is_active "$old" && ! is_enabled "$old"; then return; fi
	stop_and_disable "$old"
	if [ "$dry_run" = no ]; then say "$init" >"$taken_over"; fi
	say "$old is stopped and disabled; its files stay. To return to it: $(how_to return-to-old)"
}

warn_of_readable_password() {
	for file in "$old_unit" "$old_confd"; do
		if [ -f "$file" ] && grep -q '_PASSWORD=' "$file" && [ -n "$(find "$file" -prune -perm -0004)" ]; then
			warn "everybody on this host can read the password in $file: chmod 600 $file, or remove it"
		fi
	done
}

# --- what can be asked for

deploy() {
	find_node
	find_bundle
	say "$version with Node $("$node" --version), run by $init"
	make_user
	place_files
	place_settings
}

start_now() {
	if [ "$start" = no ] || ! init_runs; then
		say "It is installed and not started: $(how_to start)"
		return
	fi
	if [ "$dry_run" = yes ]; then
		leave_old_service
		restart "$name"
		return
	fi
	if ! is_configured; then
		say "Now write your PIA user name and password into $settings, then: $(how_to start)"
		return
	fi
	# Every fault is told at once, by name; the old service goes on meanwhile.
	with_settings "$program/node" "$program/main.js" --print-config >/dev/null ||
		die "correct $settings, then: $(how_to restart)"
	leave_old_service
	restart "$name"
	wait_until_healthy
}

wait_until_healthy() {
	tries=0
	until with_settings "$program/node" "$program/main.js" healthcheck 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 40 ] || die "it was started and does not answer. What it says: $(how_to log)"
		sleep 0.5
	done
	say "pia-forwarder is running. What it says: $(how_to log)"
}

install() {
	deploy
	enable_service "$name"
	warn_of_readable_password
	start_now
}

upgrade() {
	[ -f "$program/main.js" ] || die "there is no pia-forwarder in $program to upgrade: install.sh install"
	is_active "$name" || start=no
	deploy
	start_now
}

uninstall() {
	if [ -e "$unit" ] || [ -e "$initd" ]; then stop_and_disable "$name"; fi
	run rm -rf "$program" "$unit" "$initd"
	if [ "$init" = systemd ] && init_runs; then run systemctl daemon-reload; fi
	if [ -f "$taken_over" ]; then say "$old is still there. To return to it: $(how_to return-to-old)"; fi
	if [ "$purge" = no ]; then
		say "pia-forwarder is removed. Its settings in $etc and its state in $state stay: uninstall --purge removes them"
		return
	fi
	run rm -rf "$etc" "$state" "$confd" "$log" "/run/$name"
	if id -u "$name" >/dev/null 2>&1; then
		if has userdel; then run userdel "$name"; else run deluser "$name"; fi
	fi
	say "pia-forwarder is removed, with its settings, state, log and user"
}

dry_run=no start=yes purge=no init='' bundle='' node='' node_tarball='' action=''
while [ $# -gt 0 ]; do
	case $1 in
	--bundle | --node | --node-tarball | --init) [ $# -ge 2 ] || die "$1 needs a value" ;;
	esac
	case $1 in
	--dry-run) dry_run=yes ;;
	--no-start) start=no ;;
	--purge) purge=yes ;;
	--bundle) bundle=$2 && shift ;;
	--node) node=$2 && shift ;;
	--node-tarball) node_tarball=$2 && shift ;;
	--init) init=$2 && shift ;;
	-h | --help) usage && exit 0 ;;
	install | upgrade | uninstall)
		[ -z "$action" ] || die "one of install, upgrade and uninstall"
		action=$1
		;;
	*) die "$1 is not known; install.sh --help" ;;
	esac
	shift
done
if [ -z "$action" ]; then
	usage >&2
	exit 2
fi
case $init in "" | systemd | openrc) ;; *) die "--init is systemd or openrc" ;; esac
[ "$dry_run" = yes ] || [ "$(id -u)" = 0 ] || die "this needs root: sudo sh $0 $action"

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM HUP
find_init
"$action"
