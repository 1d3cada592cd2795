// The subcommands of `pawl guard` that stand in files of their own.
#pragma once

#include "cli/commands.h"

namespace pawl::cli {

void add_guard_repair(CLI::App& guard, Action& chosen);

}  // namespace pawl::cli
