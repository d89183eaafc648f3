#!/usr/bin/env bash
# Provide a Docker Engine for the container tests on a Debian machine that has none. Needs root.
#
#   scripts/docker_engine.sh start         install Debian's engine if needed, start it, print DOCKER_HOST=…
#   scripts/docker_engine.sh base IMAGE DIGEST   pull IMAGE (python:X.Y-…) by its digest, or build a stand-in
#   scripts/docker_engine.sh stop          stop the engine that `start` started; keep its images
#
# The engine has no bridge network: build and run with `--network host`, which reaches servers on 127.0.0.1, or with
# `--network none`. METRICGATE_ENGINE_DIR names its folder.
set -euo pipefail
engine_dir=${METRICGATE_ENGINE_DIR:-/var/lib/metricgate-engine}
socket=unix://$engine_dir/engine.sock

say() { printf '%s\n' "$*" >&2; }

install_debian() {   # install_debian PROGRAM PACKAGE: install the package unless the program exists
  command -v "$1" >/dev/null && return
  say "docker_engine: installing Debian's $2 …"
  local log
  log=$(mktemp)
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$2"; } >"$log" 2>&1 ||
    { cat "$log" >&2; say "docker_engine: $2 could not be installed"; exit 1; }
  rm -f "$log"
}

answers() { DOCKER_HOST=$socket docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

start() {
  mkdir -p "$engine_dir"
  install_debian dockerd docker.io
  if ! answers; then
    say "docker_engine: starting dockerd in $engine_dir …"
    setsid dockerd --host "$socket" --pidfile "$engine_dir/engine.pid" --data-root "$engine_dir/data" \
      --exec-root "$engine_dir/exec" --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
      >"$engine_dir/engine.log" 2>&1 </dev/null &
    for _ in {1..60}; do
      answers && break
      sleep 1
    done
    answers || { tail -n 20 "$engine_dir/engine.log" >&2; say "docker_engine: dockerd did not start"; exit 1; }
  fi
  echo "DOCKER_HOST=$socket"
}

stop() {
  [ -s "$engine_dir/engine.pid" ] || return 0
  local pid
  pid=$(cat "$engine_dir/engine.pid")
  kill "$pid" 2>/dev/null || return 0
  for _ in {1..30}; do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 1
  done
  say "docker_engine: dockerd (pid $pid) is still stopping"
}

find_python() {   # print the prefix of a CPython X.Y on this machine
  local version=$1 candidate
  for candidate in "python$version" "$HOME/.pyenv/versions/$version".*/bin/python; do
    if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.base_prefix)'
      return
    fi
  done
  say "docker_engine: a stand-in needs Python $version on this machine"
  exit 1
}

make_stand_in() {   # combine Debian with this machine's CPython in /usr/local: the layout of the official image
  local image=$1 version prefix suite root
  version=$(sed -E 's/^python:([0-9]+\.[0-9]+).*$/\1/' <<<"$image")
  prefix=$(find_python "$version")
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  root=$engine_dir/stand-in
  install_debian mmdebstrap mmdebstrap
  install_debian strip binutils
  rm -rf "$root"
  # Include what the official image keeps of Debian, and the shared libraries that CPython's modules need, except Tk's.
  mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' --include="ca-certificates,netbase,tzdata,$(list_libraries "$prefix")" "$suite" "$root" >&2
  (cd "$prefix" && tar -c --exclude=__pycache__ --exclude='site-packages/*' --exclude=test --exclude='config-*' --exclude='*.a' \
    "bin/python$version" lib include) | tar -x -C "$root/usr/local"
  find "$root/usr/local" -type f \( -name '*.so*' -o -name "python$version" \) -exec strip --strip-unneeded {} + # as in the official image
  ln -s "python$version" "$root/usr/local/bin/python3"
  ln -s python3 "$root/usr/local/bin/python"
  # A machine behind a proxy has its own certificate authority; without it, nothing could be installed.
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/usr/local/share/build-machine.crt"
  ldconfig -r "$root"
  chroot "$root" /usr/local/bin/python -m ensurepip --default-pip >/dev/null 2>&1
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*   # as in the official image
  tar -c -C "$root" . | docker import --message "stand-in for $image" \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
    --change 'ENV SSL_CERT_FILE=/usr/local/share/build-machine.crt PIP_CERT=/usr/local/share/build-machine.crt' \
    --change 'LABEL metricgate.stand-in=true' --change 'CMD ["python3"]' - "$image" >/dev/null
  rm -rf "$root"
}

list_libraries() {   # print the Debian packages, comma-separated, of the shared libraries that CPython in PREFIX needs
  find "$1/bin" "$1"/lib/python*/lib-dynload -type f ! -name '_tkinter*' -print0 | xargs -0 ldd 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3}' |
    sort -u | xargs -r -n1 readlink -f | sed 's,^/usr/,*/,; s,^/lib,*/lib,' | xargs -r dpkg-query --search 2>/dev/null |
    cut -d: -f1 | grep -v '^libpython' | sort -u | paste -sd,
}

base() {
  local image=$1 pinned=$1@$2
  docker image inspect "$image" >/dev/null 2>&1 && return
  if timeout 300 docker pull --quiet "$pinned" >/dev/null 2>&1; then
    docker tag "$pinned" "$image"
    return
  fi
  say "============================================================================================"
  say "docker_engine: cannot pull $image. Building a STAND-IN from this machine's Debian and Python."
  say "What is built on it is the project's own image, but not on the base image that users get."
  say "============================================================================================"
  make_stand_in "$image"
}

case "${1-}" in
  start) start ;;
  base) base "${2:?name the image, such as python:3.13.14-slim-bookworm}" "${3:?name its digest, sha256:…}" ;;
  stop) stop ;;
  *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
