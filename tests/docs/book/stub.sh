#!/bin/bash
# Stands in for every program that a page calls, under the program's name. The exporter and requests to it run; of what
# cannot run in a test, the files and names are looked up in the repository. commands.rs sets the variables:
# BIN (folder of the stubs), EXPORTER (binary), ADDRESS (where it is to listen), API (URL), KEY (API key), ROOT, VERSION.
set -euo pipefail
program=${0##*/}
image=registry.example.org/edgeimpulse-exporter:$VERSION
base=deploy/kubernetes/base
PATH=/usr/bin:/bin

fail() { echo "$program: $*" >&2 && exit 1; }

# holds TEXT FILE: the file of the repository has the text.
holds() { grep -qFe "$1" "$ROOT/$2" || fail "$2 has no '$1'"; }

# request METHOD URL: prints the response, fails unless its status is 200.
request() {
  [[ $2 =~ ^http://([^:/]+):([0-9]+)(/.*)$ ]] || fail "not a URL of the exporter: $2"
  exec 3<>"/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}"
  printf '%s %s HTTP/1.0\r\n\r\n' "$1" "${BASH_REMATCH[3]}" >&3
  local status
  read -r -u 3 _ status _
  cat <&3
  [ "$status" = 200 ] || fail "$2: status $status"
}

# Files that are arguments, or values of options, exist.
for argument in "$@"; do
  file=${argument##*=}
  case $file in
    deploy/* | target/dist/* | target/release/* | *.json | *.mjs | *.toml | *.txt | *.yaml | *.yml) [ -e "$file" ] || fail "no file $file" ;;
  esac
done

case $program in
  edgeimpulse-exporter) # Runs until it ends, or until every account was read by a scrape.
    # A configuration file allows no other settings.
    [[ "$*" == *--config.file* ]] || export EDGEIMPULSE_API_URL=$API EDGEIMPULSE_WEB_LISTEN_ADDRESS=$ADDRESS
    "$EXPORTER" "$@" &
    while kill -0 $! 2>/dev/null; do
      if metrics=$( (request GET "http://$ADDRESS/metrics") 2>/dev/null); then
        grep -q '^edgeimpulse_up{.*} 1$' <<< "$metrics" || fail 'no account was read'
        ! grep '^edgeimpulse_up{.*} 0$' <<< "$metrics" || fail 'an account was not read'
        kill $!
        break
      fi
      sleep 0.05
    done
    wait $!
    ;;
  curl)
    # The login of the real API.
    [[ $* != *https://studio.edgeimpulse.com/v1/api-login* ]] || { printf '{"success": true, "token": "%s"}' "$(cat jwt.txt)" && exit; }
    method=GET
    [ "$1" != -X ] || { method=$2 && shift 2; }
    [ "$1" != --globoff ] || shift
    [ $# = 1 ] || fail "unknown arguments: $*"
    request "$method" "$1"
    ;;
  cargo)
    if [[ $1 == +* ]]; then
      holds "rust-version = \"$(cut -d. -f1,2 <<< "${1#+}")\"" Cargo.toml
      shift
    fi
    case "$*" in
      'run --release -- '*) exec "$BIN/edgeimpulse-exporter" "${@:4}" ;;
      'run -- '*) exec "$BIN/edgeimpulse-exporter" "${@:3}" ;;
      'bench --bench '*)
        holds "name = \"$3\"" Cargo.toml
        for part in "${@:5}"; do holds "(\"$part\", " "benches/$3/main.rs"; done
        ;;
      'test '*) [ -n "$(find "$ROOT/tests" -name "$2.rs" -o -path "*/$2/mod.rs")" ] || fail "no tests $2" ;;
      'fuzz run --sanitizer none '*) [ -e "$ROOT/fuzz/fuzz_targets/$5.rs" ] || fail "no fuzzer $5" ;;
      test | 'build --release'* | 'build --profile dist'* | 'install --locked --path .' | 'install cargo-fuzz') ;;
      'install --locked cargo-auditable' | 'install --locked cargo-deb' | 'deb --no-build --output '*) ;; # run by tests/deploy/packages.rs
      *) fail "unknown arguments: $*" ;;
    esac
    ;;
  docker)
    case "$*" in
      'compose -f '*' up') ;;
      'build --file deploy/Dockerfile --build-arg '*" --tag $image .") holds "ARG ${5%%=*}" deploy/Dockerfile ;;
      'run '*"--env EDGEIMPULSE_API_KEY $image") EDGEIMPULSE_API_KEY=$KEY exec "$BIN/edgeimpulse-exporter" ;;
      'run '*" $image demo") exec "$BIN/edgeimpulse-exporter" demo ;;
      *) fail "unknown arguments: $*" ;;
    esac
    ;;
  kubectl)
    [ "$1" != --namespace ] || shift 2
    case "$*" in
      'create namespace '*) ;;
      'create secret generic research '* | 'create secret generic partners '*) holds 'secrets: [research, partners]' docs/kubernetes.md ;;
      'create secret generic '*) holds "secretName: $4" $base/deployment.yaml ;;
      'apply -k .') [ -e kustomization.yaml ] ;;
      'get pods --selector '*) holds "${4/=/: }" $base/kustomization.yaml ;;
      'port-forward service/'*)
        holds "name: ${2#service/}" $base/service.yaml
        holds "port: ${3#*:}" $base/service.yaml
        ;;
      *) fail "unknown arguments: $*" ;;
    esac
    ;;
  helm)
    [[ $* == 'install edgeimpulse-exporter deploy/chart '* ]] || fail "unknown arguments: $*"
    ;;
  systemctl)
    [ "$*" = daemon-reload ] || holds '[Service]' "deploy/systemd/${!#}.service"
    [ "$1" != reload ] || holds ExecReload= "deploy/systemd/$2.service"
    ;;
  apt) # Packages are those of .ci/run, except a compiler, a font and the package that the page builds.
    for package in "${@:2}"; do
      case $package in
        --no-install-recommends | fonts-inter | gcc | ./target/edgeimpulse-exporter.deb) ;;
        *) grep -qwe "$package" "$ROOT/.ci/run" || fail "no package $package" ;;
      esac
    done
    ;;
  dnf) [ "$*" = 'install ./target/edgeimpulse-exporter.rpm' ] ;;
  nfpm) holds "version = \"$VERSION\"" Cargo.toml ;; # run by tests/deploy/packages.rs
  npm | npx) [ "$program" = npm ] || grep -q "\"$1\":" package.json || fail "package.json has no $1" ;;
  sudo) [ "$1" = install ] || exec "$BIN/$1" "${@:2}" ;;
  cat | install | mv | rm | sed) exec "$program" "$@" ;;
  # The files were found; tests of their own run these.
  git | helm-docs | node | pictures | prometheusrule | promtool | run | sha256sum) ;;
  assets | build) [ "$#" = 1 ] ;;
  gh) [ "$1 $2" = 'attestation verify' ] && holds 'actions/attest-build-provenance@' .github/workflows/release.yaml ;;
  *) fail 'no test knows this program' ;;
esac
