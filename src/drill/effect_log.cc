#include "drill/effect_log.h"

namespace pawl::drill {

void EffectLog::start_process(std::optional<std::uint64_t> dies_after_ticks) {
  left_ = dies_after_ticks;
  died_ = false;
}

bool EffectLog::tick() {
  if (died_) return true;
  if (left_ && --*left_ == 0) died_ = true;
  return died_;
}

void EffectLog::effect(std::string_view what) {
  if (died_) throw ProcessDied{};
  ++effects_;
  note(what);
  if (tick()) throw ProcessDied{};
}

// FNV-1a, 64 bits.
void EffectLog::note(std::string_view fact) {
  for (const char c : fact) {
    digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  note(fact.size());
}

void EffectLog::note(std::uint64_t number) {
  for (int byte = 0; byte < 8; ++byte) {
    digest_ = (digest_ ^ (number >> (8 * byte) & 0xFF)) * 0x100000001B3ULL;
  }
}

}  // namespace pawl::drill
