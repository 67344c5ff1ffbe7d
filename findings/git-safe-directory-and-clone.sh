#!/bin/sh
# Tool: git 2.39.5 (Debian 12). It uses the git on PATH, else installs Debian 12's. Run it as root. With 2.55.0 (Debian sid) all works.
#
# Behaviour: a repository that belongs to another user is refused ("dubious ownership"), and the message advises safe.directory.
# `git -c safe.directory='*' log` in it works. `git -c safe.directory='*' clone PATH` of the same repository does not: the clone
# starts upload-pack there, and git hands no setting of its command line to a repository on the other side. The same holds for
# settings in GIT_CONFIG_COUNT. A file named by GIT_CONFIG_GLOBAL does reach it.
#
# One would have guessed: what makes a repository safe to read by `git -c` makes it safe to clone from by `git -c`.
#
# Why it matters to a release: CI mounts a checkout into a container, where another user owns it. A tool that reads it
# with `-c safe.directory` works until its first clone of it, which is usually the tests or the rehearsal.
set -eu
command -v git >/dev/null || apt-get install -y -qq "git=1:2.39.*"
git --version
[ "$(id -u)" = 0 ] || { echo 'run this as root: it makes a repository of another user'; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
export HOME="$dir" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git init -q -b main "$dir/theirs"
git -C "$dir/theirs" -c user.name=Ada -c user.email=ada@example.com commit -q --allow-empty -m one
chown -R 65534:65534 "$dir/theirs"
printf '[safe]\n\tdirectory = *\n' > "$dir/settings"

outcome() { # outcome NAME COMMAND...
  name=$1; shift
  if "$@" >/dev/null 2>"$dir/err"; then echo "$name: works"
  elif grep -q 'dubious ownership' "$dir/err"; then echo "$name: dubious ownership"
  else cat "$dir/err"; fi
}
{
  outcome 'log' git -C "$dir/theirs" log
  outcome 'log with -c' git -c safe.directory='*' -C "$dir/theirs" log
  outcome 'clone with -c' git -c safe.directory='*' clone -q "$dir/theirs" "$dir/one"
  outcome 'clone with GIT_CONFIG_COUNT' env GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' git clone -q "$dir/theirs" "$dir/two"
  outcome 'clone with GIT_CONFIG_GLOBAL' env GIT_CONFIG_GLOBAL="$dir/settings" git clone -q "$dir/theirs" "$dir/three"
} | tee "$dir/seen"
cat > "$dir/want" <<'END'
log: dubious ownership
log with -c: works
clone with -c: dubious ownership
clone with GIT_CONFIG_COUNT: dubious ownership
clone with GIT_CONFIG_GLOBAL: works
END
case $(git --version) in
*' 2.39.'*) ;;
*) sed -i 's/^\(clone.*\): dubious ownership/\1: works/' "$dir/want" ;; # seen with 2.55.0
esac
cmp "$dir/seen" "$dir/want"
