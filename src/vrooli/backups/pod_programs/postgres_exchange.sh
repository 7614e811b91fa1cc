# Exchanges the live data of an instance with other data of its volume, while Patroni is stopped.
# It comes before postgres_restore.sh, in one program.
#
# Patroni's lease ends after 20 s, and the kubelet restarts the container when its probe has failed
# three times in 6 s each: nothing here may take longer than freeze_ms. Of those, stopping the live
# server may take 4 s, and what a failed start needs to bring the data back is kept in reserve.
freeze_ms=10000 reserve_ms=3000 stop_s=2
patroni_pids= guard= continue_signal=CONT

left_ms() { echo $((freeze_end - $(now_ms))); }

patroni() {
  for process in /proc/[0-9]*; do
    [ -O "$process" ] || continue
    words=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
    case "$words" in
    *patronictl*) ;;
    *bin/patroni\ * | patroni\ * | *-m\ patroni\ *)
      ! grep -q -s -z -x -F "PGDATA=$PGDATA" "$process/environ" || echo "${process#/proc/}"
      ;;
    esac
  done
}

status() { # PROCESS FIELD
  while read -r key value _; do
    [ "$key" != "$2:" ] || echo "$value"
  done 2>/dev/null <"/proc/$1/status" || true
}

is_frozen() {
  for process in $patroni_pids; do
    [ "$(status "$process" State)" = T ] || return 1
  done
}

# The guard does the same if this program is killed.
freeze() {
  patroni_pids=$(patroni | tr '\n' ' ')
  freeze_end=$(($(now_ms) + freeze_ms))
  trap thaw EXIT
  [ -n "$patroni_pids" ] || return 0
  # The guard of an exchange that was killed would let Patroni go on in this one.
  kill -KILL $(stray "sh -c sleep *; kill -*") 2>/dev/null || true
  setsid sh -c "sleep $((freeze_ms / 1000)); kill -$continue_signal $patroni_pids" \
    </dev/null >/dev/null 2>&1 9<&- &
  guard=$!
  kill -STOP $patroni_pids
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    ! is_frozen || return 0
    sleep 0.1
  done
  give_up "Patroni did not stop"
}

# Patroni that found no data has decided to create some, or to delete what it has created: it must
# not go on with that. Its container starts again, after this program has reported its result.
thaw() {
  case "$continue_signal" in
  CONT) [ -z "$patroni_pids" ] || kill -CONT $patroni_pids ;;
  *) setsid sh -c "sleep 1; kill -KILL $patroni_pids" </dev/null >/dev/null 2>&1 9<&- & ;;
  esac
  [ -z "$guard" ] || kill -KILL "$guard" 2>/dev/null || true
  guard= patroni_pids=
  trap - EXIT
}

# What Patroni has started to create or to repair data.
kill_children() { # PROCESS
  local path child
  for path in /proc/[0-9]*; do
    child="${path#/proc/}"
    [ "$(status "$child" PPid)" = "$1" ] || continue
    case " $patroni_pids " in *" $child "*) continue ;; esac
    kill_children "$child"
    kill -KILL "$child" 2>/dev/null || true
  done
}

# A server may end by itself between two commands.
stop() { # MODE SECONDS
  ! is_running "$live" || pg_ctl stop -s -D "$live" -m "$1" -w -t "$2" 2>/dev/null ||
    ! is_running "$live"
}

stop_live() {
  # A fast shutdown waits for the archive; what is committed is in the WAL without it, too.
  stop fast $stop_s || stop immediate $stop_s
}

# Nothing was renamed; the live server starts again.
give_up() {
  [ -n "$resumed" ] || rm -f "$root/exchanging"
  [ "${#command[@]}" -eq 0 ] || is_running "$live" || spawn_live
  fail "$1; nothing was changed"
}

rename() { # SOURCE TARGET
  is_frozen || fail "Patroni went on during the exchange, which is not complete"
  mv -T "$1" "$2"
}

# Keep what is in the place of the live data but was created there after a crash.
set_aside() { # PATH...
  for path in "$@"; do
    # rmdir: the start of a pod creates an empty directory.
    if [ ! -e "$path" ] || rmdir "$path" 2>/dev/null; then continue; fi
    mkdir -p -m 700 "$aside"
    rename "$path" "$aside/$(basename "$path")"
  done
  [ ! -L "$aside/${live##*/}/pg_wal" ] || ln -sfn "$aside/${live_wal##*/}" "$aside/${live##*/}/pg_wal"
}

