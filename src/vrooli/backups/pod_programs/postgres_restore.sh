# Restores PostgreSQL beside its live data, on the same volume, and exchanges both.
# It runs in the container of an instance, on standard input of bash: `bash -s VERB ...`.
#
# The folder vrooli-restore beside the data directory has:
#   new/data, new/wal  the restored data
#   old/data, old/wal  the previous data, until `finish` or `undo`
#   new/promoted       the restored data are complete and have a timeline of their own
#   exchanging         while directories are renamed; absent otherwise
# Data that Patroni has created after a crash in an exchange are kept in vrooli-aside beside it.
set -eu
export LC_ALL=C
# A function that a user of the application has created would run with the superuser's rights.
export PGOPTIONS="-c search_path=pg_catalog,pg_temp"
live="$PGDATA"
volume=$(dirname "$live")
root="$volume/vrooli-restore"
live_wal="${live}_wal"
# Files that Patroni writes; the live ones are current, those of a backup are not.
settings="postgresql.conf postgresql.base.conf postgresql.auto.conf pg_hba.conf pg_ident.conf
patroni.dynamic.json"

now_ms() { echo $(($(date +%s%N) / 1000000)); }
fail() { echo "$*" >&2; exit 1; }
control() { pg_controldata -D "$1" | sed -n "s/^$2: *//p"; }
live_sql() { psql -X -q -A -t -d postgres -c "$1" </dev/null; }
beside_sql() { psql -X -q -A -t -h "$root" -d postgres -c "$1" </dev/null; }
is_running() { pg_ctl status -s -D "$1" >/dev/null 2>&1; }
# Refused connections are no reasons.
last_error() { sed -n '/: *the database system is /d; s/^.*\(FATAL\|ERROR\|PANIC\): *//p' "$root/postgres.log" | tail -1; }

copy_settings() { # DIRECTORY
  for file in $settings; do
    [ ! -e "$live/$file" ] || cp -p "$live/$file" "$1/$file"
  done
  # Patroni leaves empty targets in the settings of an instance that has been a replica. They
  # conflict with the target of a restore.
  sed -i '/^ *recovery_target/d' "$1/postgresql.conf" "$1/postgresql.auto.conf"
}

# Start a server on data beside the live ones: no network, no archiving, no subscriptions, little
# memory.
start_beside() { # FOLDER OPTION...
  folder="$1"
  shift
  options=()
  for field in max_connections max_worker_processes max_wal_senders max_prepared_xacts \
    max_locks_per_xact; do
    here=$(control "$folder/data" "$field setting")
    there=$(control "$live" "$field setting" || true)
    value=$((${there:-0} > here ? there : here))
    option="${field/prepared_xacts/prepared_transactions}"
    options+=(-c "${option/per_xact/per_transaction}=$value")
  done
  : >"$root/postgres.log"
  setsid postgres -D "$folder/data" "${options[@]}" \
    -c listen_addresses= -c "unix_socket_directories=$root" \
    -c "hba_file=$folder/data/pg_hba.conf" -c "ident_file=$folder/data/pg_ident.conf" -c ssl=off \
    -c shared_buffers=16MB -c huge_pages=off -c logging_collector=off -c log_destination=stderr \
    -c archive_mode=on -c archive_command=false -c hot_standby=on -c synchronous_standby_names= \
    -c primary_conninfo= -c primary_slot_name= -c max_logical_replication_workers=0 \
    -c "restore_command=$(archive_get "$folder")" "$@" \
    </dev/null >>"$root/postgres.log" 2>&1 9<&- &
}

# pgBackRest ends with an error if the data directory is not its own. What a server that does not
# start has not archived is still beside its data.
archive_get() { # FOLDER
  rest=
  [ -z "$stopped" ] || rest=" || cp \"$live_wal/%f\" \"%p\""
  echo "pgbackrest --stanza=db --pg1-path=$1/data --no-archive-async archive-get %f \"%p\"$rest"
}

stop_beside() {
  for folder in "$root/new" "$root/old"; do
    if [ -d "$folder/data" ] && is_running "$folder/data"; then
      pg_ctl stop -s -D "$folder/data" -m "${1:-fast}" -w -t 60
    fi
  done
}

await_beside() { # FOLDER SECONDS QUERY ANSWER
  end=$(($(date +%s) + $2))
  until [ "$(beside_sql "$3" 2>/dev/null)" = "$4" ]; do
    [ "$(date +%s)" -lt "$end" ] || fail "it was not ready within $2 s: $(last_error)"
    sleep 0.2
    is_running "$1/data" || [ -z "$(last_error)" ] || fail "$(last_error)"
  done
}

