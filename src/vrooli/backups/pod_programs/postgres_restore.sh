# Restores PostgreSQL beside its live data, on the same volume, and exchanges both.
# It runs in the container of an instance, on standard input of bash: `bash -s VERB ...`.
#
# The folder vrooli-restore beside the data directory has:
#   new/data, new/wal  the restored data
#   old/data, old/wal  the previous data, until `finish` or `undo`
#   exchanging         "FROM TO" while directories are renamed; absent otherwise
set -eu
export LC_ALL=C
live="$PGDATA"
volume=$(dirname "$live")
root="$volume/vrooli-restore"
live_wal="${live}_wal"
# Files that Patroni writes; the live ones are current, those of a backup are not.
settings="postgresql.conf postgresql.base.conf postgresql.auto.conf pg_hba.conf pg_ident.conf
patroni.dynamic.json"
# Patroni's lease ends after 20 s and is renewed every 6 s; it must not be frozen for longer.
frozen_s=15

now_ms() { echo $(($(date +%s%N) / 1000000)); }
fail() { echo "$*" >&2; exit 1; }
control() { pg_controldata -D "$1" | sed -n "s/^$2: *//p"; }
live_sql() { psql -X -q -A -t -d postgres -c "$1" </dev/null; }
beside_sql() { psql -X -q -A -t -h "$root" -d postgres -c "$1" </dev/null; }
is_running() { pg_ctl status -s -D "$1" >/dev/null 2>&1; }
last_error() { sed -n 's/^.*\(FATAL\|ERROR\|PANIC\): *//p' "$root/postgres.log" | tail -1; }

copy_settings() { # DIRECTORY
  for file in $settings; do
    [ ! -e "$live/$file" ] || cp -p "$live/$file" "$1/$file"
  done
}

# Start a server on data beside the live ones: no network, no archiving, little memory.
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
  # pgBackRest ends with an error if the data directory is not its own.
  get="pgbackrest --stanza=db --pg1-path=$folder/data --no-archive-async archive-get %f \"%p\""
  : >"$root/postgres.log"
  setsid postgres -D "$folder/data" "${options[@]}" \
    -c listen_addresses= -c "unix_socket_directories=$root" -c "hba_file=$live/pg_hba.conf" \
    -c "ident_file=$live/pg_ident.conf" -c ssl=off -c shared_buffers=16MB -c logging_collector=off \
    -c log_destination=stderr -c archive_mode=on -c archive_command=false -c hot_standby=on \
    -c synchronous_standby_names= -c primary_conninfo= -c primary_slot_name= \
    -c "restore_command=$get" "$@" </dev/null >>"$root/postgres.log" 2>&1 &
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
    beside_sql 'SELECT pg_promote(true, 60)' >/dev/null
  fi
  await_beside "$1" 60 'SELECT pg_is_in_recovery()' f
  if is_running "$live"; then
    # Roles that exist cannot be created again; their passwords and rights follow.
    pg_dumpall --roles-only --no-role-passwords </dev/null >/dev/null # fails here, not in a pipe
    pg_dumpall --roles-only </dev/null | psql -X -q -h "$root" -d postgres >/dev/null 2>&1 || true
  fi
  beside_sql CHECKPOINT
  pg_ctl stop -s -D "$1/data" -m fast -w -t 60
}

