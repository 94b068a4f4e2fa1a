# shellcheck shell=sh disable=SC2154,SC3067 # $here is the caller's; -O is in dash, bash and ash
# Read by chroot-tool.sh: runs what needs root behind sudo, and ends; goes on where that is no
# matter of a few words. Builtins, nearly: a program that is started costs what Python's start does.

as_root() {
    trap : INT QUIT # it is for what is run to take them; an ignored one would be ignored there, too
    # The sign of one that has begun (app/privilege.py): 1 may be sudo's own, or of what was run.
    began=
    trap 'began=1' URG
    code=0
    sudo -- "$here/chroot-tool.sh" --elevated=sudo --base "${CHROOT_TOOL_BASE:-/srv/chroot}" "$@" ||
        code=$?
    [ "$code" = 1 ] && [ -z "$began" ] || exit "$code"
    exec "$venv/bin/python" -I -S "$here/.pkg/start.py" --refused=sudo "$@"
}

# is_root: the second of `Uid:` in proc_pid_status(5) is the effective one.
is_root() {
    while read -r key _ uid _; do
        [ "$key" != Uid: ] || break
    done </proc/self/status && [ "$uid" = 0 ]
}

# is_plain WORD…: no other machine, no help, no variable to be looked up.
is_plain() {
    before=
    for word in "$@"; do
        case $before in -e | --env) case $word in *=*) ;; *) return 1 ;; esac ;; esac
        case $word in
            -h | --help | --send | --store | -H* | --host* | *:*) return 1 ;;
            -e | --env | --env=*=* | -e*=*) ;;
            --env* | -e*) return 1 ;;
            --*) ;;
            -*[Hhe]*) return 1 ;; # short options in one word, maybe
        esac
        before=$word
    done
}

# is_default: no setting says anything of privilege, or of what has to be told to the other.
is_default() {
    [ -z "${CHROOT_TOOL_PRIVILEGE-}" ] || return 1
    file=${XDG_CONFIG_HOME:-${HOME-}/.config}/chroot-tool/settings.toml
    [ -e "$file" ] || return 0
    while IFS= read -r line || [ "$line" ]; do
        case $line in *privilege* | *base* | *backend* | *\\*) return 1 ;; esac
    done <"$file"
}

# answers_at_once: no file system is mounted whose server could keep who looks at it waiting.
answers_at_once() {
    kinds='fuse|fuse[.].*|fuseblk|nfs|nfs4|cifs|smb3|9p|ceph|afs|autofs|virtiofs|lustre|beegfs'
    kinds="$kinds|gfs2|ocfs2|orangefs|pvfs2|coda|vboxsf|prl_fs"
    awk '$3 ~ /^('"$kinds"')$/ && $2 != "/proc/sys/fs/binfmt_misc" { found = 1; exit }
        END { exit found }' /proc/self/mounts 2>/dev/null
}

# is_anothers WORD…: the chroot of -d is there, and its configuration is not for who asks to change.
is_anothers() {
    dir=
    before=
    for word in "$@"; do
        case $before in -d | --dir) dir=$word ;; esac
        case $word in --base* | --dir=* | -d?*) return 1 ;; esac # there is more to look at
        before=$word
    done
    case $1:$* in bind:*' --target'*) ;; bind:*) return 1 ;; esac # a mistake
    [ "$dir" ] && answers_at_once || return 1
    case $dir in
        */*) ;;
        *) [ -d "$dir" ] || dir=${CHROOT_TOOL_BASE:-/srv/chroot}/$dir ;;
    esac
    [ -d "$dir" ] && [ ! -w "$dir" ] && [ ! -L "$dir/chroot.d" ] && [ ! -w "$dir/chroot.d" ]
}

case ${1-}:${2-} in
    bind:add | bind:remove | bind:ignore | bind:restore | tag:add | tag:remove | tag:set)
        ! command -v sudo >/dev/null || is_root || ! is_default || ! is_plain "$@" ||
            ! is_anothers "$@" || as_root "$@"
        ;;
esac
case ${1-} in
    run | start | stop | restart | update | shell | create | on | off | pack | unpack | clone | \
        rename | delete | enable | disable | adopt)
        ! command -v sudo >/dev/null || is_root || ! is_default || ! is_plain "$@" || as_root "$@"
        ;;
esac
