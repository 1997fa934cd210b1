#!/bin/sh
# Puts an archive of Kotonoha into a folder of yours, without root:
#
#   sh install.sh [--prefix FOLDER] [--with PART.tar.xz]… ARCHIVE.tar.xz
#   sh install.sh [--prefix FOLDER] --uninstall
#
# The prefix is ~/.local if not given. The hash of every archive is compared with SHA256SUMS beside it, glibc and the processor are looked at first, and each
# check is said. What was there of an earlier version is replaced; --uninstall takes away what this script put there and nothing else.
set -eu

prefix=${HOME:-}/.local uninstall="" archives=""
fail() { echo "install.sh: $2" >&2; exit "$1"; }
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -gt 1 ] || fail 64 "--prefix takes a folder"; prefix=$2; shift 2 ;;
    --with) [ $# -gt 1 ] || fail 64 "--with takes an archive"; archives="$archives
$2"; shift 2 ;;
    --uninstall) uninstall=1; shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit ;;
    -*) fail 64 "there is no option $1; --help lists them" ;;
    *) archives="$1
$archives"; shift ;;
  esac
done
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
home=$prefix/lib/kotonoha link=$prefix/bin/kotonoha

remove() {
  # A program of this name that is not ours stays.
  if [ -L "$link" ] && [ "$(readlink "$link")" = "$home/bin/kotonoha" ]; then rm "$link"; fi
  # The mark says that the folder is this script's own.
  if [ -f "$home/.installed-by-kotonoha" ]; then rm -rf "$home"; fi
}
if [ -n "$uninstall" ]; then
  [ -f "$home/.installed-by-kotonoha" ] || fail 66 "nothing of this script is in $home"
  remove
  echo "removed $home and $link; what the program kept for itself is in ${XDG_CACHE_HOME:-${HOME:-}/.cache}/kotonoha"
  exit
fi
[ -n "$(printf %s "$archives" | tr -d '\n')" ] || fail 64 "name the archive, as in: sh install.sh kotonoha-0.1.0-linux-x86_64.tar.xz"

machine=$(uname -m)
[ "$(uname -s)" = Linux ] || fail 69 "this is $(uname -s); the archive is for Linux"
case "$archives" in *-linux-"$machine".tar.xz*) ;; *) fail 69 "this processor is $machine, and none of these archives is for it" ;; esac
if [ "$machine" = x86_64 ] && [ -r /proc/cpuinfo ]; then
  for word in avx2 fma; do grep -qw "$word" /proc/cpuinfo || fail 69 "this processor has no $word instructions; the program needs them"; done
  echo "processor: $machine with AVX2 and FMA"
fi
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/glibc //') || true
[ -n "$glibc" ] || fail 69 "this system's C library is not glibc (Alpine?); the program needs glibc 2.35 or newer"
[ "$(printf '%s\n2.35\n' "$glibc" | sort -V | head -n 1)" = 2.35 ] || fail 69 "this system has glibc $glibc; the program needs 2.35 or newer (Ubuntu 22.04, Debian 12)"
echo "C library: glibc $glibc"
command -v xz >/dev/null || fail 69 "xz is missing, which unpacks the archive (Debian, Ubuntu: the package xz-utils)"
if [ -e "$home" ] && [ ! -f "$home/.installed-by-kotonoha" ]; then fail 73 "$home is there and not this script's; nothing was changed"; fi
if [ -e "$link" ] || [ -L "$link" ]; then
  [ "$(readlink "$link" || true)" = "$home/bin/kotonoha" ] || fail 73 "$link is there and not this script's; nothing was changed"
fi

mkdir -p "$prefix/lib" "$prefix/bin"
new=$(mktemp -d "$prefix/lib/.kotonoha-XXXXXX")
trap 'rm -rf "$new"' EXIT
printf '%s\n' "$archives" | while IFS= read -r archive; do
  [ -n "$archive" ] || continue
  [ -f "$archive" ] || fail 66 "there is no file $archive"
  name=$(basename "$archive") sums=$(dirname "$archive")/SHA256SUMS
  [ -f "$sums" ] || fail 66 "SHA256SUMS is not beside $archive; put the file of the same release there"
  expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\$/\1/p" "$sums")
  found=$(sha256sum "$archive" | cut -d' ' -f1)
  [ -n "$expected" ] || fail 65 "SHA256SUMS does not name $name"
  [ "$expected" = "$found" ] || fail 65 "$name is damaged or another file: its SHA-256 is $found, $expected was expected"
  echo "SHA-256 of $name: as expected"
  tar -xJf "$archive" -C "$new" --strip-components=1 --no-same-owner
done
# Before the old one goes, the new one has to run here.
version=$("$new/bin/kotonoha" --version) || fail 70 "the program does not run here; nothing was changed"
: >"$new/.installed-by-kotonoha"
chmod 755 "$new"
remove
mv "$new" "$home"
ln -s "$home/bin/kotonoha" "$link"
echo "installed kotonoha $version: $link"
case ":${PATH:-}:" in *":$prefix/bin:"*) ;; *) echo "add it to the PATH of your shell: export PATH=\"$prefix/bin:\$PATH\"" ;; esac
