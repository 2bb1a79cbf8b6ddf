#!/bin/sh
# Pass-through: ours, nginx and HAProxy with keep-alive, each on one core in front of the same nginx upstream, in one run.
#
#   tests/bench/passthrough.sh PROXY_PROGRAM [SECONDS] [CONNECTIONS…]
#
# PROXY_PROGRAM is `relay_only` (the listener and relay alone) or `qrerank`. The proxies take turns on core 0; wrk and the
# upstream share core 1. For each number of connections (64 and 512 unless said otherwise) and each row: requests/s, p50,
# p99 and processor time per request of each, and our ratio to the better of the two. Then a download of 1 GiB, and the
# memory that an idle connection costs. Each figure is the median of ROUNDS (5) turns of SECONDS (2) after one to warm
# up, so that what the host does in between meets all three. Processor time tells more than requests/s where core 1 is
# the bottleneck. Needs wrk, nginx, haproxy, curl, openssl and taskset.
#
# With `qrerank`, then the same with TLS on the client's side (rows `tls-...`): one certificate and one cipher for all;
# `tls-new` is a full handshake for each request. ONLY=plain or ONLY=tls leaves the other half out; ROWS="upload
# tls-new" takes only these.
set -eu
program=${1:?usage: passthrough.sh PROXY_PROGRAM [SECONDS] [CONNECTIONS...]}
seconds=${2:-2}
rounds=${ROUNDS:-5}
if [ $# -gt 2 ]; then shift 2; else set -- 64 512; fi
idle=${IDLE_CONNECTIONS:-500}
work=$(mktemp -d)
up=18190
pids=
cleanup() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  for name in upstream nginx; do [ ! -f "$work/$name.pid" ] || kill "$(cat "$work/$name.pid")" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap cleanup EXIT INT TERM
only=${ONLY:-}
[ "$(basename "$program")" != relay_only ] || only=plain
tls= # "s" while the client's side is encrypted
port_of() {
  case $1$tls in
    nginx) echo 18191 ;; haproxy) echo 18192 ;; ours) echo 18193 ;;
    nginxs) echo 18194 ;; haproxys) echo 18195 ;; ourss) echo 18196 ;;
  esac
}

mkdir "$work/www"
chmod 755 "$work" "$work/www"
truncate -s 1G "$work/www/1g"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -keyout "$work/server.key" -out "$work/server.pem" 2> "$work/openssl.log"
cat "$work/server.pem" "$work/server.key" > "$work/both.pem"
cipher=TLS_AES_256_GCM_SHA384 # what OpenSSL takes first
kib=$(head -c 1024 /dev/zero | tr '\0' x)
common="worker_processes 1; worker_rlimit_nofile 8192; daemon on; error_log $work/error.log crit;"
events="events { worker_connections 4096; }"
cat > "$work/upstream.conf" <<CONF
$common pid $work/upstream.pid; $events
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_temp_path $work/a; sendfile on;
  client_max_body_size 0; client_body_buffer_size 2m;
  upstream self { server 127.0.0.1:$up; keepalive 64; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$up backlog=4096; set \$k "$kib"; set \$f "\$k\$k\$k\$k";
           location /small { return 200 "0123456789abcdef0123456789abcdef"; }
           location /search { return 200 "\$f\$f\$f\$f"; }
           location /up/ { proxy_pass http://self/small; proxy_http_version 1.1; proxy_set_header Connection "";
                           proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
           # reads the body to its end before it answers, and leaves it
           location / { root $work/www; } } }
CONF
cat > "$work/nginx.conf" <<CONF
$common pid $work/nginx.pid; $events
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_temp_path $work/b;
  proxy_temp_path $work/c; client_max_body_size 0; proxy_request_buffering off; proxy_max_temp_file_size 0;
  upstream u { server 127.0.0.1:$up; keepalive 1024; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:$(port_of nginx) backlog=4096; location / { proxy_pass http://u; proxy_http_version 1.1;
           proxy_set_header Connection ""; proxy_set_header Host \$http_host; } }
  server { listen 127.0.0.1:18194 ssl backlog=4096; ssl_certificate $work/server.pem; ssl_certificate_key $work/server.key;
           ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites $cipher;
           location / { proxy_pass http://u; proxy_http_version 1.1;
           proxy_set_header Connection ""; proxy_set_header Host \$http_host; } } }
