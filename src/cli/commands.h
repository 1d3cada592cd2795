// The commands of `pawl`. Each adds itself to the command line; what was chosen runs after parsing.
#pragma once

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's
class App;
}

namespace pawl::cli {

// What to run, once the command line is understood; its result is the exit status.
using Action = std::function<int()>;

void add_serve(CLI::App& app, Action& chosen);
void add_verify(CLI::App& app, Action& chosen);
void add_history(CLI::App& app, Action& chosen);
void add_gaps(CLI::App& app, Action& chosen);
void add_repair(CLI::App& app, Action& chosen);
void add_status(CLI::App& app, Action& chosen);
void add_restore(CLI::App& app, Action& chosen);
void add_adopt(CLI::App& app, Action& chosen);
void add_demo(CLI::App& app, Action& chosen);
void add_logs(CLI::App& app, Action& chosen);
void add_exec(CLI::App& app, Action& chosen);
void add_guard(CLI::App& app, Action& chosen);

}  // namespace pawl::cli
