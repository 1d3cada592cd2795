# shellcheck shell=bash
# What Pawl needs from Debian 12, by purpose. `./run` installs the first list, `./test` all that it uses.
# A package belongs here when something in the tree stops working without it.

# Compiling and running the release build.
# shellcheck disable=SC2034  # read by the scripts that source this file
packages_build=(
  g++ cmake ninja-build ccache
  libboost1.81-dev librocksdb-dev libsimdjson-dev libarchive-dev libssl-dev libcurl4-openssl-dev
  libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev
)

# Unit tests and the black-box tests with real clients: boto3, the aws command line, s3cmd, rclone, the JavaScript SDK,
# DynamoDB Local (Java) as the oracle, and Ceph's gateway as the bucket.
# shellcheck disable=SC2034
packages_test=(
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
  python3 python3-boto3 python3-botocore python3-jsonschema awscli s3cmd rclone curl ca-certificates
  openjdk-17-jre-headless clang-format git
  ceph-mon ceph-mgr ceph-osd radosgw ceph-common
)

# `./test --all`: lint, fuzzing with its coverage and sanitizer runtimes.
# shellcheck disable=SC2034
packages_all=(clang clang-tidy libclang-rt-14-dev shellcheck)

# The measurements in bench/.
# shellcheck disable=SC2034
packages_bench=(wrk time)
