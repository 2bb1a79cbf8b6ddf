# shellcheck shell=bash
# The package table: what each system calls the things that qrerank is built with. Sourced by scripts/setup.
# A row sets `packages` (build and run), `test_packages` (tests and benchmarks), `rust_packages` (where no cargo of
# `cargo_needed` or later is found) and `packages_tested`. Debian 12 is tested; the other rows are not.

# Read by scripts/setup.
# shellcheck disable=SC2034
package_row() {
  local system=$1
  cargo_needed=1.85
  local common=(
    clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev lld-19 llvm-19
    libsimdjson-dev libyaml-cpp-dev libssl-dev prometheus-cpp-dev libfmt-dev libcli11-dev
    libbenchmark-dev nlohmann-json3-dev zlib1g-dev libcurl4-openssl-dev libexpected-dev
    cmake ninja-build ccache git curl ca-certificates python3 python3-venv
  )
  test_packages=(wrk nginx haproxy shellcheck faketime)
  case "$system" in
    "debian 12")
      packages_tested=yes
      test_packages+=(chromium) # the compare page is tested in a browser
      packages=("${common[@]}" libboost1.81-dev libboost-test1.81-dev libboost-url1.81-dev)
      rust_packages=(rustc-web cargo-web)
      ;;
    "ubuntu 24.04")
      packages_tested=no
      packages=("${common[@]}" libboost1.83-dev libboost-test1.83-dev libboost-url1.83-dev)
      rust_packages=(rustc-1.85 cargo-1.85)
      ;;
    *) return 1 ;;
  esac
}