# Give data a timeline that is newer than all archived ones, with the roles of the live data.
promote_beside() { # FOLDER
  if [ "$(beside_sql 'SELECT pg_is_in_recovery()')" = t ]; then
    # At the end of its WAL it may promote itself meanwhile.
    beside_sql 'SELECT pg_promote(true, 60)' >/dev/null 2>&1 || true
  fi
  await_beside "$1" 60 'SELECT pg_is_in_recovery()' f
  [ -n "$stopped" ] || ! is_running "$live" || copy_roles
  beside_sql CHECKPOINT
  pg_ctl stop -s -D "$1/data" -m fast -w -t 60
  touch "$1/promoted"
}

# Roles that were dropped since the moment may own objects, so they stay, but cannot log in and are
# members of nothing. All others get the passwords, attributes and memberships of the live data.
copy_roles() {
  psql -X -q -A -t -h "$root" -d postgres -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
SELECT format('REVOKE %I FROM %I%s CASCADE', role.rolname, member.rolname,
    CASE WHEN current_setting('server_version_num')::int >= 160000
      THEN format(' GRANTED BY %I', grantor.rolname) ELSE '' END)
  FROM pg_auth_members AS item JOIN pg_roles AS role ON role.oid = item.roleid
    JOIN pg_roles AS member ON member.oid = item.member
    LEFT JOIN pg_roles AS grantor ON grantor.oid = item.grantor
  WHERE item.member >= 16384 \gexec
SELECT format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION '
    'NOBYPASSRLS PASSWORD NULL VALID UNTIL %L', rolname, 'infinity'),
    format('ALTER ROLE %I RESET ALL', rolname)
  FROM pg_roles WHERE oid >= 16384 \gexec
SQL
  pg_dumpall --roles-only --no-role-passwords </dev/null >/dev/null # fails here, not in a pipe
  # Roles that exist cannot be created again (42710); their passwords and rights follow.
  problem=$(pg_dumpall --roles-only </dev/null |
    psql -X -q -h "$root" -d postgres -v VERBOSITY=sqlstate 2>&1 >/dev/null |
    sed -n 's/^.*ERROR: *//p' | grep -v -x 42710 | sort -u | tr '\n' ' ') || true
  [ -z "$problem" ] || fail "the roles could not be copied (SQLSTATE $problem)"
}

