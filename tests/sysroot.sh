#!/bin/bash
# The libraries of another architecture, for cross-building and for running under qemu: `sysroot.sh ARCH FOLDER PACKAGE...`
# unpacks the Debian packages with all that they depend on into FOLDER, and writes the packages' names into FOLDER/ready at the end. apt works in
# folders of its own there, as on a machine of that architecture with nothing installed, from the sources that this
# machine has: nothing is installed here, and this machine's lists and packages stay as they are.
set -u -o pipefail
arch=$1
root=$2
shift 2
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "sysroot.sh: the libraries for $arch come from Debian's packages, and here is no apt-get" >&2
    exit 1
fi
rm -rf "$root"
mkdir -p "$root/usr/lib" "$root/apt/lists/partial" "$root/apt/archives/partial" || exit 1
ln -s usr/lib "$root/lib" # as on machines where they are one
root=$(cd "$root" && pwd)
: >"$root/apt/status"
apt() {
    apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root \
        -o Dir::State::Lists="$root/apt/lists" -o Dir::State::status="$root/apt/status" -o Dir::Cache="$root/apt" "$@"
}
if ! apt update || ! apt install -y --no-install-recommends --download-only "$@"; then
    echo "sysroot.sh: this machine's package sources do not give the packages for $arch: $*" >&2
    exit 1
fi
for package in "$root"/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink || exit 1
done
# Links that begin at the top mean the top of that folder.
find "$root" -type l -lname '/*' | while read -r link; do
    ln -sfnr "$root$(readlink "$link")" "$link"
done
rm -rf "$root/apt"
echo "$*" >"$root/ready"
