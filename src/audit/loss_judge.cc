#include "audit/loss_judge.h"

namespace pawl::audit {
namespace {

// `next` is at hand where its image is, and else lost with the rest.
Loss new_state(const ItemState& next) {
  Loss loss;
  loss.put_back = next.image.has_value();
  loss.lost = !loss.put_back;
  return loss;
}

// After a removal: where its counter began nobody knows, but not after what it says.
Loss begun_anew(const ItemState& next) {
  auto loss = new_state(next);
  if (!next.version) {
    loss.lost = true;
  } else if (!loss.put_back) {
    loss.to = next.version;
  } else if (*next.version > 0) {
    loss.lost = true;
    loss.to = *next.version - 1;
  }
  return loss;
}

Loss grown(std::uint64_t known, const ItemState& next) {
  auto loss = new_state(next);
  const std::uint64_t last = *next.version - (loss.put_back ? 1 : 0);
  if (known < last) {
    loss.lost = true;
    loss.from = known + 1;
    loss.to = last;
  }
  return loss;
}

}  // namespace

std::optional<Loss> judge_loss(const ItemState& known, const ItemState& next) {
  if (!next.exists) {
    if (!known.exists) return std::nullopt;
    Loss loss;
    loss.lost = loss.removed = true;
    return loss;
  }
  if (!known.exists) return begun_anew(next);
  if (known.version && next.version && *known.version < *next.version)
    return grown(*known.version, next);
  const bool went_back = known.version && next.version && *next.version < *known.version;
  const bool differs = known.image && next.image && *known.image != *next.image;
  if (!went_back && !differs) return std::nullopt;
  auto loss = new_state(next);
  loss.lost = true;
  return loss;
}

}  // namespace pawl::audit
