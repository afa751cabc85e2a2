#!/bin/sh
# Installs what the browser, broker, firmware and sound card tests need from Debian's packages where that is allowed, or says what is skipped.
set -eu
# Rules that screens are judged by; a machine without Node.js tests everything else.
if [ ! -e node_modules/axe-core/axe.min.js ]; then
  if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --no-save; else
    echo "No npm: the test of the screens' accessibility will be skipped; to enable it: sudo apt install npm"
  fi
fi
missing=""
command -v chromium >/dev/null || missing="$missing chromium"
command -v mosquitto >/dev/null || missing="$missing mosquitto"
command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
command -v clang >/dev/null || missing="$missing clang"
command -v arm-none-eabi-gcc >/dev/null || missing="$missing gcc-arm-none-eabi"
command -v qemu-system-arm >/dev/null || missing="$missing qemu-system-arm"
command -v arecord >/dev/null || missing="$missing alsa-utils"
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing="$missing orthanc orthanc-dicomweb"
command -v dciodvfy >/dev/null || missing="$missing dicom3tools"
python3 -c "import ensurepip" 2>/dev/null || missing="$missing python3-venv"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing$missing ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # libFuzzer stands in a package of its own, named after clang's version.
  case "$missing" in
    *clang*) missing="$missing $(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p')" ;;
  esac
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "Not installed:$missing. The tests that need them will be skipped; to enable them: sudo apt install$missing"
fi
