#include "fault/memory_body_files.h"

#include "port/conformance/body_files_conformance.h"

namespace pawl {
namespace {

struct InMemory {
  MemoryBodyFiles memory;
  BodyFiles& files() { return memory; }
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BodyFilesConformance, InMemory);

}  // namespace pawl
