#!/bin/sh
# Pass-through throughput: ours against nginx with keep-alive, both on one core in front of the same nginx upstream.
#
#   tests/bench/passthrough.sh PROXY_PROGRAM [SECONDS] [CONNECTIONS]
#
# PROXY_PROGRAM is `relay_only` (the listener and relay alone) or `qrerank`. The proxy has core 0 to itself; wrk and the
# upstream share core 1. Prints requests/s, p50, p99 and processor time per request of each and our ratio to nginx, for a
# small answer, for 16 KiB and for a POST with a 4 KiB body. Processor time tells more than requests/s where core 1 is the
# bottleneck or the machine has other work. Needs wrk, nginx and taskset.
set -eu
program=${1:?usage: passthrough.sh PROXY_PROGRAM [SECONDS] [CONNECTIONS]}
seconds=${2:-5}
connections=${3:-64}
work=$(mktemp -d)
up=18190 theirs=18191 ours=18192
ours_pid=
cleanup() {
  [ -z "$ours_pid" ] || kill "$ours_pid" 2>/dev/null || true
  for name in upstream proxy; do [ ! -f "$work/$name.pid" ] || kill "$(cat "$work/$name.pid")" 2>/dev/null || true; done
  sleep 0.2
  rm -rf "$work"
}
trap cleanup EXIT INT TERM

mkdir "$work/www"
chmod 755 "$work" "$work/www"
head -c 16384 /dev/urandom > "$work/www/16k"
common="worker_processes 1; daemon on; error_log $work/error.log;"
cat > "$work/upstream.conf" <<CONF
$common pid $work/upstream.pid; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_temp_path $work/a;
  server { listen 127.0.0.1:$up; location /small { return 200 "0123456789abcdef0123456789abcdef"; }
           location / { root $work/www; open_file_cache max=10; } } }
CONF
cat > "$work/proxy.conf" <<CONF
$common pid $work/proxy.pid; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_temp_path $work/b; proxy_temp_path $work/c;
  upstream u { server 127.0.0.1:$up; keepalive 512; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$theirs; location / { proxy_pass http://u; proxy_http_version 1.1;
           proxy_set_header Connection ""; proxy_set_header Host \$http_host; } } }
CONF
cat > "$work/post.lua" <<'CONF'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"vector":[' .. string.rep("0.123,", 680) .. '1]}'
CONF
taskset -c 1 nginx -p "$work" -c "$work/upstream.conf"
taskset -c 0 nginx -p "$work" -c "$work/proxy.conf"
case $(basename "$program") in
  relay_only) taskset -c 0 "$program" upstream=$up listen=$ours io-threads=1 > "$work/ours.log" & ;;
  *) taskset -c 0 "$program" serve --set upstream.url=http://127.0.0.1:$up --set proxy.listen=127.0.0.1:$ours \
       --set proxy.io_threads=1 --set admin.listen=127.0.0.1:0 --set log.level=warn > "$work/ours.log" & ;;
esac
ours_pid=$!
for _ in $(seq 100); do grep -q listening "$work/ours.log" && break; sleep 0.1; done

ticks=$(getconf CLK_TCK)
cpu() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; } # user and system time of a process, in ticks

# Prints "requests-per-second p50 p99 microseconds-of-processor-per-request".
measure() { # pid port path script
  pid=$1
  shift
  before=$(cpu "$pid")
  taskset -c 1 wrk -t1 -c"$connections" -d"$seconds"s --latency ${3:+-s "$3"} "http://127.0.0.1:$1$2" > "$work/wrk.out"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk.out" && [ -z "${3:-}" ]; then cat "$work/wrk.out" >&2; exit 1; fi
  after=$(cpu "$pid")
  awk -v t=$(((after - before) * 1000000 / ticks)) '$1=="50%"{p50=$2} $1=="99%"{p99=$2} /requests in/{n=$1}
    /Requests\/sec/{r=$2} END{printf "%s %s %s %.1f\n", r, p50, p99, t/n}' "$work/wrk.out"
}
theirs_pid=$(pgrep -P "$(cat "$work/proxy.pid")" | head -1)
printf '%-12s %-8s %10s %9s %9s %8s\n' request proxy 'req/s' p50 p99 us/req
for what in small 16k post; do
  case $what in small) path=/small script= ;; 16k) path=/16k script= ;; post) path=/small script=$work/post.lua ;; esac
  measure $theirs_pid $theirs $path "$script" > /dev/null # warm up
  n=$(measure $theirs_pid $theirs $path "$script")
  o=$(measure $ours_pid $ours $path "$script")
  # shellcheck disable=SC2086
  printf '%-12s %-8s %10s %9s %9s %8s\n' $what nginx $n $what ours $o
  echo "$n $o" | awk -v w=$what '{printf "%-12s ratio    %10.2f %28.2f\n", w, $5/$1, $4/$8}'
done