timeline() { echo $((10#$(control "$1" "Latest checkpoint's TimeLineID"))); }

patroni() {
  for process in /proc/[0-9]*; do
    [ -O "$process" ] || continue
    words=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
    case "$words" in
    *patronictl*) ;;
    *bin/patroni\ * | patroni\ * | *-m\ patroni\ *) echo "${process#/proc/}" ;;
    esac
  done
}

# Rename directories; it can be repeated after it was killed at any step.
exchange() { # FROM TO
  from="$root/$1" to="$root/$2"
  mkdir -p "$to"
  echo "$1 $2" >"$root/exchanging"
  sync "$root/exchanging" "$root"
  [ -e "$to/data" ] || mv -T "$live" "$to/data"
  [ -e "$to/wal" ] || mv -T "$live_wal" "$to/wal"
  ln -sfn "$to/wal" "$to/data/pg_wal"
  if [ -e "$from/data" ]; then
    [ ! -e "$from/wal" ] || mv -T "$from/wal" "$live_wal"
    ln -sfn "$live_wal" "$from/data/pg_wal"
    mv -T "$from/data" "$live"
  fi
  rm -rf "$from"
  sync "$volume"
  rm -f "$root/exchanging"
}

start_live() { # COMMAND...
  setsid "$@" </dev/null >>"$root/postgres.log" 2>&1 &
  end=$(($(date +%s) + 8))
  until [ "$(live_sql 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.05
  done
}

build() { # REPOSITORY SECONDS OPTION...
  repository="$1" limit="$2"
  shift 2
  discard new
  mkdir -p -m 700 "$root/new"
  pgbackrest restore --stanza=db "--repo=$repository" "--pg1-path=$root/new/data" \
    --log-level-console=warn --lock-path=/tmp/vrooli-restore "$@" >"$root/restore.log" 2>&1 ||
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
  await_beside "$root/new" "$limit" 'SELECT pg_get_wal_replay_pause_state()' paused
}

# What a restore that was killed has left running.
stray() {
  for process in /proc/[0-9]*; do
    [ -O "$process" ] && [ "${process#/proc/}" != "$$" ] || continue
    words=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
    case "$words" in
    bash\ -s\ build\ * | *"$root/new/data"*) echo "${process#/proc/}" ;;
    esac
  done
}

discard() { # FOLDER
  stop_beside immediate
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    strays=$(stray)
    [ -n "$strays" ] || break
    kill -9 $strays 2>/dev/null || true
    sleep 0.2
  done
  rm -rf "${root:?}/$1"
}

# Give the data of FROM a timeline of their own, so that they can become live at once.
prepare() { # FROM
  if ! is_running "$root/$1/data"; then
    # The restored server would recover to the end of the archive, past the moment.
    [ "$1" = old ] || fail "the server with the restored data has ended meanwhile"
    touch "$root/$1/data/recovery.signal"
    start_beside "$root/$1" -c recovery_target_timeline=current
    await_beside "$root/$1" 120 'SELECT 1' 1
  fi
  promote_beside "$root/$1"
  [ "$(timeline "$root/$1/data")" -gt "$(timeline "$live")" ] ||
    fail "PostgreSQL has had a failover meanwhile"
}

# Whether data are prepared already: stopped, on a newer timeline than the live ones.
is_ready() { # FROM
  ! is_running "$root/$1/data" && [ "$(timeline "$root/$1/data")" -gt "$(timeline "$live")" ]
}

# Let the data of FROM become live, and keep the live ones in TO.
switch() { # FROM TO
  trap '' HUP INT TERM PIPE # it goes on if the connection breaks off
  from="$root/$1"
  if [ -e "$root/exchanging" ]; then
    read -r first second <"$root/exchanging"
    [ "$first" = "$1" ] || fail "another exchange has not ended"
    if [ -e "$root/$second/data" ]; then
      [ ! -e "$from/data" ] || ! is_running "$live" || fail "PostgreSQL runs in an exchange"
      exchange "$first" "$second" # Patroni starts the server
      echo "switched 0"
      return
    fi
    rm -f "$root/exchanging" # it was killed before it renamed anything
  fi
  [ -e "$from/data" ] || fail "there is no data to switch to"
  is_ready "$1" || prepare "$1"
  copy_settings "$from/data"
  command=()
  if is_running "$live"; then
    live_sql CHECKPOINT
    mapfile -d '' command <"/proc/$(head -1 "$live/postmaster.pid")/cmdline"
  fi
  if is_running "$live" && [ "$(live_sql 'SELECT pg_is_in_recovery()')" != f ]; then
    fail "PostgreSQL is not the primary any more"
  fi
  frozen=$(patroni) guard=
  # Without its guard, which would thaw the Patroni of a later exchange.
  thaw() {
    [ -z "$frozen" ] || kill -CONT $frozen
    [ -z "$guard" ] || kill -9 "$guard" 2>/dev/null || true # it ignores other signals
  }
  begin=$(now_ms)
  if [ -n "$frozen" ]; then
    kill -STOP $frozen
    setsid sh -c "sleep $frozen_s; kill -CONT $(echo $frozen)" </dev/null >/dev/null 2>&1 &
    guard=$!
  fi
  # A fast shutdown waits for the archive; what is committed is in the WAL without it, too.
  if is_running "$live" && ! pg_ctl stop -s -D "$live" -m fast -w -t 2 2>/dev/null &&
    ! pg_ctl stop -s -D "$live" -m immediate -w -t 4; then
    thaw
    fail "PostgreSQL did not stop within 6 s; nothing was changed"
  fi
  exchange "$1" "$2"
  if [ "${#command[@]}" -gt 0 ] && ! start_live "${command[@]}"; then
    pg_ctl stop -s -D "$live" -m immediate -w -t 5 || true
    exchange "$2" "$1"
    start_live "${command[@]}" || true
    thaw
    fail "PostgreSQL did not start with the data; the previous data were brought back"
  fi
  thaw
  echo "switched $(($(now_ms) - begin))"
}

state() {
  [ ! -d "$root/new/data" ] || echo new
  [ ! -d "$root/old/data" ] || echo old
  [ ! -e "$root/exchanging" ] || echo exchanging
  [ "$(realpath "$live/pg_wal" 2>/dev/null)" = "$live_wal" ] || [ -e "$root/exchanging" ] || echo layout
  [ -z "$(ls "$live/pg_tblspc" 2>/dev/null)" ] || echo tablespaces
}

verb="$1"
shift
case "$verb" in
state) state ;;
build) build "$@" ;;
prepare) is_ready new || prepare new ;;
prepare-undo) is_ready old || prepare old ;;
switch) switch new old ;;
undo) switch old new ;;
discard) discard new ;;
finish) discard old; rm -rf "$root" ;;
*) fail "unknown verb $verb" ;;
esac
