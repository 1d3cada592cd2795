// Where to divide a part of a bucket's listing whose names nobody knows yet. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pawl {

// A key about halfway between two, greater than `low` and less than `high` (nothing = no bound). It is printable ASCII but
// for what both begin with, because S3 takes only UTF-8. Nothing where there is no such key, which is always so between
// keys that differ in nothing but what isn't ASCII.
std::optional<std::string> key_between(std::string_view low, std::optional<std::string_view> high);

// How far `at` is on the way from `low` to `high`, from 0 to 1; 0 where that can't be told.
double key_progress(std::string_view low, std::string_view at,
                    std::optional<std::string_view> high);

}  // namespace pawl
