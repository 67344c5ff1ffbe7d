#!/bin/sh
# Tool: git, seen with 2.39.5 (Debian 12) and 2.55.0 (Debian sid). It uses the git on PATH, else installs Debian 12's.
#
# Behaviour: `git merge-tree --write-tree` merges two commits without a work tree. It takes attributes such as merge=union from the
# .gitattributes file that is checked out, not from one of the trees that it merges. In a bare repository it takes none.
# So one and the same merge of the same two commits is clean or has conflicts, depending on which branch is checked out.
#
# One would have guessed: a merge in memory depends on the objects that it is given, and on nothing else.
#
# Why it matters to a release: backports are picked in memory, on laptops (a work tree) and on servers (a bare mirror).
# The same pick onto the same release line gives a tree here and a conflict there.
set -eu
command -v git >/dev/null || apt-get install -y -qq "git=1:2.39.*"
git --version
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
git init -q -b main "$dir/work"
cd "$dir/work"
printf 'CHANGELOG.md merge=union\n' > .gitattributes
echo '# Changes' > CHANGELOG.md
git add . && git commit -q -m base
git switch -q -c line
echo '- on the line' >> CHANGELOG.md && git commit -q -a -m line
git switch -q main
echo '- on main' >> CHANGELOG.md && git commit -q -a -m main
git switch -q -c without
git rm -q .gitattributes && git commit -q -m 'no attributes here'

merged() { # merged PLACE WHERE
  if git -C "$2" merge-tree --write-tree line main >/dev/null; then echo "$1: clean"; else echo "$1: conflict"; fi
}
git switch -q main
git clone -q --bare . "$dir/bare.git"
{
  merged 'main checked out' .
  git switch -q without
  merged 'a branch without .gitattributes checked out' .
  merged 'bare' "$dir/bare.git"
} | tee "$dir/seen"
cat > "$dir/want" <<'END'
main checked out: clean
a branch without .gitattributes checked out: conflict
bare: conflict
END
cmp "$dir/seen" "$dir/want"