CONF
cat > "$work/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 4000
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites $cipher
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend front
  bind 127.0.0.1:$(port_of haproxy) backlog 4096
  bind 127.0.0.1:18195 backlog 4096 ssl crt $work/both.pem alpn http/1.1
  default_backend back
backend back
  server up 127.0.0.1:$up
CONF
lua() { printf 'wrk.method = "%s"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = string.rep("x", %s)\n' "$1" "$2"; }
printf 'wrk.headers["Connection"] = "close"\n' > "$work/new.lua"
lua POST 2048 > "$work/search.lua"
lua PUT 1048576 > "$work/upload.lua"
taskset -c 1 nginx -p "$work" -c "$work/upstream.conf"
taskset -c 0 nginx -p "$work" -c "$work/nginx.conf"
taskset -c 0 haproxy -f "$work/haproxy.cfg" &
haproxy_pid=$!
serve() { # port setting...; in the background, where it becomes the program
  ours_port=$1
  shift
  exec taskset -c 0 "$program" serve --set upstream.url=http://127.0.0.1:$up --set "proxy.listen=127.0.0.1:$ours_port" \
    --set proxy.io_threads=1 --set admin.listen=127.0.0.1:0 --set log.level=warn "$@" > "$work/ours$ours_port.log"
}
case $(basename "$program") in
  relay_only) taskset -c 0 "$program" upstream=$up "listen=$(port_of ours)" io-threads=1 > "$work/ours18193.log" & ;;
  *) serve 18193 & ;;
esac
ours_pid=$!
ourss_pid=
if [ "$only" != plain ]; then
  serve 18196 --set "proxy.tls.certificate=$work/server.pem" --set "proxy.tls.key=$work/server.key" &
  ourss_pid=$!
fi
pids="$haproxy_pid $ours_pid $ourss_pid"
for _ in $(seq 100); do
  grep -qs listening "$work/ours18193.log" && [ -s "$work/nginx.pid" ] && { [ -z "$ourss_pid" ] || grep -qs listening "$work/ours18196.log"; } && break
  sleep 0.1
done
nginx_pid=$(pgrep -P "$(cat "$work/nginx.pid")" | head -1)
pid_of() { case $1$tls in nginx*) echo "$nginx_pid" ;; haproxy*) echo "$haproxy_pid" ;; ours) echo "$ours_pid" ;; ourss) echo "$ourss_pid" ;; esac; }

ticks=$(getconf CLK_TCK)
cpu() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; } # user and system time of a process, in ticks

# Prints "requests-per-second p50 p99 microseconds-of-processor-per-request".
measure() { # proxy connections path script seconds
  before=$(cpu "$(pid_of "$1")")
  taskset -c 1 wrk -t1 -c"$2" -d"$5"s --timeout 20s --latency ${4:+-s "$4"} "http$tls://127.0.0.1:$(port_of "$1")$3" > "$work/wrk.out"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk.out"; then cat "$work/wrk.out" >&2; exit 1; fi
  after=$(cpu "$(pid_of "$1")")
  awk -v t=$(((after - before) * 1000000 / ticks)) '$1=="50%"{p50=$2} $1=="99%"{p99=$2} /requests in/{n=$1}
    /Requests\/sec/{r=$2} END{printf "%s %s %s %.1f\n", r, p50, p99, t/n}' "$work/wrk.out"
}

wanted() { [ -z "${ROWS:-}" ] || case " $ROWS " in *" $1 "*) ;; *) return 1 ;; esac } # row