timeline() { # DIRECTORY: 0 if there is none
  value=$(control "$1" "Latest checkpoint's TimeLineID" 2>/dev/null)
  echo $((10#${value:-0}))
}

build() { # REPOSITORY SECONDS OPTION...
  repository="$1" limit="$2"
  shift 2
  discard new
  mkdir -p -m 700 "$root/new"
  pgbackrest restore --stanza=db "--repo=$repository" "--pg1-path=$root/new/data" \
    --log-level-console=warn --lock-path=/tmp/vrooli-restore "$@" >"$root/restore.log" 2>&1 9<&- ||
    fail "$(sed -n 's/^.*ERROR: *\[[0-9]*\]: *//p' "$root/restore.log" | tail -1)"
  mv -T "$root/new/data/pg_wal" "$root/new/wal"
  ln -sfn "$root/new/wal" "$root/new/data/pg_wal"
  recovery=()
  while IFS= read -r line; do
    name="${line%% *}" value="${line#*= \'}"
    recovery+=(-c "$name=${value%\'}")
  done < <(grep '^recovery_target' "$root/new/data/postgresql.auto.conf")
  # A backup is on its own timeline, which need not be an earlier part of the newest one.
  case "${recovery[*]}" in *recovery_target=immediate*) recovery+=(-c recovery_target_timeline=current) ;; esac
  copy_settings "$root/new/data"
  touch "$root/new/data/recovery.signal"
  start_beside "$root/new" "${recovery[@]}"
  if [ "${#recovery[@]}" -eq 0 ]; then
    # Without a target, PostgreSQL accepts writes at the end of the WAL.
    await_beside "$root/new" "$limit" 'SELECT pg_is_in_recovery()' f
    demand_all_wal
    return
  fi
  await_beside "$root/new" "$limit" 'SELECT pg_get_wal_replay_pause_state()' paused
}

position() { # LSN
  echo $((16#${1%/*} * 4294967296 + 16#${1#*/}))
}

# PostgreSQL takes an archive that cannot be read for the end of the WAL.
demand_all_wal() {
  reached=$(beside_sql 'SELECT pg_last_wal_replay_lsn()')
  last=$(control "$live" "Latest checkpoint location" 2>/dev/null)
  [ -z "$last" ] || [ -z "$reached" ] || [ "$(position "$reached")" -ge "$(position "$last")" ] ||
    fail "the WAL ends at $reached, before the last checkpoint of the live data at $last"
}

# What a restore that was killed has left running.
stray() { # PATTERN of the command
  for process in /proc/[0-9]*; do
    [ -O "$process" ] && [ "${process#/proc/}" != "$$" ] || continue
    words=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
    case "$words" in $1) ;; *) continue ;; esac
    ! grep -q -s -z -x -F "PGDATA=$live" "$process/environ" || echo "${process#/proc/}"
  done
}

discard() { # FOLDER
  stop_beside immediate
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    strays=$(stray "*$root/new/data*")
    [ -n "$strays" ] || break
    kill -9 $strays 2>/dev/null || true
    sleep 0.2
  done
  rm -rf "${root:?}/$1"
}

# Give the data of FROM a timeline of their own.
renew() { # FROM
  if ! is_running "$root/$1/data"; then
    # The restored server would recover past the moment.
    [ "$1" = old ] || [ -e "$root/$1/promoted" ] ||
      fail "the server with the restored data has ended meanwhile"
    # All of its WAL is here. What the archive has of this timeline may be of other data; histories
    # of others tell which number is free.
    history=$(printf %08X "$(timeline "$root/$1/data")").history
    touch "$root/$1/data/recovery.signal"
    start_beside "$root/$1" -c recovery_target_timeline=current -c "restore_command=case %f in \
      $history) false ;; *.history) $(archive_get "$root/$1") ;; *) false ;; esac"
    await_beside "$root/$1" 120 'SELECT 1' 1
  fi
  promote_beside "$root/$1"
}

# So that they can become live at once.
prepare() { # FROM
  renew "$1"
  [ "$(timeline "$root/$1/data")" -gt "$(timeline "$live")" ] ||
    fail "PostgreSQL has had a failover meanwhile"
}

# Whether data are prepared already: stopped, on a newer timeline than the live ones.
is_ready() { # FROM
  ! is_running "$root/$1/data" && [ "$(timeline "$root/$1/data")" -gt "$(timeline "$live")" ]
}

# Make the exchange that comes next short.
make_ready() { # FROM
  is_ready "$1" || prepare "$1"
  [ -n "$stopped" ] || ! is_running "$live" || live_sql CHECKPOINT
}

demand_no_exchange() { [ ! -e "$root/exchanging" ] || fail "an exchange has not ended"; }

# The timeline and the last checkpoint of the live data, and the history of the timeline.
timelines() {
  checkpoint=$(control "$live" "Latest checkpoint location" 2>/dev/null)
  echo "$(timeline "$live") ${checkpoint:--}"
  cat "$live/pg_wal/$(printf %08X "$(timeline "$live")").history" 2>/dev/null || true
}

state() {
  [ ! -d "$root/new/data" ] || echo new
  [ ! -d "$root/old/data" ] || echo old
  [ ! -e "$root/exchanging" ] || echo exchanging
  [ "$(realpath "$live/pg_wal" 2>/dev/null)" = "$live_wal" ] || [ -e "$root/exchanging" ] || echo layout
  [ -z "$(ls "$live/pg_tblspc" 2>/dev/null)" ] || echo tablespaces
}

# Bytes: free on the volume, of the live data, and free in the memory limit of the container (-: no
# limit). Files that are cached count as free.
room() {
  read -r _ _ _ free _ < <(df -PB1 "$volume" | tail -1)
  read -r size _ < <(du -s -B1 "$live" 2>/dev/null) || size=0
  group=/sys/fs/cgroup limit=memory.max usage=memory.current prefix=
  if [ -e "$group/memory/memory.limit_in_bytes" ]; then
    group="$group/memory" limit=memory.limit_in_bytes usage=memory.usage_in_bytes prefix=total_
  fi
  memory=-
  # Without a limit, version 1 has a number of 19 digits; version 2 has the word max, or no file.
  if grep -q -x '[0-9]\{1,18\}' "$group/$limit" 2>/dev/null; then
    memory=$(($(cat "$group/$limit") - $(cat "$group/$usage")))
    while read -r key value; do
      case "$key" in
      "${prefix}active_file" | "${prefix}inactive_file") memory=$((memory + value)) ;;
      esac
    done <"$group/memory.stat"
  fi
  echo "$free $size $memory"
}

verb="$1" stopped=
shift
# The live server does not answer: its roles cannot be copied, and it is not started here.
case "$verb" in *-stopped) stopped=yes verb="${verb%-stopped}" ;; esac
case "$verb" in
# A command whose connection broke off still builds; another takes its place.
build | discard) kill -KILL $(stray 'bash -s build*') 2>/dev/null || true ;;
# It is asked of an instance where another command may be at work, and changes nothing.
timelines) timelines; exit ;;
esac
# One command at a time, also if the connection of another broke off. Servers do not inherit it.
exec 9<"$volume"
flock -w 10 9 || fail "another command is still working in this pod; wait until it has ended"
case "$verb" in
state) state ;;
room) room ;;
build) demand_no_exchange; build "$@" ;;
prepare) demand_no_exchange; make_ready new ;;
prepare-undo) demand_no_exchange; make_ready old ;;
switch) switch new old ;;
undo) switch old new ;;
discard) demand_no_exchange; discard new ;;
finish) demand_no_exchange; discard old; rm -rf "$root" ;;
*) fail "unknown verb $verb" ;;
esac
