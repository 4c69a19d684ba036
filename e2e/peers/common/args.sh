# Sourced by the run scripts: reads BOOTSTRAP [--client-config FILE] [--only LIST] [TEST…].
# Sets BOOTSTRAP, CLIENT_CONFIG (absolute path or empty), ONLY (file or empty), TESTS (array), CACHE, LIB, HERE.
HERE=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${KASTELLAN_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/kastellan-e2e}/$(basename "$HERE")
BOOTSTRAP=${1:-}
CLIENT_CONFIG= ONLY= TESTS=()
if [ -z "$BOOTSTRAP" ] || [ "${BOOTSTRAP#-}" != "$BOOTSTRAP" ]; then
  echo "usage: $0 BOOTSTRAP [--client-config FILE] [--only FILE] [TEST...]" >&2
  exit 2
fi
shift
while [ $# -gt 0 ]; do
  case $1 in
    --client-config) CLIENT_CONFIG=$(realpath -- "${2:?--client-config needs a file}"); shift 2 ;;
    --only) ONLY=$(realpath -- "${2:?--only needs a file}"); shift 2 ;;
    -*) echo "unknown option: $1" >&2; exit 2 ;;
    *) TESTS+=("$1"); shift ;;
  esac
done
if [ -n "$ONLY" ]; then
  while read -r t _; do case $t in ''|'#'*) ;; *) TESTS+=("$t") ;; esac; done <"$ONLY"
fi
if [ ! -e "$CACHE/installed" ]; then
  echo "not installed: run $HERE/install first" >&2
  exit 2
fi
