#!/bin/sh
# Runs chroot-tool from this checkout. The first start sets up what is missing; on the way of
# every later one no program is started before Python itself.
set -eu

self=$0
[ ! -L "$self" ] || self=$(readlink -f -- "$self")
case $self in */*) ;; *) self=./$self ;; esac
here=$(CDPATH='' cd -- "${self%/*}/" && pwd -P)
. "$here/.pkg/setup.sh"

if ! is_ready run; then
    [ "${1-}" != __complete ] || exit 0 # Tab is no moment to install something
    # As run --help says, 125 is "the tool itself failed before the command ran".
    case ${1-} in run | shell | start | stop | restart | update) failure_code=125 ;; esac
    # shellcheck disable=SC2086 # a list
    set_up run $programs
fi
# Who is not root becomes it by sudo for what needs it: sooner than Python, which does the same where
# there is more to look at than a shell can (app/cli/elevate.py).
[ -O / ] || . "$here/.pkg/by_sudo.sh"

# -I: no PYTHON* variable of the caller and no file of the current directory has a say.
# -S: start.py does the little of `site` that is needed, 2 ms sooner.
exec "$venv/bin/python" -I -S "$here/.pkg/start.py" "$@"
