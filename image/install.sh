#!/bin/sh
# Installs the operator from its sources and nothing but what the two lock files pin by hash.
#
#   install.sh SOURCES TARGET
#
# TARGET becomes a virtual environment without pip, in which no file tells when it was made.
set -eu
sources=$1 target=$2
: "${SOURCE_DATE_EPOCH:?the time that files get, in seconds since 1970}"
export SOURCE_DATE_EPOCH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

locked() { # LOCK PREFIX
    python3 -m pip --python "$2" install --quiet --require-hashes --no-deps --only-binary :all: --no-compile \
        --requirement "$1"
}

python3 -m venv --without-pip "$work/build"
locked "$sources/image/build.lock" "$work/build"
(cd "$sources" && "$work/build/bin/python" -m hatchling build --target wheel --directory "$work")

python3 -m venv --without-pip "$target"
locked "$sources/image/runtime.lock" "$target"
python3 -m pip --python "$target" install --quiet --no-index --no-deps --no-compile "$work"/twinhull-*.whl
# Where the wheel was is nobody's business, and differs from build to build.
rm -f "$target"/lib/python3*/site-packages/twinhull-*.dist-info/direct_url.json
sed -i '/direct_url\.json/d' "$target"/lib/python3*/site-packages/twinhull-*.dist-info/RECORD
# Of the CEL engine its core is used. Each of its extensions has the engine in it once more: 36 MB in all.
rm -rf "$target"/lib/python3*/site-packages/cel_expr_python/ext
sed -i '/^cel_expr_python\/ext\//d' "$target"/lib/python3*/site-packages/cel_expr_python-*.dist-info/RECORD

# The file system is read-only in a cluster: what Python would write at each start is made now, by content.
"$target/bin/python" -m compileall -q --invalidation-mode unchecked-hash "$target"/lib/python3*/site-packages
find "$target" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
