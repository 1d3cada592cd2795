// How many descriptors this process may have.
#pragma once

namespace pawl {

// Raises the soft limit (1024 in most shells) to what the system lets the process have, at most 65,536: clients' connections,
// and one for each object of a batch while it is written. Leaves it where it is if that fails. Before other threads start.
void raise_open_files_limit();

}  // namespace pawl