# Resident memory before and after so many connections have carried a request and stay open; first of all, for what a
# program once had it may keep.
resident() { awk '/^Pss:/{print $2}' "/proc/$1/smaps_rollup"; }
idle_memory() {
  wanted "${tls:+tls-}idle" || return 0
  for proxy in nginx haproxy ours; do
    curl -sk -o /dev/null "http$tls://127.0.0.1:$(port_of $proxy)/small"
    before=$(resident "$(pid_of $proxy)")
    python3 - "$(port_of $proxy)" "$idle" "$(pid_of $proxy)" "$tls" <<'PY' > "$work/idle"
import socket, ssl, sys
port, count, pid = (int(word) for word in sys.argv[1:4])
context = ssl._create_unverified_context()
kept = []
for _ in range(count):
    sock = socket.create_connection(("127.0.0.1", port))
    if sys.argv[4]:
        sock = context.wrap_socket(sock)
    sock.sendall(b"GET /small HTTP/1.1\r\nHost: q\r\n\r\n")
    while not sock.recv(4096).endswith(b"cdef"):
        pass
    kept.append(sock)
print(next(line.split()[1] for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Pss:")))
PY
    awk -v b="$before" -v n="$idle" -v p=$proxy -v t="${tls:+TLS }" '{printf "%-14s %-8s %7.1f KiB for each of %d connections\n", t "idle", p, ($1-b)/n, n}' "$work/idle"
  done
}

# The medians of each column over the rounds, a line for each proxy; then the ratio to the better one in the first and
# the last column.
medians() { # name connections file
  awk -v w="$1" -v c="$2" '
    {n[$1]++; for (i = 2; i <= NF; i++) v[$1, i, n[$1]] = to_number($i); columns = NF}
    function to_number(word) { # of wrk, in milliseconds
      if (word ~ /us$/) return word / 1000
      if (word ~ /[0-9]s$/ && word !~ /ms$/) return word * 1000
      return word + 0
    }
    function median(p, i,   k, j, t, all) {
      for (k = 1; k <= n[p]; k++) all[k] = v[p, i, k]
      for (k = 2; k <= n[p]; k++) for (j = k; j > 1 && all[j - 1] > all[j]; j--) { t = all[j]; all[j] = all[j - 1]; all[j - 1] = t }
      return n[p] % 2 ? all[(n[p] + 1) / 2] : (all[n[p] / 2] + all[n[p] / 2 + 1]) / 2
    }
    END {
      split("nginx haproxy ours", names, " ")
      for (k = 1; k <= 3; k++) {
        line = sprintf("%-11s %5s %-8s", w, c, names[k])
        for (i = 2; i <= columns; i++) { m[k, i] = median(names[k], i); line = line sprintf(" %10.2f", m[k, i]) }
        print line
      }
      best = m[1, 2] > m[2, 2] ? m[1, 2] : m[2, 2]
      least = m[1, columns] < m[2, columns] ? m[1, columns] : m[2, columns]
      printf "%-11s %5s ratio    %10.2f %*.2f\n", w, c, m[3, 2] / best, 11 * (columns - 2) - 1, least / m[3, columns]
    }' "$3"
}

row() { # name connections path script
  wanted "$1" || return 0
  for round in $(seq 0 "$rounds"); do
    for proxy in nginx haproxy ours; do
      if [ "$round" = 0 ]; then
        measure $proxy "$2" "$3" "$4" 1 > /dev/null # warm up
      else
        measured=$(measure $proxy "$2" "$3" "$4" "$seconds")
        echo "$proxy $measured" >> "$work/$1-$2"
      fi
    done
  done
  medians "$1" "$2" "$work/$1-$2"
}

rows() { # connections
  row "${tls:+tls-}small" "$1" /small ""
  row "${tls:+tls-}search" "$1" /search "$work/search.lua"
  [ "$1" = 512 ] || row "${tls:+tls-}upload" "$1" /up/file "$work/upload.lua" # 512: half a gigabyte on its way says more about the machine
  [ -z "$tls" ] || row tls-new "$1" /small "$work/new.lua"
}

download() {
  name=${tls:+tls-}1-GiB
  wanted "$name" || return 0
  for round in $(seq 0 "$rounds"); do
    for proxy in nginx haproxy ours; do
      before=$(cpu "$(pid_of $proxy)")
      speed=$(taskset -c 1 curl -sk -o /dev/null -w '%{speed_download}' "http$tls://127.0.0.1:$(port_of $proxy)/1g")
      after=$(cpu "$(pid_of $proxy)")
      [ "$round" = 0 ] || echo "$proxy $((speed / 1000000)) $(((after - before) * 1000 / ticks))" >> "$work/$name" # 0: warm up
    done
  done
  medians "$name" 1 "$work/$name"
}

sides() { # command...
  if [ "$only" != tls ]; then tls='' && "$@"; fi
  if [ "$only" != plain ]; then tls=s && "$@"; fi
}
sides idle_memory
printf '%-11s %5s %-8s %10s %10s %10s %10s\n' request conns proxy 'req/s' 'p50 ms' 'p99 ms' us/req
for connections in "$@"; do
  sides rows "$connections"
done
printf '%-11s %5s %-8s %10s %10s\n' request conns proxy 'MB/s' ms
sides download
