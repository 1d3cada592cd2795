#include "guard/objects_taken.h"

#include <algorithm>
#include <cstring>

namespace pawl::guard {

// Names come from anybody who may write to the table: a hash that can't be aimed at.
ObjectsTaken::Key ObjectsTaken::key_of(std::string_view name, const ObjectContent& content) {
  const Digest of_name = sha256(name);
  Key key;
  std::memcpy(&key.name, of_name.bytes.data(), sizeof key.name);
  std::memcpy(&key.digest, content.digest.bytes.data(), sizeof key.digest);
  return key;
}

void ObjectsTaken::take(std::string_view name, const ObjectContent& content) {
  const auto [place, is_new] = until_.try_emplace(key_of(name, content), content.written_at);
  if (!is_new) {
    place->second = std::max(place->second, content.written_at);
    return;
  }
  order_.push_back(place->first);
  if (order_.size() <= kept_max_) return;
  until_.erase(order_.front());
  order_.pop_front();
}

bool ObjectsTaken::is_taken(std::string_view name, const ObjectContent& content) const {
  const auto found = until_.find(key_of(name, content));
  return found != until_.end() && content.written_at <= found->second;
}

}  // namespace pawl::guard