# Make the data of FROM live and keep those of TO, which are live or were until a crash. It continues
# an exchange that was killed at any step, in the same direction or back. Data are never without
# their WAL, except for a link to the place to which PGO expects it to point.
exchange() { # FROM TO
  from="$root/$1" to="$root/$2"
  mkdir -p -m 700 "$to"
  if [ ! -e "$to/data" ]; then
    [ -e "$to/wal" ] || rename "$live_wal" "$to/wal"
    ln -sfn "$to/wal" "$live/pg_wal"
    rename "$live" "$to/data"
  fi
  if [ -e "$from/data" ]; then
    set_aside "$live" "$live_wal"
    rename "$from/data" "$live"
  fi
  if [ -e "$from/wal" ]; then
    ln -sfn "$live_wal" "$live/pg_wal"
    set_aside "$live_wal"
    rename "$from/wal" "$live_wal"
  fi
  rm -f "$from/promoted"
  rmdir "$from" 2>/dev/null || true
  sync "$volume"
}

spawn_live() {
  setsid "${command[@]}" </dev/null >&7 2>&8 7>&- 8>&- 9<&- &
  server=$!
}

# Its output goes where that of the server before it went: to Patroni's, the log of the container.
keep_output() { # PROCESS
  exec 7>>"$root/postgres.log" 8>>"$root/postgres.log"
  for number in 1 2; do
    if (: >>"/proc/$1/fd/$number") 2>/dev/null; then
      case "$number" in
      1) exec 7>>"/proc/$1/fd/1" ;;
      2) exec 8>>"/proc/$1/fd/2" ;;
      esac
    fi
  done
}

start_live() {
  spawn_live
  until [ "$(live_sql 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; do
    [ "$(left_ms)" -gt "$reserve_ms" ] && kill -0 "$server" 2>/dev/null || return 1
    sleep 0.05
  done
}

# Bring the data back that were live, if they can be within the time that is left.
take_back() { # FROM TO
  stop immediate 1 || fail "PostgreSQL has not started with the data yet, and cannot be stopped"
  exchange "$2" "$1"
  spawn_live
  rm -f "$root/exchanging"
  fail "PostgreSQL did not start with the data; the previous data were brought back"
}

is_live() { # FROM: whether its data are live already, with their WAL
  [ ! -e "$root/$1/data" ] && [ "$(realpath "$live/pg_wal" 2>/dev/null)" = "$live_wal" ] &&
    [ -e "$live/PG_VERSION" ] && [ -d "$live_wal" ]
}

# Let the data of FROM become live, and keep the live ones in TO.
switch() { # FROM TO
  trap '' HUP INT TERM PIPE # it goes on if the connection breaks off
  resumed= command=()
  [ ! -e "$root/exchanging" ] || resumed=yes
  if [ -n "$resumed" ] && is_live "$1"; then
    rm -f "$root/exchanging" # it was killed before the first rename or after the last one
    echo "switched 0"
    return
  fi
  [ -n "$resumed" ] || [ -e "$root/$1/data" ] || fail "there is no data to switch to"
  [ -n "$resumed" ] || is_ready "$1" || fail "the data are not prepared, or PostgreSQL has had a failover"
  if [ -n "$resumed" ] && [ -e "$root/$1/data" ]; then
    # Patroni may have begun a timeline since then. Data that were never live have one that is not
    # in the archive; both may have the same number then.
    renew "$1"
    is_ready "$1" || renew "$1"
    is_ready "$1" || fail "PostgreSQL has begun another timeline meanwhile; repeat the command"
  fi
  if [ "$(live_sql 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; then
    [ -z "$stopped" ] || fail "PostgreSQL answers again; repeat the command"
    [ ! -e "$root/$1/data" ] || copy_settings "$root/$1/data"
    process=$(head -1 "$live/postmaster.pid")
    mapfile -d '' command <"/proc/$process/cmdline"
    keep_output "$process"
  elif [ -n "$resumed$stopped" ]; then
    continue_signal=KILL
  else
    fail "PostgreSQL is not the primary any more"
  fi
  aside="$volume/vrooli-aside/$(date -u +%Y%m%d-%H%M%S)"
  touch "$root/exchanging"
  sync "$root/exchanging" "$root"
  begin=$(now_ms)
  freeze
  stop_live || give_up "PostgreSQL did not stop within $((2 * stop_s)) s"
  if [ "$continue_signal" = KILL ]; then
    for process in $patroni_pids; do kill_children "$process"; done
  fi
  [ "$(left_ms)" -gt $((freeze_ms / 2)) ] || give_up "PostgreSQL did not stop in time"
  exchange "$1" "$2"
  [ "${#command[@]}" -eq 0 ] || start_live || take_back "$1" "$2"
  rm -f "$root/exchanging"
  thaw
  [ ! -e "$aside" ] || echo "aside $aside"
  echo "switched $(($(now_ms) - begin))"
}
